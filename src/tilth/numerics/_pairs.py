"""Pairs of positions, and the ragged arrays that they are built from."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tilth.core.arrays import Bits, IntVector, Mask, Vector

__all__ = [
    "Pairs",
    "chunks",
    "digests",
    "distinct",
    "first_of_equals",
    "hits",
    "link_copies",
    "no_pairs",
    "offsets_within",
    "pair_keys",
    "sorted_pairs",
    "split_keys",
]

Pairs = NDArray[np.intp]
"""(m, 2) intp: positions i < j, each pair once, in rising order."""


def distinct(values: Bits) -> Bits:
    """Return the distinct values in rising order; by a sort, which beats the hash table of `numpy.unique`."""
    ordered = np.sort(values)
    new = np.ones(len(ordered), dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    return ordered[new]


def hits(mask: Mask, most: int) -> Iterator[tuple[IntVector, IntVector]]:
    """Yield rows and columns of the true cells in order, by whole rows, about `most` at once."""
    ends = np.cumsum(np.count_nonzero(mask, axis=1))
    start = 0
    while start < len(mask):
        done = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + most, side="right")))
        row, column = np.divmod(np.flatnonzero(mask[start:stop]), mask.shape[1])
        yield row + start, column
        start = stop


def digests(parts: Iterable[bytes]) -> Bits:
    """128 bits of BLAKE2b per part; (n, 2). Two parts share them by chance once in 2^128."""
    joined = b"".join(blake2b(part, digest_size=16).digest() for part in parts)
    return np.frombuffer(joined, dtype="<u8").astype(np.uint64).reshape(-1, 2)


def first_of_equals(digests: Bits) -> IntVector:
    """Position of the first row with the same digest; (n, 2) -> (n,)."""
    order = np.lexsort((digests[:, 1], digests[:, 0]))
    ordered = digests[order]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = np.any(ordered[1:] != ordered[:-1], axis=1)
    first = np.empty(len(order), dtype=np.intp)
    first[order] = order[np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))]
    return first


def no_pairs() -> tuple[Pairs, Vector]:
    """No pair and no measure."""
    return np.empty((0, 2), dtype=np.intp), np.empty(0)


def chunks(total: int, size: int) -> list[slice]:
    """Cut range(total) into consecutive slices of at most `size`."""
    return [slice(start, min(start + size, total)) for start in range(0, total, size)]


def offsets_within(counts: IntVector) -> IntVector:
    """0, 1, …, counts[0]-1, 0, 1, …, counts[1]-1, …: where each item stands in its run."""
    starts = np.cumsum(counts) - counts
    return np.arange(counts.sum(), dtype=np.intp) - np.repeat(starts, counts)


def sorted_pairs(left: IntVector, right: IntVector, measure: Vector, n: int) -> tuple[Pairs, Vector]:
    """Order pairs as i < j, drop repeats and self-pairs (one pair must carry one measure)."""
    low, high = np.minimum(left, right), np.maximum(left, right)
    apart = low < high
    keys, kept = np.unique(pair_keys(low[apart], high[apart], n), return_index=True)
    return split_keys(keys, n), measure[apart][kept]


def pair_keys(low: IntVector, high: IntVector, n: int) -> Bits:
    """One number per pair, i * n + j, in the order of the pairs; (m,), (m,) -> (m,)."""
    return low.astype(np.uint64) * np.uint64(n) + high.astype(np.uint64)


def split_keys(keys: Bits, n: int) -> Pairs:
    """Turn keys i * n + j back into pairs; (m,) -> (m, 2)."""
    low, high = np.divmod(keys, np.uint64(max(n, 1)))
    return np.stack([low, high], axis=1).astype(np.intp)


def link_copies(first: IntVector, pairs: Pairs, measure: Vector, same: float) -> tuple[Pairs, Vector]:
    """Carry pairs of first copies over to their copies, without the square of their number.

    `first` (n,) names the first of the rows identical to each row; `pairs` join first copies only. A copy
    is joined to its own first copy (with the measure `same`) and to every first copy that its own is joined
    to: n (1 + degree) pairs at most, and each row stays directly joined to whichever first copy leads its
    group.
    """
    n = len(first)
    order = np.argsort(first, kind="stable")
    counts = np.bincount(first, minlength=n)
    starts = np.cumsum(counts) - counts
    copies = np.flatnonzero(first != np.arange(n))
    lefts, rights, measures = [first[copies]], [copies], [np.full(len(copies), same)]
    for here, there in ((pairs[:, 0], pairs[:, 1]), (pairs[:, 1], pairs[:, 0])):
        sizes = counts[there]
        lefts.append(np.repeat(here, sizes))
        rights.append(order[np.repeat(starts[there], sizes) + offsets_within(sizes)])
        measures.append(np.repeat(measure, sizes))
    return sorted_pairs(np.concatenate(lefts), np.concatenate(rights), np.concatenate(measures), n)
