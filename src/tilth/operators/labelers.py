"""`tilth.labeler`: a plain function becomes a labeler.

    @tilth.labeler(columns=["text"])
    def begs(row):
        if "subscribe" in row.text:
            return "spam"

The function names a class, or returns None to abstain. Where it raises, it abstains, and the report says so. It stays
callable, for tests: `begs({"text": "please subscribe"}) == "spam"`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, overload

import pyarrow as pa

from tilth.core.said import Said
from tilth.operators._label_rows import Columns, Row, rows_of
from tilth.operators.batch import Batch
from tilth.operators.row_function import Function, RowFunction, decorator
from tilth.operators.voting import Failures, class_names, in_parts

__all__ = ["FunctionLabeler", "Row", "labeler"]


class FunctionLabeler(RowFunction):
    """A function that votes; `tilth.labeler` makes it."""

    kind: ClassVar[str] = "labeler"

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
    return decorator(FunctionLabeler, function, name, columns, batch=batch)
