"""Parquet: columnar files with their own types.

Source: Apache Parquet, file format specification, parquet.apache.org.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from tilth.sources._content import Content, fetch
from tilth.sources._tables import Rows, typed_rows

__all__ = ["Parquet", "parse_parquet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parquet:
    """Read a Parquet file from a path or object-store URL.

    Parameters
    ----------
    path : str
        Path or URL.

    Raises
    ------
    SourceError
        Missing or empty file, or bytes that are no Parquet.
    """

    revision: ClassVar[int] = 1
    path: str

    @classmethod
    def example(cls) -> Parquet:
        """Return an instance to look at; its file need not exist."""
        return cls(path="reviews.parquet")

    def read(self) -> pa.Table:
        """Return the rows with the types that the file declares."""
        return parse_parquet(fetch(self.path)).table


def parse_parquet(content: Content) -> Rows:
    """Return the rows of a Parquet file."""
    # ParquetFile, not read_table: a folder called a=b in the path must not become a column
    return typed_rows(content, "Parquet", lambda reader: pq.ParquetFile(reader).read())
