"""`tilth.labeler`: a plain function becomes a labeler.

    @tilth.labeler(columns=["text"])
    def begs(row):
        if "subscribe" in row.text:
            return "spam"

The function names a class, or returns None to abstain. Where it raises, it abstains, and the report says so. It stays
callable, for tests: `begs({"text": "please subscribe"}) == "spam"`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import update_wrapper
from typing import Any, ClassVar, overload

import pyarrow as pa

from tilth.core.errors import UsageError
from tilth.core.said import Said
from tilth.operators._label_rows import Columns, Row, row_of, rows_of
from tilth.operators.batch import Batch
from tilth.operators.functions_made import functions_made, tell
from tilth.operators.voting import Failures, class_names, in_parts

__all__ = ["FunctionLabeler", "Row", "labeler", "labelers_made"]

Function = Callable[[Any], Any]


class FunctionLabeler:
    """A function that votes; `tilth.labeler` makes it.

    Parameters
    ----------
    function : of a row, or with `is_batch` of the columns of a block
    name : the labeler's name
    columns : what it reads; () for all columns that it may read
    is_batch : whether it is called once per block
    """

    word: ClassVar[str] = "labeler"
    revision: ClassVar[int] = 1

    def __init__(self, function: Function, *, name: str, columns: tuple[str, ...] = (), is_batch: bool = False) -> None:
        update_wrapper(self, function)
        self.function, self.name, self.columns, self.is_batch = function, name, columns, is_batch

    def __call__(self, row: Any) -> Any:
        """Call the function by hand: with a mapping of cells (or of columns), or with any object that has them."""
        if not isinstance(row, Mapping) or isinstance(row, Columns):
            return self.function(row)
        if not self.is_batch:
            return self.function(row_of(row))
        cells = {name: column if isinstance(column, pa.Array) else pa.array(column) for name, column in row.items()}
        return self.function(Columns(cells, len(next(iter(cells.values()), ()))))

    def __repr__(self) -> str:
        """Show the name."""
        return f"labeler({self.name!r})"

    @property
    def line(self) -> int:
        """The line in which the function begins, or 0."""
        code = getattr(self.function, "__code__", None)
        return int(getattr(code, "co_firstlineno", 0))

    def vote(self, batch: Batch) -> Said:
        """Return what the function says of each row; where it raises, it abstains.

        Raises
        ------
        ContractError
            It returned what is no class name, or not one answer per row.
        """
        if self.is_batch:
            return in_parts(self._of_columns, batch)
        failures, answers = Failures(), []
        for place, row in enumerate(rows_of(batch)):
            try:
                answers.append(self.function(row))
            except Exception as error:  # noqa: BLE001 - a labeler's failure on a row is a reported abstention
                answers.append(None)
                failures.add(str(batch.ids[place].as_py()), error)
        return Said(names=class_names(answers, batch, self.name), failures=tuple(failures.found))

    def _of_columns(self, batch: Batch) -> pa.Array:
        return class_names(self.function(Columns(batch.columns, len(batch))), batch, self.name)


@overload
def labeler(function: Function, /) -> FunctionLabeler: ...


@overload
def labeler(
    *, name: str | None = None, columns: Sequence[str] = (), batch: bool = False
) -> Callable[[Function], FunctionLabeler]: ...


def labeler(
    function: Function | None = None,
    /,
    *,
    name: str | None = None,
    columns: Sequence[str] = (),
    batch: bool = False,
) -> FunctionLabeler | Callable[[Function], FunctionLabeler]:
    """Make a labeler of a function that returns a class name, or None to abstain.

    Parameters
    ----------
    name : the labeler's name; the function's where none is given
    columns : the columns that it reads. Without them it may read every feature and every column that is not there at serving
        (images and vectors aside), and a change in any of these makes it vote anew on the row
    batch : call it once per block of rows, with Arrow columns, instead of once per row

    Raises
    ------
    UsageError
        What is decorated is no function, or has no name.

    Examples
    --------
    >>> import tilth
    >>> @tilth.labeler(columns=["text"])
    ... def begs(row):
    ...     return "spam" if "subscribe" in row.text else None
    >>> begs({"text": "please subscribe"})
    'spam'
    """
    names = (columns,) if isinstance(columns, str) else tuple(columns)

    def made(decorated: Function) -> FunctionLabeler:
        called = name or getattr(decorated, "__name__", "")
        if not callable(decorated) or isinstance(decorated, FunctionLabeler):
            raise UsageError(f"a {type(decorated).__name__} is no function", next_step="decorate a plain function")
        if not called or called == "<lambda>":
            raise UsageError("this labeler has no name", next_step='give it one: tilth.labeler(name="…")(function)')
        one = FunctionLabeler(decorated, name=called, columns=names, is_batch=batch)
        tell(one)
        return one

    return made if function is None else made(function)


def labelers_made() -> AbstractContextManager[list[FunctionLabeler]]:
    """Yield a list that fills with the labelers made meanwhile: a name that is defined twice hides the first."""
    return functions_made(FunctionLabeler)
