"""Categories as indicators: one per category with enough rows, one for all rare and unseen ones, one for missing.

    x = e(category) if count(category) >= min_count and among the `limit` most frequent, else e(rare), or e(missing)

Source: Micci-Barreca (2001), SIGKDD Explorations 3 (why rare categories are pooled before they get a weight).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import FloatMatrix32, IntVector
from tilth.core.ids import cell_digests
from tilth.core.schema import ColumnType
from tilth.encoding._cells import missing_of, texts_of
from tilth.operators.batch import Batch
from tilth.operators.protocols import State

__all__ = ["Category", "common_categories", "indicators"]


@dataclass(frozen=True, kw_only=True)
class Category:
    """Indicators of frequent categories, of rare ones together, and of missing cells.

    Counts of all train rows decide which categories are frequent; categories are kept as digests, so that long
    names cost nothing. A category that was never seen counts as rare. Cost: O(rows × categories kept).

    Parameters
    ----------
    min_count : rows that a category needs for an indicator of its own, at least 1
    limit : most indicators, at least 0; the most frequent categories get them

    Randomness: none.

    Source: Micci-Barreca (2001), SIGKDD Explorations 3.
    """

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.CATEGORY})
    revision: ClassVar[int] = 1

    min_count: int = 5
    limit: int = 100

    def start(self) -> State:
        """Return no counts."""
        return {"categories": np.zeros((0, 2), dtype=np.uint64), "counts": np.zeros(0, dtype=np.int64)}

    def fold(self, state: State, batch: Batch) -> State:
        """Return the counts with the block's cells taken in."""
        texts = texts_of(batch)
        digests = cell_digests(texts)[~missing_of(texts)]
        return _summed(state, {"categories": digests, "counts": np.ones(len(digests), dtype=np.int64)})

    def merge(self, left: State, right: State) -> State:
        """Return the counts of both."""
        return _summed(left, right)

    def finish(self, state: State) -> State:
        """Return the digests of the categories that get an indicator, most frequent first."""
        return {"categories": common_categories(state["categories"], state["counts"], self.min_count, self.limit)}

    def encode(self, batch: Batch, state: State) -> FloatMatrix32:
        """Return (n, categories + 2) indicators: the categories, rare, missing."""
        texts = texts_of(batch)
        codes = _codes(cell_digests(texts), state["categories"])
        codes[missing_of(texts)] = len(state["categories"]) + 1
        return indicators(codes, len(state["categories"]) + 2)


def common_categories(categories: np.ndarray, counts: IntVector, min_count: int, limit: int) -> np.ndarray:
    """Return the digests (m, 2) of categories with at least `min_count` rows, most frequent first, at most `limit`."""
    enough = np.flatnonzero(counts >= min_count)
    order = np.lexsort((categories[enough, 1], categories[enough, 0], -counts[enough]))
    return np.asarray(categories[enough[order[:limit]]])


def indicators(codes: IntVector, width: int) -> FloatMatrix32:
    """Return the (n, width) one-hot matrix of codes (n,) in [0, width)."""
    matrix = np.zeros((len(codes), width), dtype=np.float32)
    matrix[np.arange(len(codes)), codes] = 1.0
    return matrix


def _summed(left: Mapping[str, np.ndarray], right: Mapping[str, np.ndarray]) -> State:
    digests = np.concatenate([left["categories"], right["categories"]])
    counts = np.concatenate([left["counts"], right["counts"]])
    order = np.lexsort((digests[:, 1], digests[:, 0]))
    digests, counts = digests[order], counts[order]
    first = np.flatnonzero(np.concatenate([[True], (digests[1:] != digests[:-1]).any(axis=1)]))[: len(digests)]
    if not len(digests):
        return {"categories": digests, "counts": counts}
    return {"categories": digests[first], "counts": np.add.reduceat(counts, first)}


def _codes(digests: np.ndarray, categories: np.ndarray) -> IntVector:
    """Return the position of each digest among the categories; their number where it is not among them."""
    if not len(categories):
        return np.zeros(len(digests), dtype=np.intp)
    order = np.argsort(categories[:, 0], kind="stable")
    lane = categories[order, 0]  # 64 bits find the one candidate; the other 64 confirm it
    found = order[np.minimum(np.searchsorted(lane, digests[:, 0]), len(lane) - 1)]
    same = (categories[found] == digests).all(axis=1)
    return np.where(same, found, len(categories)).astype(np.intp)
