"""MinHash signatures, and candidates that agree in a whole band of them, without squares of large buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import UsageError
from tilth.numerics._pairs import distinct, pair_keys
from tilth.numerics._shingles import Shingles, mixed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tilth.core.arrays import Bits, IntVector, Mask

__all__ = ["N_MINIMA", "WINDOW", "Minima", "band_keys", "band_pairs", "rows_per_band"]

N_MINIMA = 128
"""Minima per text, a power of 2."""
EMPTY = np.uint32(0xFFFFFFFF)
DENSE = 4
"""Lenders that every bin asks, filled or not, which is quicker while many are empty; later ones only the empty bins."""
WINDOW = 16
"""A row of a larger bucket is paired with this many rows after it, in the order of the next band."""


def rows_per_band(threshold: float, n_values: int, sure: float) -> int:
    """Values per band, as many as leave a pair at the threshold a chance `sure` of sharing one of the bands.

    With r values per band, a pair of similarity s shares one of n // r bands with chance 1 - (1 - s^r)^(n
    // r).
    """
    for rows in range(n_values, 1, -1):
        if 1.0 - (1.0 - threshold**rows) ** (n_values // rows) >= sure:
            return rows
    return 1


def band_keys(signatures: NDArray[np.uint32], rows: int) -> Bits:
    """Hash each band of `rows` minima to one number; (n, 128) -> (n, 128 // rows)."""
    bands = N_MINIMA // rows
    values = signatures[:, : bands * rows].reshape(-1, bands, rows)
    keys = np.zeros((len(signatures), bands), dtype=np.uint64)
    for row in range(rows):
        keys = mixed(keys ^ values[:, :, row])
    return keys


class Minima:
    """One permutation of all shingles, cut into 128 bins; an empty bin borrows from others."""

    def __init__(self, seed: int) -> None:
        if seed < 0:
            raise UsageError(f"seed is {seed}", next_step="give a seed >= 0")
        start = mixed(np.array([seed % 2**64], dtype=np.uint64))
        self.multiplier = start[0] | np.uint64(1)
        cells = np.arange(N_MINIMA * N_MINIMA, dtype=np.uint64) + start
        self.lenders: IntVector = np.argsort(mixed(cells).reshape(N_MINIMA, N_MINIMA), axis=0, kind="stable")

    def of(self, found: Shingles) -> NDArray[np.uint32]:
        """Signatures of the texts; (texts, 128). Those of blank texts are all EMPTY."""
        hashes = found.hashes * self.multiplier
        bin_bits = np.uint64(N_MINIMA.bit_length() - 1)
        cell = np.repeat(np.arange(len(found.counts)) * N_MINIMA, found.counts)
        cell += (hashes >> (np.uint64(64) - bin_bits)).astype(np.intp)
        values = (hashes >> np.uint64(16)).astype(np.uint32)
        minima = np.full(len(found.counts) * N_MINIMA, EMPTY, dtype=np.uint32)
        np.minimum.at(minima, cell, np.minimum(values, EMPTY - np.uint32(1)))
        return self._filled(minima.reshape(-1, N_MINIMA))

    def _filled(self, minima: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """Fill each empty bin from the first filled one in the bin's own order of lenders."""
        filled = minima.copy()
        for order in self.lenders[:DENSE]:
            empty = np.negative((filled == EMPTY).astype(np.uint32))  # all bits, or none
            filled ^= (filled ^ np.take(minima, order, axis=1)) & empty
        flat, lenders = filled.reshape(-1), minima.reshape(-1)
        cell = np.flatnonzero((filled == EMPTY) & (minima != EMPTY).any(axis=1, keepdims=True))
        place = cell % N_MINIMA
        first = cell - place
        for order in self.lenders[DENSE:]:
            if not len(cell):
                break
            lent = lenders[first + order[place]]
            flat[cell] = lent
            left = lent == EMPTY
            cell, first, place = cell[left], first[left], place[left]
        return filled


def band_pairs(keys: Bits, band: int, settled: Mask) -> Bits:
    """Pairs of rows with one key in the band, as sorted `pair_keys`; (n, bands), (n,) -> (m,).

    A bucket of at most WINDOW + 1 rows gives all its pairs. From a larger one `settled` rows are left out;
    each other is paired with the WINDOW rows next to it, rows that share the next band standing together,
    and with the first row of the bucket: at most n (WINDOW + 1) pairs in all.
    """
    n = len(keys)
    key = keys[:, band]
    member = _shared(key)
    member = member[np.lexsort((member, keys[member, (band + 1) % keys.shape[1]], key[member]))]
    start, size = _runs(key[member])
    large = size > WINDOW + 1
    anchor = np.minimum.reduceat(member, start) if len(start) else member
    to_anchor = np.repeat(anchor, size)
    kept = ~(np.repeat(large, size) & settled[member])
    found = [_joined(member[kept & np.repeat(large, size)], to_anchor[kept & np.repeat(large, size)], n)]
    member, run = member[kept], np.repeat(np.arange(len(start)), size)[kept]
    for step in range(1, WINDOW + 1):
        same = run[step:] == run[:-step]
        if not same.any():
            break
        found.append(_joined(member[step:][same], member[:-step][same], n))
    return distinct(np.concatenate(found))


def _shared(key: Bits) -> IntVector:
    """Rows whose key another row has too."""
    order = np.argsort(key)
    equal = key[order[1:]] == key[order[:-1]]
    return order[np.append(equal, False) | np.append(False, equal)] if len(key) > 1 else order[:0]


def _runs(values: Bits) -> tuple[IntVector, IntVector]:
    """Starts and lengths of the runs of equal values."""
    start = np.flatnonzero(np.append(True, values[1:] != values[:-1])) if len(values) else np.empty(0, np.intp)
    return start, np.diff(start, append=len(values))


def _joined(left: IntVector, right: IntVector, n: int) -> Bits:
    apart = left != right
    low, high = np.minimum(left, right)[apart], np.maximum(left, right)[apart]
    return pair_keys(low, high, n)
