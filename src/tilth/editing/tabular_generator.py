"""Tabular generator: rows of a rare class from a Gaussian copula of it, each a step away from one of its rows.

    z' = sqrt(1 - s²) z_a + s e,  e ~ N(0, R of the class);  cell = the class's quantile at Φ(z')

Margins and correlations stay those of the class for every step s. Cells that the row a lacks are missing.

Source: Patki, Wedge, Veeramachaneni (2016), The Synthetic Data Vault, DSAA (Gaussian copula for tables); Neal (1998), section 5 (the step).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.rowset import RowSet
from tilth.core.schema import ColumnType
from tilth.editing._made_cells import as_cells, codes_of, numbers_in
from tilth.editing._made_rows import Draft, joined, made_edit
from tilth.editing._making import MAKER_NEEDS, anchored, parents_of, rare_classes, real_rows, refuse_columns, uniforms
from tilth.numerics.copula import category_order, correlation, normal_scores, quantiles, stepped
from tilth.operators.view import Scope, View

__all__ = ["TabularGenerator"]

FEWEST = 10
"""Rows of a class below which its margins say too little."""
MARGINS = (ColumnType.NUMBER, ColumnType.DATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TabularGenerator:
    """Make rows of rare classes from their margins and correlations; only where one class has 3 times the rows of another.

    Parameters
    ----------
    times : made rows per row of a rare class, up to what the class lacks to the largest
    step : in (0, 1]: how far a row steps from its parent; 1 for a fresh draw, whose parent lends it its missing cells alone
    least_ratio : rows of the largest class per row of a rare one
    """

    times: float = 4.0
    step: float = 0.6
    least_ratio: float = 3.0

    needs: ClassVar[frozenset[str]] = MAKER_NEEDS
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def strengths(self) -> Sequence[TabularGenerator]:
        """Near rows and far ones."""
        return (replace(self, step=0.6), replace(self, step=1.0))

    def choose(self, view: View) -> RowSet:
        """Return the rows that rows are made from, those with most children first."""
        return parents_of(self.propose(view))

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that brings the made rows in; with `rows`, made from these alone.

        Raises
        ------
        NotApplicable
            No class is rare, a rare one has fewer than 10 rows, a column is no number, date or category, or too few rows pass the gate.
        """
        real = real_rows(view)
        refuse_columns(view, (*MARGINS, ColumnType.CATEGORY))
        drafts = []
        for c, lacking in rare_classes(view, real, self.least_ratio).items():
            of_class = real[view.labels[real] == c]
            mine = of_class if rows is None else np.intersect1d(of_class, rows)
            anchors, draws = anchored(view, mine, self.times, lacking)
            if len(of_class) >= FEWEST and len(anchors):
                drafts.append(self._drawn(view, of_class, anchors, draws))
        if not drafts:
            raise NotApplicable(f"every rare class has fewer than {FEWEST} rows: their margins say too little")
        return made_edit(view, joined(drafts), real, what=f"drawn from a copula (step {self.step:g})")

    def _drawn(self, view: View, rows: IntVector, anchors: IntVector, draws: IntVector) -> Draft:
        numbers = [column for column in view.schema.features if column.type in MARGINS]
        others = [column for column in view.schema.features if column.type not in MARGINS]
        values = [numbers_in(view.table.column(c.name).combine_chunks()) for c in numbers]
        mine = np.column_stack([v[rows] for v in values]) if values else np.zeros((len(rows), 0))
        scores = normal_scores(mine)
        chance = uniforms(view, anchors, draws, len(numbers) + 2 * len(others), "copula")
        at = np.searchsorted(np.sort(rows), anchors)
        place = np.argsort(rows, kind="stable")[at]
        margins = [_Categories(view.table.column(c.name), rows, scores) for c in others]
        own = [m.scores(place, chance[:, len(numbers) + len(others) + j]) for j, m in enumerate(margins)]
        whole = np.column_stack([scores, *(m.middles for m in margins)])
        start = np.column_stack([scores[place], *own])
        stepping = stepped(start, chance[:, : start.shape[1]], correlation(whole), self.step)
        cells: dict[str, pa.Array] = {}
        for j, column in enumerate(numbers):
            drawn = np.where(np.isnan(mine[place, j]), np.nan, quantiles(mine[:, j], stepping[:, j]))
            cells[column.name] = as_cells(drawn, view.table.schema.field(column.name).type)
        for j, (column, margin) in enumerate(zip(others, margins, strict=True)):
            cells[column.name] = margin.cells(stepping[:, len(numbers) + j], place)
        return Draft(cells=cells, parents=anchors[:, None], draws=draws, labels=view.labels[anchors].astype(np.intp))


class _Categories:
    """A category column of a class on the normal line: each category has a part as large as its share."""

    def __init__(self, column: pa.ChunkedArray, rows: IntVector, scores: Matrix) -> None:
        from scipy import special

        codes, self.words = codes_of(column)
        self.kind, self.codes = column.type, codes[rows]
        place = category_order(self.codes, scores)
        self.order = np.argsort(place, kind="stable")
        counts = np.bincount(self.codes[self.codes >= 0], minlength=len(place))[self.order].astype(np.float64)
        self.edges: Vector = np.concatenate([[0.0], np.cumsum(counts)]) / max(counts.sum(), 1.0)
        self.place = place
        middles = (self.edges[:-1] + self.edges[1:]) / 2
        self.middles = self._by_code(special.ndtri(np.clip(middles, 1e-6, 1 - 1e-6)))

    def _by_code(self, values: Vector) -> Vector:
        if not len(values):
            return np.full(len(self.codes), np.nan)
        return np.where(self.codes >= 0, values[self.place[np.maximum(self.codes, 0)]], np.nan)

    def scores(self, rows: IntVector, uniform: Vector) -> Vector:
        """Return a score within the part of each row's category, (m,)."""
        from scipy import special

        low, high = self._by_code(self.edges[:-1])[rows], self._by_code(self.edges[1:])[rows]
        return np.asarray(special.ndtri(np.clip(low + uniform * (high - low), 1e-6, 1 - 1e-6)))

    def cells(self, scores: Vector, rows: IntVector) -> pa.Array:
        """Return the categories at scores (m,), missing where the parent's is."""
        from scipy import special

        at = np.searchsorted(self.edges, special.ndtr(scores), side="right") - 1
        found = self.order[np.clip(at, 0, max(len(self.order) - 1, 0))] if len(self.order) else np.zeros(len(rows), int)
        return self.words.take(pa.array(found, mask=self.codes[rows] < 0)).cast(self.kind)
