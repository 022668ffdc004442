"""`tilth.slice` and `tilth.check`: a plain function that says of each row yes or no.

    @tilth.slice(columns=["text"])
    def shouting(row):
        return row.text.isupper()

    @tilth.check(columns=["age"])
    def age_is_human(row):
        return row.age is None or 0 <= row.age <= 120

A slice is the rows for which its function is true; a check holds where its function is true. Where a function raises, the row is
not in the slice (does not pass the check), and the report says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, overload

import numpy as np
import pyarrow as pa

from tilth.core.arrays import Mask
from tilth.core.errors import ContractError, first_three
from tilth.core.said import Failure
from tilth.operators._label_rows import Columns, rows_of
from tilth.operators.batch import Batch
from tilth.operators.row_function import Function, RowFunction, decorator
from tilth.operators.voting import Failures, in_parts, said_where

__all__ = ["FunctionCheck", "FunctionRule", "FunctionSlice", "Ruled", "check", "slice"]

LONGEST = 60


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ruled:
    """What a rule said of n rows: where it is true (n,), and the rows on which it failed, where it is not."""

    holds: Mask
    failures: tuple[Failure, ...] = ()


class FunctionRule(RowFunction):
    """A function that says yes or no."""

    kind: ClassVar[str] = "rule"

    def ruled(self, batch: Batch) -> Ruled:
        """Return for which rows of a batch it is true; where it raises, it is not.

        Raises
        ------
        ContractError
            It returned what is neither true, false nor None, or not one answer per row.
        """
        if self.is_batch:
            said = in_parts(lambda part: said_where(self._of_columns(part), "yes").names, batch)
            return Ruled(holds=np.asarray(said.names.is_valid()), failures=said.failures)
        failures, answers = Failures(), np.zeros(len(batch), dtype=bool)
        for place, row in enumerate(rows_of(batch)):
            try:
                answer = self.function(row)
            except Exception as error:  # noqa: BLE001 - a function's failure on a row is told with the row
                failures.add(str(batch.ids[place].as_py()), error)
                continue
            answers[place] = self._truth(answer, str(batch.ids[place].as_py()))
        return Ruled(holds=answers, failures=tuple(failures.found))

    def _of_columns(self, batch: Batch) -> Mask:
        answers = self.function(Columns(batch.columns, len(batch)))
        if isinstance(answers, pa.ChunkedArray):
            answers = answers.combine_chunks()
        values = (
            answers.to_pylist() if isinstance(answers, pa.Array) else list(np.asarray(answers, dtype=object).ravel())
        )
        if len(values) != len(batch):
            rows = first_three(batch.ids.slice(0, 3).to_pylist())
            raise ContractError(
                f"{self.kind} {self.name!r} answered {len(values):,} times for {len(batch):,} rows",
                where=f"a block that begins with rows {rows}",
                next_step="return one truth value per row, in the order of the rows",
            )
        rows = batch.ids.to_pylist()
        return np.array([self._truth(value, row) for value, row in zip(values, rows, strict=True)], dtype=bool)

    def _truth(self, answer: Any, row: str) -> bool:
        """Return an answer as a truth value; None is no. A number or a text is refused: it is most often a slip."""
        if answer is None:
            return False
        if isinstance(answer, bool | np.bool_):
            return bool(answer)
        raise ContractError(
            f"{self.kind} {self.name!r} answered {repr(answer)[:LONGEST]}, which is neither true nor false",
            where=f"row {row!r}",
            next_step="return True, False or None",
        )


class FunctionSlice(FunctionRule):
    """A function that says which rows are in a slice; `tilth.slice` makes it."""

    kind: ClassVar[str] = "slice"


class FunctionCheck(FunctionRule):
    """A function that says which rows pass a check; `tilth.check` makes it."""

    kind: ClassVar[str] = "check"


@overload
def slice(function: Function, /) -> FunctionSlice: ...  # noqa: A001


@overload
def slice(  # noqa: A001
    *, name: str | None = None, columns: Sequence[str] = (), batch: bool = False
) -> Callable[[Function], FunctionSlice]: ...


def slice(  # noqa: A001 - tilth.slice reads as it should
    function: Function | None = None,
    /,
    *,
    name: str | None = None,
    columns: Sequence[str] = (),
    batch: bool = False,
) -> FunctionSlice | Callable[[Function], FunctionSlice]:
    """Make a slice of a function that returns whether a row belongs to it.

    Parameters
    ----------
    name : the slice's name; the function's where none is given
    columns : the columns that it reads; without them every column of the table
    batch : call it once per block of rows, with Arrow columns, instead of once per row

    Raises
    ------
    UsageError
        What is decorated is no function, or has no name.

    Examples
    --------
    >>> import tilth
    >>> @tilth.slice(columns=["text"])
    ... def shouting(row):
    ...     return row.text.isupper()
    >>> shouting({"text": "FREE"})
    True
    """
    return decorator(FunctionSlice, function, name, columns, batch=batch)


@overload
def check(function: Function, /) -> FunctionCheck: ...


@overload
def check(
    *, name: str | None = None, columns: Sequence[str] = (), batch: bool = False
) -> Callable[[Function], FunctionCheck]: ...


def check(
    function: Function | None = None,
    /,
    *,
    name: str | None = None,
    columns: Sequence[str] = (),
    batch: bool = False,
) -> FunctionCheck | Callable[[Function], FunctionCheck]:
    """Make a check of a function that returns whether a row is as it should be.

    Parameters
    ----------
    name : the check's name; the function's where none is given
    columns : the columns that it reads; without them every column of the table
    batch : call it once per block of rows, with Arrow columns, instead of once per row

    Raises
    ------
    UsageError
        What is decorated is no function, or has no name.

    Examples
    --------
    >>> import tilth
    >>> @tilth.check(columns=["age"])
    ... def human(row):
    ...     return 0 <= row.age <= 120
    >>> human({"age": 130})
    False
    """
    return decorator(FunctionCheck, function, name, columns, batch=batch)
