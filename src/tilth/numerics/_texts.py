"""A column of text read a bounded number of characters at a time: identical texts, and exact Jaccard
similarity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tilth.core.errors import InputError
from tilth.numerics._bands import N_MINIMA, Minima, band_keys
from tilth.numerics._pairs import chunks, digests, distinct, offsets_within
from tilth.numerics._shingles import ShingleUnit, normalised, shingles

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tilth.core.arrays import Bits, IntVector, Mask, Vector
    from tilth.numerics._pairs import Pairs

__all__ = ["Sketch", "Texts", "marks_of"]

CHARACTERS = 1 << 19
"""Characters shingled at once: about 25 MB of work space."""
PAIRED_CHARACTERS = 1 << 20
"""Characters of the pairs that are compared at once: about 50 MB of sets."""
LEAST = 64
"""Characters that a text counts for at least, so that fewer than 2^16 pairs of texts are compared at once."""
SET_BITS = np.uint64(48)
"""Bits of a shingle's hash in a set; the rest of the 64 number the texts, or the pairs."""


class Texts:
    """A column of text, normalised whenever it is read."""

    def __init__(self, texts: Sequence[str | None] | pa.Array | pa.ChunkedArray) -> None:
        self.column = _text_column(texts)

    def __len__(self) -> int:
        return len(self.column)

    def batches(self, positions: IntVector) -> Iterator[tuple[IntVector, list[str]]]:
        """Yield the texts at the positions, normalised, in batches of bounded length."""
        for part in chunks(len(positions), 4096):
            some = positions[part]
            texts = [normalised(text) for text in self.column.take(_arrow_positions(some)).to_pylist()]
            weights = np.fromiter(map(len, texts), dtype=np.intp, count=len(texts))
            for batch in batches_of(weights, CHARACTERS):
                yield some[batch], texts[batch]

    def jaccard(self, pairs: Pairs, unit: ShingleUnit, size: int) -> Vector:
        """Similarity of the shingle sets of each pair; (m, 2) -> (m,). Two blank texts have none: 0."""
        weights = np.maximum(_byte_lengths(self.column), LEAST)
        similarity = np.empty(len(pairs))
        for part in batches_of(weights[pairs].sum(axis=1), PAIRED_CHARACTERS):
            used, place = np.unique(pairs[part], return_inverse=True)
            similarity[part] = _set_similarity(*self._sets(used, unit, size), place.reshape(-1, 2))
        return similarity

    def _sets(self, positions: IntVector, unit: ShingleUnit, size: int) -> tuple[Bits, IntVector]:
        """Return the texts' sets of shingles, 48 bits each in rising order, text after text, and their sizes."""
        keys, done = [np.empty(0, dtype=np.uint64)], 0
        for some, texts in self.batches(positions):
            found = shingles(texts, unit, size)
            text = np.repeat(np.arange(done, done + len(some), dtype=np.uint64), found.counts)
            keys.append(distinct(text << SET_BITS | found.hashes >> (np.uint64(64) - SET_BITS)))
            done += len(some)
        cells = np.concatenate(keys)
        edges = np.searchsorted(cells, np.arange(done + 1, dtype=np.uint64) << SET_BITS)
        return cells & ((np.uint64(1) << SET_BITS) - np.uint64(1)), np.diff(edges)


def _arrow_positions(positions: IntVector) -> pa.Array:
    """Wrap positions for Arrow; `pyarrow.array` would import pandas where it is installed, at a second of CPU time."""
    held = np.ascontiguousarray(positions, dtype=np.int64)
    return pa.Array.from_buffers(pa.int64(), len(held), [None, pa.py_buffer(held)])


def _byte_lengths(column: pa.Array | pa.ChunkedArray) -> IntVector:
    """Bytes of each text, as its offsets say: at least its characters, and no detour by pandas either."""
    parts = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    lengths = [np.empty(0, dtype=np.intp)]
    for part in parts:
        if len(part):
            offsets = np.frombuffer(part.buffers()[1], dtype=np.int64, count=len(part) + 1, offset=8 * part.offset)
            lengths.append(np.diff(offsets).astype(np.intp))
    return np.concatenate(lengths)


def _text_column(texts: Sequence[str | None] | pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    if not isinstance(texts, pa.Array | pa.ChunkedArray):
        try:
            return pa.array(texts, type=pa.large_string())
        except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError) as error:
            raise InputError("not every text is a string", next_step="convert the column to text") from error
    kind = texts.type.value_type if pa.types.is_dictionary(texts.type) else texts.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)):
        raise InputError(f"the column holds {texts.type}, not text", next_step="convert the column to text")
    return texts.cast(pa.large_string())


def batches_of(weights: IntVector, most: int) -> Iterator[slice]:
    """Cut items into consecutive slices of at most `most` weight, or of one item."""
    ends = np.cumsum(weights)
    start = 0
    while start < len(ends):
        done = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + most, side="right")))
        yield slice(start, stop)
        start = stop


def _set_similarity(cells: Bits, sizes: IntVector, pairs: Pairs) -> Vector:
    """Jaccard similarity of pairs of sets: what a pair's two sets hold twice is shared; (m, 2) -> (m,)."""
    starts = np.cumsum(sizes) - sizes
    sides = []
    for side in pairs.T:
        counts = sizes[side]
        pair = np.repeat(np.arange(len(side), dtype=np.uint64) << SET_BITS, counts)
        sides.append(pair | cells[np.repeat(starts[side], counts) + offsets_within(counts)])
    both = np.sort(np.concatenate(sides), kind="stable")
    twice = both[1:][both[1:] == both[:-1]] >> SET_BITS
    shared = np.bincount(twice.astype(np.intp), minlength=len(pairs))
    union = sizes[pairs].sum(axis=1) - shared
    return np.asarray(shared / np.maximum(union, 1), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Sketch:
    """What one pass over a column of texts leaves behind."""

    marks: Bits
    """(n, 2) digests of the normalised texts."""
    blank: Mask
    """(n,)"""
    keys: Bits
    """(n, bands)"""

    @classmethod
    def of(cls, column: Texts, rows: int, seed: int, unit: ShingleUnit, size: int) -> Sketch:
        """Read the column once; `rows` minima make a band."""
        marks = np.empty((len(column), 2), dtype=np.uint64)
        blank = np.empty(len(column), dtype=np.bool_)
        keys = np.empty((len(column), N_MINIMA // rows), dtype=np.uint64)
        minima = Minima(seed)
        for some, texts in column.batches(np.arange(len(column))):
            found = shingles(texts, unit, size)
            marks[some] = marks_of(texts)
            blank[some] = found.counts == 0
            keys[some] = band_keys(minima.of(found), rows)
        return cls(marks, blank, keys)


def marks_of(texts: list[str]) -> Bits:
    """128-bit digests of normalised texts; (n, 2)."""
    return digests(text.encode("utf-8", "surrogatepass") for text in texts)
