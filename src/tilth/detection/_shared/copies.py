"""Equal rows: which rows hold the same cells, and how many of them chance alone would bring.

chance_g = max over plain columns j of  r_gj * p / (1 - p)
r_gj = rows that equal group g in all columns but j
p = share of the rows that hold g's value in column j
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import NotApplicable
from tilth.core.ids import column_digests, key_of, mix
from tilth.core.schema import ColumnType
from tilth.detection._shared.words import feature_columns, missing_cells

if TYPE_CHECKING:
    from tilth.core.arrays import Bits, IntVector, Mask, Vector
    from tilth.operators.view import View

__all__ = ["EqualRows", "chance_size", "count_of", "equal_rows", "first_of_group", "rank_of"]

PLAIN = frozenset({ColumnType.NUMBER, ColumnType.CATEGORY, ColumnType.DATE})
"""Types whose values agree by chance; texts, images and vectors are too rich for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualRows:
    """Groups of rows that are equal in every feature column.

    leader : (n,) position of the row that leads each row's group; its own for a row without copies
    sizes : (n,) rows in each row's group
    chance : (n,) share of the group that chance would bring, in [0, 1]; 0 for a row without copies
    """

    leader: IntVector
    sizes: IntVector
    chance: Vector


def equal_rows(view: View) -> EqualRows:
    """Group the rows of a view by their feature cells; a trusted row leads, else the first by row id.

    Raises NotApplicable without feature columns, and where the only one is plain: its values are equal by
    nature.
    """
    names, plain = _comparable(view)
    terms = _cell_terms(view, names)
    with np.errstate(over="ignore"):
        keys = terms.sum(axis=0, dtype=np.uint64)
    leader = first_of_group(keys.T, rank_of(view))
    sizes = np.bincount(leader, minlength=len(view))[leader]
    rows = np.flatnonzero((sizes > 1) & ~_has_rich_cell(view))
    chance = np.zeros(len(view))
    chance[rows] = np.minimum(chance_size(terms[:, 0], plain, rows) / sizes[rows], 1.0)
    return EqualRows(leader=leader, sizes=sizes, chance=chance)


def first_of_group(keys: Bits, rank: IntVector) -> IntVector:
    """Return for each row the lowest-ranked row with the same key; (n, 2), (n,) -> (n,)."""
    order = np.lexsort((rank, keys[:, 1], keys[:, 0]))
    ordered = keys[order]
    starts = np.ones(len(order), dtype=bool)
    starts[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    leader = np.empty(len(order), dtype=np.intp)
    leader[order] = order[np.flatnonzero(starts)[np.cumsum(starts) - 1]]
    return leader


def chance_size(terms: Bits, plain: Mask, rows: IntVector) -> Vector:
    """Return how many rows equal to each of the given rows chance alone would bring.

    `terms` (d, n) are digests of cells bound to their columns (a row's digest is their sum), `plain` (d,)
    marks columns whose values may agree by chance. 0 for a row that no other equals in all columns but one;
    about the size of the group where columns are independent; infinite where all rows hold one value. O(d n
    log n).
    """
    n = terms.shape[1]
    chance = np.zeros(len(rows))
    with np.errstate(over="ignore"):
        whole = terms.sum(axis=0, dtype=np.uint64)
        alike = count_of(whole, rows)
        for j in np.flatnonzero(plain):
            others = count_of(whole - terms[j], rows) - alike
            holders = count_of(terms[j], rows)
            odds = np.divide(holders, n - holders, out=np.full(len(rows), np.inf), where=holders < n)
            np.maximum(chance, others * np.where(others > 0, odds, 0.0), out=chance)
    return chance


def count_of(keys: Bits, rows: IntVector | None = None) -> Vector:
    """Return how many rows share the key of each of the given rows, or of every row."""
    ordered, wanted = np.sort(keys), keys if rows is None else keys[rows]
    found = np.searchsorted(ordered, wanted, "right") - np.searchsorted(ordered, wanted, "left")
    return np.asarray(found, dtype=np.float64)


def _comparable(view: View) -> tuple[list[str], Mask]:
    """Feature columns, and which of them are plain."""
    columns = feature_columns(view)
    if not columns:
        raise NotApplicable("there are no feature columns to compare")
    plain = np.array([column.type in PLAIN for column in columns])
    if len(columns) == 1 and plain[0]:
        raise NotApplicable(f"the only feature {columns[0].name!r} is one plain column: its values are equal by nature")
    return [column.name for column in columns], plain


def _has_rich_cell(view: View) -> Mask:
    """Rows with a text, image or vector: what is equal there is no coincidence."""
    rich = [column.name for column in feature_columns(view) if column.type not in PLAIN]
    missing = [missing_cells(view.table.column(name)) for name in rich]
    return ~np.all(missing, axis=0) if missing else np.zeros(len(view), dtype=bool)


def _cell_terms(view: View, names: list[str]) -> Bits:
    """Digests of cells bound to their columns, (d, 2, n)."""
    terms = np.empty((len(names), 2, len(view)), dtype=np.uint64)
    with np.errstate(over="ignore"):
        for j, name in enumerate(names):
            terms[j] = mix(column_digests(view.table, name) + key_of("column", name)).T
    return terms


def rank_of(view: View) -> IntVector:
    """Rank rows by trusted first, then by row id; shorter ids first, so that 9 stands before 10."""
    trusted = view.trusted if view.has("trusted") else np.zeros(len(view), dtype=bool)
    ids = np.asarray(view.ids.to_pylist(), dtype=str)
    order = np.lexsort((ids, np.char.str_len(ids), ~trusted))
    rank = np.empty(len(view), dtype=np.intp)
    rank[order] = np.arange(len(view))
    return rank
