"""Column quality: columns that are empty, hold one value, or number the rows.

    empty      no cell holds a value
    constant   every cell holds one and the same value
    id-like    every present value is another one, and the values are running numbers or codes without words

Source: Abedjan, Golab, Naumann (2015), Profiling relational data: a survey, VLDB Journal 24, section 3
(single-column profiles).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.schema import ColumnType
from tilth.detection._shared import feature_columns, missing_cells, named, refuse_few_rows, value_codes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tilth.core.arrays import Mask
    from tilth.core.finding import Finding
    from tilth.operators.view import Scope, View

__all__ = ["ColumnQuality", "is_constant", "is_id_like"]

PLAIN = (ColumnType.NUMBER, ColumnType.CATEGORY, ColumnType.TEXT, ColumnType.DATE)
GAPS = 1.5
"""Numbers run when they span at most this many times as many integers as there are rows."""


def is_constant(column: pa.ChunkedArray, missing: Mask) -> bool:
    """Return whether every cell holds one and the same value.

    A column that holds one value and gaps is not constant: the gaps may say something. O(n).

    Parameters
    ----------
    column : ChunkedArray, (n,)
        Numbers, text, dates or dictionaries.
    missing : Mask, (n,)
        Cells without a value.

    Returns
    -------
    bool
        False for a column without rows.

    Randomness
    ----------
    None.

    Source
    ------
    Abedjan, Golab, Naumann (2015), VLDB Journal 24.

    Examples
    --------
    >>> is_constant(pa.chunked_array([[3, 3]]), np.zeros(2, dtype=bool))
    True
    """
    return len(column) > 0 and not missing.any() and int(np.ptp(value_codes(column)[0])) == 0


def is_id_like(column: pa.ChunkedArray, missing: Mask) -> bool:
    """Return whether a column numbers or names the rows rather than describing them.

    All present values differ, and they are whole numbers that run (they rise or fall with the row order, or
    fill their range) or codes: text with a digit and without blanks. Measured numbers and written text also
    differ from row to row; they are not id-like. O(n log n).

    Parameters
    ----------
    column : ChunkedArray, (n,)
        Numbers or text, in storage order.
    missing : Mask, (n,)
        Cells without a value.

    Returns
    -------
    bool
        False for fewer than two present values.

    Randomness
    ----------
    None.

    Source
    ------
    Abedjan, Golab, Naumann (2015), VLDB Journal 24, section 3.1 (uniqueness).

    Examples
    --------
    >>> is_id_like(pa.chunked_array([[11, 12, 13]]), np.zeros(3, dtype=bool))
    True
    """
    present = column.filter(pa.array(~missing))
    if pa.types.is_dictionary(present.type):
        present = present.cast(present.type.value_type)
    if len(present) < 2 or pc.count_distinct(present).as_py() < len(present):
        return False
    if pa.types.is_integer(present.type) or pa.types.is_floating(present.type):
        return _runs(np.asarray(present, dtype=np.float64))
    if pa.types.is_string(present.type) or pa.types.is_large_string(present.type):
        return _are_codes(present)
    return False


def _runs(values: np.ndarray) -> bool:
    """Whether different numbers are whole, and rise or fall throughout or fill their range."""
    if not np.isfinite(values).all() or (values != np.round(values)).any():
        return False
    steps = np.diff(values)
    dense = np.ptp(values) + 1 <= GAPS * len(values)
    return bool(dense or (steps > 0).all() or (steps < 0).all())


def _are_codes(values: pa.ChunkedArray) -> bool:
    """Whether all texts are one word with a digit in it."""
    blanks = pc.match_substring_regex(values, r"\s")
    digits = pc.match_substring_regex(values, "[0-9]")
    return not pc.any(blanks).as_py() and bool(pc.all(digits).as_py())


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnQuality:
    """Report feature columns that cannot help a model: empty, constant, or row numbers.

    Parameters
    ----------
    least_rows : int
        Fewer train rows say nothing about a column; default 20.

    Raises
    ------
    NotApplicable
        There are too few rows, or no feature columns.

    Randomness
    ----------
    None.

    Source
    ------
    Abedjan, Golab, Naumann (2015), VLDB Journal 24, section 3.
    """

    least_rows: int = 20

    needs: ClassVar[frozenset[str]] = frozenset({"table"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def find(self, view: View) -> Sequence[Finding]:
        """Return at most one finding of each kind, each about all columns of that kind."""
        refuse_few_rows(len(view), self.least_rows)
        found: dict[str, list[str]] = {"empty_column": [], "constant_column": [], "id_like_column": []}
        for column in feature_columns(view):
            cells = view.table.column(column.name)
            missing = missing_cells(cells)
            if missing.all():
                found["empty_column"].append(column.name)
            elif column.type in PLAIN and is_constant(cells, missing):
                found["constant_column"].append(column.name)
            elif column.type in PLAIN and is_id_like(cells, missing):
                found["id_like_column"].append(column.name)
        return [WORDS[kind](view, tuple(names)) for kind, names in found.items() if names]


def _empty(view: View, names: tuple[str, ...]) -> Finding:
    return view.column_finding(
        "empty_column",
        names,
        level=1.0,
        summary=f"{_columns(names)} no value in any of {len(view):,} train rows.",
        threshold="every cell is missing",
        suggestion="leave the column out (role: ignore), or look for what should have filled it",
    )


def _constant(view: View, names: tuple[str, ...]) -> Finding:
    return view.column_finding(
        "constant_column",
        names,
        level=0.5,
        summary=f"{_columns(names)} one and the same value in all {len(view):,} train rows.",
        threshold="every cell is present and equal",
        suggestion="leave the column out (role: ignore): a model can learn nothing from it",
    )


def _id_like(view: View, names: tuple[str, ...]) -> Finding:
    return view.column_finding(
        "id_like_column",
        names,
        level=0.7,
        summary=f"{_columns(names)} another value in each of {len(view):,} train rows, like a number or "
        f"name of the row.",
        threshold="all present values differ, and they are running whole numbers or words with digits",
        suggestion="give the column the role id (or ignore): a model that reads it learns rows by heart",
    )


def _columns(names: tuple[str, ...]) -> str:
    return f"Column {named(names)} holds" if len(names) == 1 else f"{len(names)} columns ({named(names)}) hold"


WORDS: dict[str, Callable[[View, tuple[str, ...]], Finding]] = {
    "empty_column": _empty,
    "constant_column": _constant,
    "id_like_column": _id_like,
}
