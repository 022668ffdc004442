"""Mix rows: a row between any two, whose target is as mixed as its cells.

    x' = λ x_a + (1 - λ) x_b;   t' = λ t_a + (1 - λ) t_b;   λ ~ Beta(α, α), the larger part is a's

Numbers, dates and vectors are blended, images by their pixels; a category is a's with chance λ, else b's.

Source: Zhang, Cisse, Dauphin, Lopez-Paz (2018), mixup: Beyond Empirical Risk Minimization, ICLR, section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Mask, Vector
from tilth.core.edit import Edit
from tilth.core.errors import ConfigError
from tilth.core.rowset import RowSet
from tilth.core.schema import ColumnType
from tilth.editing._made_cells import blended
from tilth.editing._made_rows import Draft, made_edit
from tilth.editing._making import (
    BLENDED,
    MAKER_NEEDS,
    anchored,
    parents_of,
    real_rows,
    refuse_columns,
    refuse_many,
    uniforms,
)
from tilth.numerics.image_mixing import mixup
from tilth.operators.image_cells import encoded, pixels_of
from tilth.operators.view import Scope, View

__all__ = ["MixRows"]

MIXED = (*BLENDED, ColumnType.CATEGORY, ColumnType.IMAGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MixRows:
    """Make rows between any two rows, with soft targets.

    Parameters
    ----------
    times : made rows per row
    alpha : of the Beta distribution of the mixture: small for rows that are mostly one parent's, 1 for any mixture
    """

    times: float = 0.5
    alpha: float = 0.4

    needs: ClassVar[frozenset[str]] = MAKER_NEEDS
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse what is no parameter of a Beta distribution."""
        if not self.alpha > 0:
            raise ConfigError(f"alpha must be above 0, not {self.alpha!r}")

    def strengths(self) -> Sequence[MixRows]:
        """Rows that are mostly one parent's, and any mixture."""
        return (replace(self, alpha=0.2), replace(self, alpha=1.0))

    def choose(self, view: View) -> RowSet:
        """Return the rows that rows are made from, those with most children first."""
        return parents_of(self.propose(view))

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that brings the made rows in; with `rows`, made from these alone.

        Raises
        ------
        NotApplicable
            A column is text, the labels name fewer than two classes, or too few rows pass the gate.
        """
        real = real_rows(view)
        refuse_many(real)
        refuse_columns(view, MIXED)
        mine = real if rows is None else np.intersect1d(real, rows)
        anchors, draws = anchored(view, mine, self.times, round(self.times * len(mine)))
        draft, n_broken = self._mixed(view, real, anchors, draws)
        more = [f"{n_broken:,} of images that are broken or of two sizes"] if n_broken else []
        return made_edit(view, draft, real, what="mixed", more=more)

    def _mixed(self, view: View, real: IntVector, anchors: IntVector, draws: IntVector) -> tuple[Draft, int]:
        from scipy import special

        others = [column for column in view.schema.features if column.type is ColumnType.CATEGORY]
        chance = uniforms(view, anchors, draws, 2 + len(others), "mix")
        partners = real[np.minimum((chance[:, 0] * len(real)).astype(np.intp), len(real) - 1)]
        first = special.betaincinv(self.alpha, self.alpha, np.clip(chance[:, 1], 1e-6, 1 - 1e-6))
        share = np.maximum(first, 1 - first)
        taken = dict(zip([column.name for column in others], chance[:, 2:].T, strict=True))
        cells: dict[str, pa.Array] = {}
        whole = anchors != partners
        for column in view.schema.features:
            values = view.table.column(column.name)
            if column.type in BLENDED:
                cells[column.name] = blended(values, anchors, partners, 1 - share)
            elif column.type is ColumnType.IMAGE:
                cells[column.name], is_whole = _images(values, anchors, partners, share)
                whole &= is_whole
            else:
                cells[column.name] = _either(values, np.where(taken[column.name] < share, anchors, partners))
        hot = np.eye(view.n_classes)
        targets = share[:, None] * hot[view.labels[anchors]] + (1 - share)[:, None] * hot[view.labels[partners]]
        draft = Draft(
            cells=cells,
            parents=np.column_stack([anchors, partners]),
            draws=draws,
            labels=view.labels[anchors].astype(np.intp),
            targets=targets,
        )
        return draft.take(np.flatnonzero(whole)), int((~whole & (anchors != partners)).sum())


def _either(column: pa.ChunkedArray, rows: IntVector) -> pa.Array:
    cells = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return cells.take(pa.array(rows))


def _images(column: pa.ChunkedArray, first: IntVector, second: IntVector, share: Vector) -> tuple[pa.Array, Mask]:
    """Return mixed images as PNG, null where one is broken or they are of two sizes, and which rows have one."""
    cells = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    made: list[bytes | None] = []
    for a, b, part in zip(first, second, share, strict=True):
        mine, other = pixels_of(cells[int(a)].as_py()), pixels_of(cells[int(b)].as_py())
        if mine is None or other is None or mine.shape != other.shape:
            made.append(None)
        else:
            made.append(encoded(mixup(mine[None], other[None], np.array([part]))[0]))
    return pa.array(made, cells.type), np.array([one is not None for one in made], dtype=bool)
