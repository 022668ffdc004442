"""Protocols of the rows behind a dataset and of the place where results are put."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import pyarrow as pa

__all__ = ["BLOCK_ROWS", "Partitions", "Sink", "TableRows"]

BLOCK_ROWS = 65_536
"""Rows of a block: the unit of work, the same for every engine."""


class Partitions(Protocol):
    """Rows in storage order, readable as a whole or block by block."""

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        ...

    def read(self, columns: Sequence[str]) -> pa.Table:
        """Return the named columns of all rows, in storage order."""
        ...

    def blocks(self, columns: Sequence[str], block_rows: int = BLOCK_ROWS) -> Iterator[pa.Table]:
        """Yield the named columns block by block, in storage order."""
        ...


class Sink(Protocol):
    """Where the loop puts evidence; operators never see it."""

    def get(self, key: str) -> pa.Table | None:
        """Return what was put under the key, or None."""
        ...

    def put(self, key: str, table: pa.Table) -> None:
        """Keep a table under a key."""
        ...


class TableRows:
    """Rows that are an Arrow table in memory."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self._table.num_rows)

    def read(self, columns: Sequence[str]) -> pa.Table:
        """Return the named columns of all rows."""
        return self._table.select(list(columns))

    def blocks(self, columns: Sequence[str], block_rows: int = BLOCK_ROWS) -> Iterator[pa.Table]:
        """Yield the named columns block by block."""
        chosen = self._table.select(list(columns))
        for start in range(0, max(self.n_rows, 1), block_rows):
            yield chosen.slice(start, block_rows)
