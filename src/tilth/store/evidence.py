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
    from collections.abc import Mapping

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
    size = pa.MockOutputStream()
    _stream(table, size)
    body = pa.allocate_buffer(size.size())  # at once: a stream that grows holds its content twice
    _stream(table, pa.FixedSizeBufferWriter(body))
    trailer = _TRAILER.pack(_MARK, zlib.crc32(body), body.size)
    reach("evidence.before_put")
    store.put(path, [memoryview(body).cast("B"), trailer])
    reach("evidence.after_put")


def _stream(table: pa.Table, sink: pa.NativeFile) -> None:
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)


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
            "data": pa.array([_padded(array) for array in plain], pa.large_binary()),
        }
    )


def _arrays(table: pa.Table) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    names, kinds, shapes = (table.column(name).to_pylist() for name in ("name", "dtype", "shape"))
    for name, kind, shape, cell in zip(names, kinds, shapes, table.column("data"), strict=True):
        raw = np.frombuffer(cell.as_buffer(), dtype=np.dtype(kind), count=math.prod(shape))
        found[name] = read_only(raw.reshape(shape))  # a write into a mapped file would end the process
    return found


def _padded(array: np.ndarray) -> bytes:
    """Return an array's bytes, filled up so that the next array begins where compiled code can read it."""
    return array.tobytes() + bytes(-array.nbytes % _ALIGNMENT)
