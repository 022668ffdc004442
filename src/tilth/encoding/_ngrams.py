"""Hashed word and character n-grams of many texts at once, without a loop over characters.

A text becomes code points with one space between words and at both ends. Every n-gram is a polynomial hash of its code points
modulo 2^64; the hash of a word is a difference of prefix sums (Karp and Rabin 1987), so that words of any length
cost the same. Hashes fall into 2^bits buckets.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import Bits, IntVector, Mask
from tilth.core.ids import mix

__all__ = ["Counts", "ngram_counts"]

_SPACE = 32
_CHUNK = 1 << 20
"""Code points that are hashed at once; bounds memory near 100 MB and changes no result."""
_BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(_BASE, -1, 1 << 64)
_WORD, _PAIR, _CHARACTERS = (np.uint64(seed) for seed in (0x57, 0xB5, 0xC3))


@dataclass(frozen=True, slots=True)
class Counts:
    """Sparse counts: entry e says that `rows[e]` holds bucket `buckets[e]` `times[e]` times; sorted by row, then bucket."""

    n_rows: int
    rows: IntVector
    buckets: IntVector
    times: IntVector


def ngram_counts(
    texts: pa.Array, *, words: tuple[int, int], characters: tuple[int, int], bits: int
) -> tuple[Counts, Counts]:
    """Return the counts of word n-grams and of character n-grams of each text.

    Case is folded and Unicode normalised (NFKC). Word n-grams run over runs of letters and digits; character n-grams stay
    inside one blank-separated word, whose two ends count as blanks. Missing texts have no n-grams.
    Cost: O(characters) time, bounded memory beside the result.

    Parameters
    ----------
    texts : (n,) Arrow text
    words : shortest and longest word n-gram; longest at most 2
    characters : shortest and longest character n-gram; shortest at least 3, so that none spans two words
    bits : 2^bits buckets, at most 32
    """
    parts: tuple[list[Counts], list[Counts]] = ([], [])
    for chunk in _chunks(_normal(texts)):
        points, rows = _points(chunk)
        for kept, pairs in zip(
            parts, (_words(points, rows, words), _characters(points, rows, characters)), strict=True
        ):
            kept.append(_count(*pairs, len(chunk), bits))
    return _stack(parts[0]), _stack(parts[1])


def _normal(texts: pa.Array) -> pa.Array:
    plain = pc.fill_null(texts.cast(pa.large_string()), "")
    folded = pc.utf8_lower(pc.utf8_normalize(plain, form="NFKC"))
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(folded, pattern=r"[\s\x00-\x20]+", replacement=" "))


def _chunks(texts: pa.Array) -> Iterator[pa.Array]:
    """Yield runs of whole texts of about `_CHUNK` code points each; at least one run."""
    ends = np.cumsum(np.asarray(pc.utf8_length(texts)).astype(np.int64))
    bounds = [0]
    while bounds[-1] < len(texts):
        done = ends[bounds[-1] - 1] if bounds[-1] else 0
        bounds.append(max(bounds[-1] + 1, int(np.searchsorted(ends, done + _CHUNK))))
    if len(bounds) == 1:
        yield texts
    for start, stop in pairwise(bounds):
        yield texts.slice(start, stop - start)


def _points(texts: pa.Array) -> tuple[np.ndarray, IntVector]:
    """Return the code points of all texts, a blank at both ends of each, and the row of each code point."""
    lengths = np.asarray(pc.utf8_length(texts)).astype(np.int64) + 2
    joined = "".join(f" {text} " for text in texts.to_pylist())
    points = np.frombuffer(joined.encode("utf-32-le"), dtype=np.uint32)
    return points, np.repeat(np.arange(len(texts)), lengths)


def _letters(points: np.ndarray) -> Mask:
    """Which code points are letters or digits, by one look at each that occurs."""
    table = np.zeros(int(points.max(initial=0)) + 1, dtype=bool)
    table[points] = True
    present = np.flatnonzero(table)
    table[present] = [chr(point).isalnum() for point in present]
    return np.asarray(table[points])


def _words(points: np.ndarray, rows: IntVector, lengths: tuple[int, int]) -> tuple[Bits, IntVector]:
    inside = _letters(points)
    edges = np.flatnonzero(np.diff(inside.astype(np.int8)))  # texts begin and end with a blank, so edges come in pairs
    starts, stops = edges[0::2] + 1, edges[1::2] + 1
    hashes, where = _run_hashes(points, starts, stops), rows[starts]
    found, places = [], []
    if lengths[0] <= 1 <= lengths[1]:
        found.append(mix(hashes ^ _WORD))
        places.append(where)
    if lengths[0] <= 2 <= lengths[1]:
        together = where[1:] == where[:-1]
        found.append(mix(mix(hashes[:-1] ^ _PAIR) ^ hashes[1:])[together])
        places.append(where[1:][together])
    return np.concatenate(found), np.concatenate(places)


def _run_hashes(points: np.ndarray, starts: IntVector, stops: IntVector) -> Bits:
    """Return the polynomial hash of each run [start, stop), the same wherever it stands."""
    powers = np.full((2, len(points)), 1, dtype=np.uint64)
    powers[0, 1:], powers[1, 1:] = _BASE, _INVERSE
    np.multiply.accumulate(powers, axis=1, out=powers)
    sums = np.concatenate([[np.uint64(0)], np.cumsum(mix(points.astype(np.uint64)) * powers[0], dtype=np.uint64)])
    return np.asarray(mix((sums[stops] - sums[starts]) * powers[1][starts]))


def _characters(points: np.ndarray, rows: IntVector, lengths: tuple[int, int]) -> tuple[Bits, IntVector]:
    codes = mix(points.astype(np.uint64))
    blanks = np.concatenate([[0], np.cumsum(points == _SPACE)])
    rolling, found, places = codes, [], []
    for n in range(2, lengths[1] + 1):
        size = len(points) - n + 1
        if size <= 0:
            break
        rolling = rolling[:size] * np.uint64(_BASE) + codes[n - 1 :]
        if n >= lengths[0]:
            whole = np.flatnonzero(blanks[n - 1 : n - 1 + size] == blanks[1 : 1 + size])
            found.append(mix(rolling[whole] ^ _CHARACTERS))
            places.append(rows[whole])
    if not found:
        return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.intp)
    return np.concatenate(found), np.concatenate(places)


def _count(hashes: Bits, rows: IntVector, n_rows: int, bits: int) -> Counts:
    shift = np.uint64(bits)
    keys = (rows.astype(np.uint64) << shift) | (hashes >> np.uint64(64 - bits))
    keys.sort()
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else np.zeros(0, dtype=np.intp)
    times = np.diff(np.concatenate([first, [len(keys)]]))
    unique = keys[first]
    return Counts(
        n_rows, (unique >> shift).astype(np.intp), (unique & np.uint64((1 << bits) - 1)).astype(np.intp), times
    )


def _stack(parts: list[Counts]) -> Counts:
    offsets = np.cumsum([0, *(part.n_rows for part in parts)])
    rows = [part.rows + offset for part, offset in zip(parts, offsets, strict=False)]
    return Counts(
        int(offsets[-1]),
        np.concatenate(rows),
        np.concatenate([part.buckets for part in parts]),
        np.concatenate([part.times for part in parts]),
    )
