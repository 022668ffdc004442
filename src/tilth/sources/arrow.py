"""Arrow: the IPC file format (Feather version 2) and the IPC stream format.

Source: Apache Arrow, columnar format specification, arrow.apache.org.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pyarrow.feather as feather

from tilth.core.errors import SourceError
from tilth.sources._content import Content, fetch
from tilth.sources._tables import Rows, plain_table

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
    try:
        if (
            content.buffer[:6].to_pybytes() in {b"ARROW1", b"FEA1\x00\x00"}
            or content.buffer[:4].to_pybytes() == b"FEA1"
        ):
            table = feather.read_table(pa.BufferReader(content.buffer))
        else:
            table = pa.ipc.open_stream(pa.BufferReader(content.buffer)).read_all()
    except (pa.ArrowInvalid, OSError) as problem:
        raise SourceError(
            f"cannot be read as Arrow: {problem}", where=content.name, next_step="check how it was written"
        ) from problem
    if table.num_rows == 0:
        raise SourceError("holds no rows", where=content.name, next_step="check how it was written")
    return plain_table(table, content.name)
