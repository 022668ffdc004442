"""`tilth.transform`: a plain function becomes a transform.

    @tilth.transform(columns=["text"])
    def shout(row):
        return row.text.upper()

The function returns the new cell where it has one column, or a mapping from column to cell; None leaves the row as it is. A
second argument is the row's own random generator. Where it raises, the row stays as it is, and the report says so. What
changes a cell's type or shape, or takes it away, is refused.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, overload

import pyarrow as pa

from tilth.core.draw import Draw, RowDraws
from tilth.core.errors import UsageError
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.operators._label_rows import Columns, row_of, rows_of
from tilth.operators._new_cells import new_cells, new_columns
from tilth.operators.batch import Batch
from tilth.operators.row_function import Function, RowFunction, decorator
from tilth.operators.transforming import transformed
from tilth.operators.voting import Failures, part_of

__all__ = ["FunctionTransform", "transform"]

MOST_CALLS = 400
"""Calls that the search for failing rows of one block may cost; what still fails then stays as it is."""
EFFECTS = ("keep", "mix", "set")


class FunctionTransform(RowFunction):
    """A function that changes rows; `tilth.transform` makes it.

    Parameters
    ----------
    function : of a row, or with `is_batch` of the columns of a block; and, if it takes a second argument, of random numbers
    name : the transform's name
    columns : what it reads and may change; () for all features
    is_batch : whether it is called once per block
    label : what it may do to the label
    """

    kind: ClassVar[str] = "transform"
    accepts: ClassVar[frozenset[ColumnType]] = frozenset(ColumnType)

    def __init__(
        self,
        function: Function,
        *,
        name: str,
        columns: tuple[str, ...] = (),
        is_batch: bool = False,
        label: LabelEffect = "keep",
    ) -> None:
        super().__init__(function, name=name, columns=columns, is_batch=is_batch)
        self.label = label
        self._draws = _takes_two(function)

    def __call__(self, row: Any, random: Any = None) -> Any:
        """Call the function by hand: with a mapping of cells (or of columns), and with random numbers where it takes them."""
        if isinstance(row, Mapping) and not isinstance(row, Columns):
            row = self._columns_of(row) if self.is_batch else row_of(row)
        return self.function(row, random) if self._draws else self.function(row)

    def on(self, columns: Sequence[str]) -> FunctionTransform:
        """Return the same function for other columns."""
        more: dict[str, Any] = {"name": self.name, "is_batch": self.is_batch, "label": self.label}
        return FunctionTransform(self.function, columns=tuple(columns), **more)

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows after the function; where it raises or returns None they are as they were.

        Raises
        ------
        ContractError
            It gave a cell of another type or shape, a column that it does not have, or no cell where there was one.
        """
        return self._by_block(batch, draw) if self.is_batch else self._by_row(batch, draw)

    def _by_row(self, batch: Batch, draw: Draw) -> Transformed:
        failures, answers = Failures(), []
        generators = draw.generators(batch.digests) if self._draws else [None] * len(batch)
        for place, (row, random) in enumerate(zip(rows_of(batch), generators, strict=True)):
            try:
                answers.append(self.function(row, random) if self._draws else self.function(row))
            except Exception as error:  # noqa: BLE001 - a transform's failure on a row leaves it as it is, and is reported
                answers.append(None)
                failures.add(str(batch.ids[place].as_py()), error)
        changed = new_cells(answers, batch, self.name)
        return transformed(batch, changed, failures=tuple(failures.found))

    def _by_block(self, batch: Batch, draw: Draw) -> Transformed:
        """Return a block's rows; where the function raises, halves are tried, down to the rows that make it fail."""
        failures, parts = Failures(), list[Mapping[str, pa.Array]]()
        waiting, left = [batch] if len(batch) else [], MOST_CALLS
        while waiting:
            part, left = waiting.pop(), left - 1
            try:
                answer = self._answer(part, draw)
            except Exception as error:  # noqa: BLE001 - as above
                half = len(part) // 2
                if half and left > 0:
                    waiting += [part_of(part, half, len(part) - half), part_of(part, 0, half)]
                    continue
                answer = None
                for row_id in part.ids.to_pylist():
                    failures.add(str(row_id), error)
            parts.append(new_columns(answer, part, self.name))
        changed = {name: pa.concat_arrays([part[name] for part in parts]) for name in batch.columns} if parts else {}
        return transformed(batch, changed, failures=tuple(failures.found))

    def _answer(self, part: Batch, draw: Draw) -> Any:
        columns = Columns(part.columns, len(part))
        return (
            self.function(columns, RowDraws(draw=draw, digests=part.digests)) if self._draws else self.function(columns)
        )

    def _columns_of(self, row: Mapping[str, Any]) -> Columns:
        cells = {name: column if isinstance(column, pa.Array) else pa.array(column) for name, column in row.items()}
        return Columns(cells, len(next(iter(cells.values()), ())))


@overload
def transform(function: Function, /) -> FunctionTransform: ...


@overload
def transform(
    *, name: str | None = None, columns: Sequence[str] = (), batch: bool = False, label: LabelEffect = "keep"
) -> Callable[[Function], FunctionTransform]: ...


def transform(
    function: Function | None = None,
    /,
    *,
    name: str | None = None,
    columns: Sequence[str] = (),
    batch: bool = False,
    label: LabelEffect = "keep",
) -> FunctionTransform | Callable[[Function], FunctionTransform]:
    """Make a transform of a function that returns a changed row, or None to leave it as it is.

    Parameters
    ----------
    name : the transform's name; the function's where none is given
    columns : the columns that it reads and may change; without them, all features
    batch : call it once per block of rows, with Arrow columns, instead of once per row; it returns whole columns, null where a row
        stays as it is
    label : what it may do to the label: "keep" it true, "mix" labels, or make it another one ("set")

    Raises
    ------
    UsageError
        What is decorated is no function, or has no name; an unknown word for the label.

    Examples
    --------
    >>> import tilth
    >>> @tilth.transform(columns=["text"])
    ... def shout(row):
    ...     return row.text.upper()
    >>> shout({"text": "please subscribe"})
    'PLEASE SUBSCRIBE'
    """
    if label not in EFFECTS:
        raise UsageError(f"label cannot be {label!r}", next_step=f"write one of {', '.join(EFFECTS)}")
    return decorator(FunctionTransform, function, name, columns, batch=batch, label=label)


def _takes_two(function: Function) -> bool:
    """Whether a function takes random numbers beside the row."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [one for one in parameters if one.kind in by_place and one.default is inspect.Parameter.empty]
    return len(needed) >= 2
