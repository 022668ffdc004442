"""Digests: what makes two cells, rows, versions or edits the same thing.

A cell digest is 128 bits in two lanes. Text, bytes and vectors are hashed with BLAKE2b; numbers, whose bits fit a word,
are mixed by SplitMix64 (Steele, Lea, Flood 2014), which is vectorised. Sums of digests do not depend on the order of
rows, so that an edit re-hashes only the cells that it changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from tilth.core.arrays import Bits

__all__ = [
    "Digests",
    "cell_digests",
    "column_digests",
    "content_id",
    "content_sums",
    "digest_of",
    "hex_ids",
    "key_of",
    "mix",
    "row_digests",
    "short_id",
    "text_digests",
]

Digests = np.ndarray
"""(n, 2) uint64: two lanes of one digest."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MUL1 = np.uint64(0xBF58476D1CE4E5B9)
_MUL2 = np.uint64(0x94D049BB133111EB)
_LANES = np.array([0x243F6A8885A308D3, 0x13198A2E03707344], dtype=np.uint64)
_NULL = np.array([0xA4093822299F31D0, 0x082EFA98EC4E6C89], dtype=np.uint64)


def mix(bits: Bits) -> Bits:
    """Scramble 64-bit words (SplitMix64's finaliser); any shape, uint64 -> uint64."""
    with np.errstate(over="ignore"):
        z = bits + _GOLDEN
        z = (z ^ (z >> np.uint64(30))) * _MUL1
        z = (z ^ (z >> np.uint64(27))) * _MUL2
        return np.asarray(z ^ (z >> np.uint64(31)))


def key_of(*parts: object) -> Bits:
    """Return a (2,) uint64 key for a tuple of plain values."""
    raw = blake2b(json.dumps(parts, sort_keys=True, default=str).encode(), digest_size=16).digest()
    return np.frombuffer(raw, dtype=np.uint64)


def digest_of(value: object, *, size: int = 16) -> str:
    """Return the hexadecimal BLAKE2b digest of a JSON-like value; NaN is refused."""
    text = json.dumps(value, sort_keys=True, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    return blake2b(text.encode(), digest_size=size).hexdigest()


def short_id(prefix: str, value: object) -> str:
    """Return a readable id such as `e-1f9a03b2c4d5`: a prefix and 48 bits."""
    return f"{prefix}-{digest_of(value, size=6)}"


def hex_ids(digests: Digests) -> list[str]:
    """Return one 32-sign hexadecimal text per row of digests."""
    return [row.tobytes().hex() for row in np.ascontiguousarray(digests)]


def text_digests(values: Iterable[bytes]) -> Digests:
    """Return the (n, 2) BLAKE2b digests of byte strings."""
    raw = b"".join(blake2b(value, digest_size=16).digest() for value in values)
    return np.frombuffer(raw, dtype=np.uint64).reshape(-1, 2)


def cell_digests(column: pa.Array | pa.ChunkedArray) -> Digests:
    """Return (n, 2) digests of the cells of one column, whatever its Arrow type.

    Equal values of one logical type have equal digests: a column read as dictionary or as plain text agrees, as do
    float32 and float64 of the same number, and every unit of time.
    """
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    digests = _typed_digests(array)
    if array.null_count:
        missing = np.asarray(array.is_null())
        digests = np.where(missing[:, None], _NULL, digests)
    return digests


def _typed_digests(array: pa.Array) -> Digests:
    kind = array.type
    if pa.types.is_null(kind):
        return np.tile(_NULL, (len(array), 1))
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        return _word_digests(array.cast(pa.int64(), safe=False), "int")
    if pa.types.is_floating(kind):
        return _word_digests(array.cast(pa.float64()), "float")
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _word_digests(array.cast(pa.timestamp("us"), safe=False).cast(pa.int64()), "time")
    if _is_textual(kind):
        return _unique_digests(array)
    return _unique_digests(pa.array([_plain(value) for value in array.to_pylist()], pa.large_string()))


def _is_textual(kind: pa.DataType) -> bool:
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return any(test(kind) for test in tests)


def _plain(value: object) -> str | None:
    return None if value is None else json.dumps(value, sort_keys=True, default=str)


def _word_digests(array: pa.Array, family: str) -> Digests:
    values = np.asarray(array.fill_null(0))
    if values.dtype == np.float64:
        values = np.where(np.isnan(values), np.nan, values + 0.0)  # one NaN, and no negative zero
    words = np.ascontiguousarray(values).view(np.uint64)
    with np.errstate(over="ignore"):
        return mix(words[:, None] ^ (_LANES + key_of(family)))


def _unique_digests(array: pa.Array) -> Digests:
    encoded = pc.dictionary_encode(array)
    dictionary = encoded.dictionary
    values = dictionary.to_pylist()
    unique = text_digests(value if isinstance(value, bytes) else value.encode() for value in values)
    if not len(unique):
        return np.tile(_NULL, (len(array), 1))
    return np.asarray(unique[np.asarray(encoded.indices.fill_null(0))])


VECTOR_CELLS = 1 << 20
"""Numbers of vectors that are digested at once: 8 MB."""


def row_digests(table: pa.Table, columns: Sequence[str]) -> Digests:
    """Return (n, 2) digests of rows over the named columns; the order of columns does not matter."""
    total = np.zeros((table.num_rows, 2), dtype=np.uint64)
    with np.errstate(over="ignore"):
        for name in columns:
            total += mix(column_digests(table, name) + key_of("column", name))
    return mix(total)


def column_digests(table: pa.Table, name: str) -> Digests:
    """Return the cell digests of one named column; vectors are hashed by their bytes."""
    column = table.column(name)
    if pa.types.is_fixed_size_list(column.type):
        return _vector_digests(column)
    return cell_digests(column)


def _vector_digests(column: pa.ChunkedArray) -> Digests:
    """Digest vectors a block of rows at a time: in float64 they take twice their place, several times over."""
    digests = np.zeros((len(column), 2), dtype=np.uint64)
    rows = max(1, VECTOR_CELLS // max(column.type.list_size, 1))
    for start in range(0, len(column), rows):
        digests[start : start + rows] = _block_digests(column.slice(start, rows).combine_chunks())
    return digests


def _block_digests(array: pa.FixedSizeListArray) -> Digests:
    width = array.type.list_size
    missing = np.asarray(array.is_null())
    values = np.zeros((len(array), width), dtype=np.float64)
    flat = np.asarray(pc.fill_null(array.flatten(), float("nan")), dtype=np.float64)
    values[~missing] = flat.reshape(-1, width)
    values = np.where(np.isnan(values), np.nan, values + 0.0)  # one NaN, and no negative zero
    digests = text_digests(row.tobytes() for row in values)
    return np.where(missing[:, None], _NULL, digests)


def content_sums(table: pa.Table, id_column: str) -> dict[str, tuple[int, int]]:
    """Return for each column the order-free sum of its cells' digests, each bound to its row's id.

    Sums add and subtract (modulo 2^64), so that the sums of an edited table follow from the changed cells.
    """
    ids = cell_digests(table.column(id_column))
    sums = {}
    with np.errstate(over="ignore"):
        for name in table.column_names:
            bound = mix(column_digests(table, name) ^ mix(ids + key_of("column", name)))
            lanes = bound.sum(axis=0, dtype=np.uint64)
            sums[name] = (int(lanes[0]), int(lanes[1]))
    return sums


def content_id(sums: Mapping[str, tuple[int, int]], schema: object) -> str:
    """Return the id of a content: the digest of its column sums and of its schema."""
    return "c-" + digest_of({"sums": {name: list(pair) for name, pair in sums.items()}, "schema": schema}, size=12)
