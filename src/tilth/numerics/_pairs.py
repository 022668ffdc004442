"""Pairs of positions, and the ragged arrays that they are built from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tilth.core.arrays import Bits, IntVector, Vector

__all__ = ["Pairs", "chunks", "link_copies", "no_pairs", "offsets_within", "sorted_pairs"]

Pairs = NDArray[np.intp]
"""(m, 2) intp: positions i < j, each pair once, in rising order."""


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


def sorted_pairs(left: IntVector, right: IntVector, n: int, measure: Vector) -> tuple[Pairs, Vector]:
    """Order pairs as i < j, drop repeats and self-pairs (one pair must carry one measure)."""
    low, high = np.minimum(left, right), np.maximum(left, right)
    apart = low < high
    keys, kept = np.unique(low[apart].astype(np.uint64) * np.uint64(n) + high[apart], return_index=True)
    return split_keys(keys, n), measure[apart][kept]


def split_keys(keys: Bits, n: int) -> Pairs:
    """Turn keys i * n + j back into pairs; (m,) -> (m, 2)."""
    low, high = np.divmod(keys, np.uint64(max(n, 1)))
    return np.stack([low, high], axis=1).astype(np.intp)


def link_copies(first: IntVector, pairs: Pairs, measure: Vector, same: float) -> tuple[Pairs, Vector]:
    """Carry pairs of first copies over to their copies, without the square of their number.

    `first` (n,) names the first of the rows identical to each row; `pairs` join first copies only. A copy is
    joined to its own first copy (with the measure `same`) and to every first copy that its own is joined to: at most n + n * degree
    pairs, and each row stays directly joined to whichever first copy leads its group.
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
    return sorted_pairs(np.concatenate(lefts), np.concatenate(rights), n, np.concatenate(measures))
