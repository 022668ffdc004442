"""Dataset: one immutable version of a table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.ids import content_id, content_sums
from tilth.core.names import ROW_ID, SPLIT, SYSTEM_COLUMNS, Split
from tilth.core.partitions import Partitions, TableRows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tilth.core.arrays import IntVector, Mask
    from tilth.core.schema import Schema

__all__ = ["Dataset"]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A handle to the rows of one version.

    `content_id` names what is in it (a cache key), `version_id` how it came to be (parent and edit; no timestamps).
    Columns of the user come under their own names; tilth's own begin with `_tilth_`.
    """

    rows: Partitions
    schema: Schema
    sums: Mapping[str, tuple[int, int]]
    version_id: str

    @classmethod
    def of(cls, table: pa.Table, schema: Schema, version_id: str = "v-memory") -> Dataset:
        """Make a dataset of a table in memory that already carries tilth's own columns."""
        return cls(rows=TableRows(table), schema=schema, sums=content_sums(table, ROW_ID), version_id=version_id)

    @cached_property
    def content_id(self) -> str:
        """The digest of every cell and of the schema; the order of rows does not matter."""
        return content_id(self.sums, self.schema.to_dict())

    def content_of(self, columns: Sequence[str]) -> str:
        """Return the digest of some columns only: the cache key of evidence that read no others."""
        return content_id({name: self.sums[name] for name in sorted({*columns, ROW_ID})}, None)

    @property
    def n_rows(self) -> int:
        """Number of rows, all splits together."""
        return self.rows.n_rows

    def read(self, *columns: str) -> pa.Table:
        """Return columns as an Arrow table in storage order; all of them if none is named."""
        return self.rows.read(columns or self.column_names)

    @property
    def column_names(self) -> tuple[str, ...]:
        """The user's columns, then tilth's own."""
        return (*self.schema.names, *SYSTEM_COLUMNS)

    @cached_property
    def row_ids(self) -> pa.Array:
        """Row ids in storage order."""
        column = self.read(ROW_ID).column(0)
        return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column

    @cached_property
    def splits(self) -> np.ndarray:
        """The split of each row as text, in storage order; rows of a split share one text."""
        coded = self.read(SPLIT).column(0).dictionary_encode().combine_chunks()
        names = np.asarray(coded.dictionary.to_pylist(), dtype=object)
        return np.asarray(names[np.asarray(coded.indices)])

    def mask(self, *splits: Split) -> Mask:
        """Return which rows stand in any of the splits."""
        wanted = pa.array([str(s) for s in splits], pa.string())
        return np.asarray(pc.is_in(self.read(SPLIT).column(0).cast(pa.string()), value_set=wanted), dtype=bool)

    def positions(self, ids: pa.Array) -> IntVector:
        """Return the storage positions of row ids; −1 never: an unknown id raises KeyError."""
        found = pc.index_in(ids, value_set=self.row_ids)
        if found.null_count:
            unknown = ids.filter(found.is_null())[0].as_py()
            raise KeyError(unknown)
        return np.asarray(found, dtype=np.intp)
