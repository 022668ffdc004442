"""Compare two tables by row id: rows that came, rows that went, cells that changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.ids import column_digests
from tilth.core.names import ROW_ID

__all__ = ["TableDifference", "table_difference"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDifference:
    """What changed from one table to another.

    `changed` maps a column to a table of `_tilth_id` and that column, with the new cells; `gone` are ids, `new` whole rows.
    """

    changed: Mapping[str, pa.Table]
    gone: pa.Array
    new: pa.Table

    @property
    def n_cells(self) -> int:
        """Number of changed cells."""
        return sum(table.num_rows for table in self.changed.values())

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""
        return not (self.changed or len(self.gone) or self.new.num_rows)


def table_difference(old: pa.Table, new: pa.Table) -> TableDifference:
    """Return what takes `old` to `new`; both have `_tilth_id` and the same columns, in any order of rows."""
    old_ids, new_ids = (table.column(ROW_ID).combine_chunks() for table in (old, new))
    at = pc.index_in(new_ids, value_set=old_ids)
    stayed = np.asarray(pc.is_valid(at))
    there = new.filter(pa.array(stayed))
    before = old.take(pc.drop_null(at))
    changed = {}
    for name in new.column_names:
        if name != ROW_ID:
            differs = (column_digests(before, name) != column_digests(there, name)).any(axis=1)
            if differs.any():
                changed[name] = there.select([ROW_ID, name]).filter(pa.array(differs)).combine_chunks()
    gone = old_ids.filter(pc.invert(pc.is_in(old_ids, value_set=new_ids)))
    return TableDifference(changed=changed, gone=gone, new=new.filter(pa.array(~stayed)))
