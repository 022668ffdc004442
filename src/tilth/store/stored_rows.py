"""The rows of one version, read from the table column by column when they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from tilth.core.partitions import BLOCK_ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tilth.store.tables import RowTable

__all__ = ["KEPT_BYTES", "StoredRows"]

KEPT_BYTES = 256 * 2**20
"""Columns read last stay in memory up to so many bytes: all of a small table, the narrow ones of a large one."""


class StoredRows:
    """Rows of one version (a `Partitions`)."""

    def __init__(self, table: RowTable, table_version: int, n_rows: int) -> None:
        self._table, self._version, self._n_rows = table, table_version, n_rows
        self._kept: dict[str, pa.ChunkedArray] = {}  # the column that was read longest ago comes first

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self._n_rows

    def read(self, columns: Sequence[str]) -> pa.Table:
        """Return the named columns of all rows, in storage order."""
        wanted = dict.fromkeys(columns)
        new = [name for name in wanted if name not in self._kept]
        fresh = self._table.read(self._version, new) if new else pa.table({})
        found = {name: fresh.column(name) if name in new else self._kept[name] for name in wanted}
        self._keep(found)
        return pa.table(found)

    def blocks(self, columns: Sequence[str], block_rows: int = BLOCK_ROWS) -> Iterator[pa.Table]:
        """Yield the named columns block by block; what is not in memory is streamed, never held as a whole."""
        if not all(name in self._kept for name in columns):
            yield from self._table.at(self._version).blocks(list(columns), block_rows)
            return
        table = self.read(columns)
        for start in range(0, max(self.n_rows, 1), block_rows):
            yield table.slice(start, block_rows)

    def _keep(self, found: dict[str, pa.ChunkedArray]) -> None:
        for name, column in found.items():
            self._kept.pop(name, None)
            if column.nbytes <= KEPT_BYTES:
                self._kept[name] = column
        total = sum(column.nbytes for column in self._kept.values())
        while total > KEPT_BYTES:
            total -= self._kept.pop(next(iter(self._kept))).nbytes
