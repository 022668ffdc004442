"""Batch: what a map or a fold sees of a block: row ids and the declared columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa

from tilth.core.errors import UndeclaredNeedError
from tilth.core.ids import Digests, cell_digests
from tilth.core.names import ROW_ID
from tilth.core.partitions import BLOCK_ROWS

__all__ = ["Batch", "batches"]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Rows of one block: ids and the columns that the operator declared, as Arrow."""

    ids: pa.Array
    columns: Mapping[str, pa.Array] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.ids)

    def column(self, name: str) -> pa.Array:
        """Return a declared column; raises UndeclaredNeedError for any other."""
        if name not in self.columns:
            raise UndeclaredNeedError(f"the batch holds {sorted(self.columns)}, not {name!r}")
        return self.columns[name]

    @property
    def cells(self) -> pa.Array:
        """The only column, for operators that read one."""
        (column,) = self.columns.values()
        return column

    @cached_property
    def memo(self) -> dict[str, Any]:
        """What was derived from this batch and is shared by all that read it, by name."""
        return {}

    @cached_property
    def digests(self) -> Digests:
        """(n, 2) digests of the row ids: the counter of per-row draws."""
        return cell_digests(self.ids)


def batches(table: pa.Table, names: Sequence[str], block_rows: int = BLOCK_ROWS) -> Iterator[Batch]:
    """Cut a table with row ids into batches of the named columns; one empty batch for no rows."""
    for start in range(0, max(table.num_rows, 1), block_rows):
        part = table.slice(start, block_rows).combine_chunks()
        columns = {name: _in_one_piece(part.column(name)) for name in names}
        yield Batch(ids=_in_one_piece(part.column(ROW_ID)), columns=columns)


def _in_one_piece(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
