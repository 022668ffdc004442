"""Restyle for a slice: rows from outside a slice shown as the slice would show them, in its light, colours and contrast.

    value' = mean of a row of the slice + its spread · (value - own mean) / own spread,   channel by channel

The label is that of the row that was restyled. A model that knows the slice by how it looks sees its classes there too.

Source: Goel, Gu, Li, Ré (2021), Model Patching: Closing the Subgroup Performance Gap with Data Augmentation, ICLR (rows of one group made
into another's; there by a generative network); Reinhard, Ashikhmin, Gooch, Shirley (2001), Color Transfer between Images, IEEE CG&A 21.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Mask
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.rowset import RowSet
from tilth.core.schema import ColumnType
from tilth.editing._made_rows import Draft, made_edit
from tilth.editing._making import MAKER_NEEDS, anchored, parents_of, real_rows, refuse_columns, uniforms
from tilth.editing._shared import aimed_slice
from tilth.numerics.image_mixing import channel_statistics, restyle
from tilth.operators.image_cells import encoded, pixels_of
from tilth.operators.view import Scope, View

__all__ = ["RestyleSlice"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestyleSlice:
    """Make images of a slice from images outside it.

    Parameters
    ----------
    slice : its name; "" for the slice that is worst off
    times : made rows per row of the slice

    Randomness
    ----------
    which rows are restyled after which: by row id and the run's seed
    """

    slice: str = ""
    times: float = 1.0

    needs: ClassVar[frozenset[str]] = MAKER_NEEDS | {"slices"}
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def strengths(self) -> Sequence[RestyleSlice]:
        """One and three rows for each row of the slice."""
        return (replace(self, times=1.0), replace(self, times=3.0))

    def choose(self, view: View) -> RowSet:
        """Return the rows that rows are made from, those with most children first."""
        return parents_of(self.propose(view))

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that brings the made rows in; with `rows`, of rows restyled after these alone.

        Raises
        ------
        NotApplicable
            Features are not images alone, the slice is too small or everything, or too few rows pass the gate.
        """
        real = real_rows(view)
        refuse_columns(view, (ColumnType.IMAGE,))
        name, membership = aimed_slice(view, self.slice)
        inside, outside = real[membership[real] >= 0.5], real[membership[real] < 0.5]
        if not len(inside) or not len(outside):
            raise NotApplicable(f"slice {name!r} has no labelled row of the source inside it, or none outside")
        styles = inside if rows is None else np.intersect1d(inside, rows)
        after, draws = anchored(view, styles, self.times, round(self.times * len(styles)))
        chance = uniforms(view, after, draws, 1, "restyle")[:, 0]
        shown = outside[np.minimum((chance * len(outside)).astype(np.intp), len(outside) - 1)]
        made = {column.name: _restyled(view.table.column(column.name), shown, after) for column in view.schema.features}
        whole = np.all([mask for _, mask in made.values()], axis=0)
        draft = Draft(
            cells={column: cells for column, (cells, _) in made.items()},
            parents=np.column_stack([shown, after]),
            draws=draws,
            labels=view.labels[shown].astype(np.intp),
        ).take(np.flatnonzero(whole))
        more = [f"{int((~whole).sum()):,} of broken images"] if not whole.all() else []
        return made_edit(view, draft, real, what=f"shown as slice {name!r} would show them", more=more)


def _restyled(column: pa.ChunkedArray | pa.Array, shown: IntVector, after: IntVector) -> tuple[pa.Array, Mask]:
    """Return images in the style of others as PNG, null where one is broken, and which rows have one."""
    cells = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    made: list[bytes | None] = []
    for one, other in zip(shown.tolist(), after.tolist(), strict=True):
        mine, style = pixels_of(cells[one].as_py()), pixels_of(cells[other].as_py())
        if mine is None or style is None:
            made.append(None)
        else:
            made.append(encoded(restyle(mine[None], *channel_statistics(style[None]))[0]))
    return pa.array(made, cells.type), np.array([one is not None for one in made], dtype=bool)
