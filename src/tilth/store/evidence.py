"""What was computed once: tables by the digest of their inputs. Losing one costs time, never a result.

A file is an Arrow IPC stream, which any Arrow tool opens, followed by 16 bytes: a mark, a checksum, the
length. A file that does not agree with them counts as never computed.
"""

from __future__ import annotations

import logging
import math
import re
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tilth.core.arrays import read_only
from tilth.core.errors import ContractError
from tilth.store.write_points import reach

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tilth.store.objects import ObjectStore

__all__ = ["Entry", "EvidenceCache", "load_table", "save_table"]

_LOG = logging.getLogger(__name__)
_KEY = re.compile(r"[0-9a-f]{8,128}")
_TRAILER = struct.Struct("<4sIQ")
_MARK = b"TLTH"
_SUFFIX = ".arrows"
_ALIGNMENT = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One kept table: its key and its size in bytes."""

    key: str
    size: int


class EvidenceCache:
    """Tables and arrays by a hexadecimal key (a `Sink`)."""

    def __init__(self, store: ObjectStore, prefix: str = "evidence/sets") -> None:
        self._store, self._prefix = store, prefix

    def get(self, key: str) -> pa.Table | None:
        """Return the table that was put under a key, or None; files are mapped, not read."""
        return load_table(self._store, self._path(key))

    def put(self, key: str, table: pa.Table) -> None:
        """Keep a table under a key, replacing what was there."""
        save_table(self._store, self._path(key), table)

    def get_arrays(self, key: str) -> dict[str, np.ndarray] | None:
        """Return the read-only arrays that were put under a key, or None."""
        table = self.get(key)
        return None if table is None else _arrays(table)

    def put_arrays(self, key: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep arrays of any shape and plain type under a key."""
        self.put(key, _tensors(arrays))

    def entries(self) -> list[Entry]:
        """Return what is kept, by key, with sizes."""
        found = self._store.entries(self._prefix)
        names = [(one.path.rpartition("/")[2], one.size) for one in found]
        return [Entry(name.removesuffix(_SUFFIX), size) for name, size in names if name.endswith(_SUFFIX)]

    def delete(self, key: str) -> None:
        """Forget a key; an unknown one is no error."""
        self._store.delete(self._path(key))

    def _path(self, key: str) -> str:
        if not _KEY.fullmatch(key):
            raise ContractError(f"an evidence key is 8 to 128 hexadecimal digits, not {key!r}")
        return f"{self._prefix}/{key}{_SUFFIX}"


def save_table(store: ObjectStore, path: str, table: pa.Table) -> None:
    """Write a table under a name, whole or not at all."""
    body = _Pieces()
    with pa.ipc.new_stream(pa.PythonFile(body, mode="w"), table.schema) as writer:
        writer.write_table(table)
    checksum = 0
    for piece in body.pieces:
        checksum = zlib.crc32(piece, checksum)
    trailer = _TRAILER.pack(_MARK, checksum, sum(map(len, body.pieces)))
    reach("evidence.before_put")
    store.put(path, [*body.pieces, trailer])
    reach("evidence.after_put")


class _Pieces:
    """A file that remembers what is written to it: large columns as they stand in memory, without a copy."""

    closed = False

    def __init__(self) -> None:
        self.pieces: list[memoryview] = []

    def write(self, piece: bytes | pa.Buffer) -> int:
        """Take a piece in."""
        view = memoryview(piece).cast("B")
        if len(view):
            self.pieces.append(view)
        return len(view)

    def flush(self) -> None:
        """Do nothing: nothing is held back."""

    def close(self) -> None:
        """Do nothing: there is nothing to let go."""


def load_table(store: ObjectStore, path: str) -> pa.Table | None:
    """Return the table under a name, or None where there is none or it is damaged (which is logged)."""
    try:
        raw = store.buffer(path)
    except FileNotFoundError:
        return None
    size = raw.size - _TRAILER.size
    if size >= 0:
        mark, checksum, length = _TRAILER.unpack(raw.slice(size))
        body = raw.slice(0, size)
        if mark == _MARK and length == size and checksum == zlib.crc32(body):
            return pa.ipc.open_stream(body).read_all()
    _LOG.warning("evidence %s is damaged; it is computed again", store.uri(path))
    return None


def _tensors(arrays: Mapping[str, np.ndarray]) -> pa.Table:
    """Return one row per array: its name, its type, its shape, its bytes."""
    plain = [np.asarray(array, order="C") for array in arrays.values()]
    if any(array.dtype.hasobject for array in plain):
        raise ContractError("arrays of Python objects are not kept: give numbers, booleans or fixed-width text")
    return pa.table(
        {
            "name": pa.array(list(arrays), pa.string()),
            "dtype": pa.array([array.dtype.str for array in plain], pa.string()),
            "shape": pa.array([array.shape for array in plain], pa.list_(pa.int64())),
            "data": _side_by_side(plain),
        }
    )


def _arrays(table: pa.Table) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    names, kinds, shapes = (table.column(name).to_pylist() for name in ("name", "dtype", "shape"))
    for name, kind, shape, cell in zip(names, kinds, shapes, table.column("data"), strict=True):
        raw = np.frombuffer(cell.as_buffer(), dtype=np.dtype(kind), count=math.prod(shape))
        found[name] = read_only(raw.reshape(shape))  # a write into a mapped file would end the process
    return found


def _side_by_side(arrays: Sequence[np.ndarray]) -> pa.Array:
    """Return each array's bytes, filled up so that the next array begins where compiled code can read it; one copy of all."""
    ends = np.cumsum([0, *(array.nbytes + -array.nbytes % _ALIGNMENT for array in arrays)], dtype=np.int64)
    cells = np.zeros(ends[-1], dtype=np.uint8)
    for start, array in zip(ends, arrays, strict=False):
        cells[start : start + array.nbytes] = array.reshape(-1).view(np.uint8)
    return pa.Array.from_buffers(pa.large_binary(), len(arrays), [None, pa.py_buffer(ends), pa.py_buffer(cells)])
