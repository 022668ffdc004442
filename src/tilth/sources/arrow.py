"""Arrow: the IPC file format (Feather version 2) and the IPC stream format.

Source: Apache Arrow, columnar format specification, arrow.apache.org.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pyarrow.feather as feather

from tilth.sources._content import Content, fetch
from tilth.sources._tables import Rows, typed_rows

__all__ = ["Arrow", "parse_arrow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """Read an Arrow IPC or Feather file from a path or object-store URL.

    Parameters
    ----------
    path : str
        Path or URL.

    Raises
    ------
    SourceError
        Missing or empty file, or bytes that are no Arrow.
    """

    revision: ClassVar[int] = 1
    path: str

    @classmethod
    def example(cls) -> Arrow:
        """Return an instance to look at; its file need not exist."""
        return cls(path="reviews.arrow")

    def read(self) -> pa.Table:
        """Return the rows with the types that the file declares."""
        return parse_arrow(fetch(self.path)).table


def parse_arrow(content: Content) -> Rows:
    """Return the rows of an Arrow file or stream."""
    is_file = content.buffer[:6].to_pybytes().startswith((b"ARROW1", b"FEA1"))
    return typed_rows(content, "Arrow", feather.read_table if is_file else _read_stream)


def _read_stream(reader: pa.BufferReader) -> pa.Table:
    return pa.ipc.open_stream(reader).read_all()
