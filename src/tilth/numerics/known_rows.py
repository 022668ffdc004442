"""Train rows that a transform remembers: a sample drawn by row id, as vectors, with classes where they are known.

Near rows of a query are found among them: never the row itself, and of its own class where both are known.

Source: Zhang, Cisse, Dauphin, Lopez-Paz (2018), mixup: Beyond Empirical Risk Minimization, ICLR; Chawla, Bowyer, Hall, Kegelmeyer
(2002), SMOTE: Synthetic Minority Over-sampling Technique, JAIR 16 (towards near rows of one class).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.ids import Digests
from tilth.numerics.neighbours import k_nearest

if TYPE_CHECKING:
    from tilth.core.arrays import IntVector, Matrix, Vector

__all__ = ["MOST_KNOWN", "KnownRows", "class_codes_of", "sample_places"]

MOST_KNOWN = 2_000
"""Train rows that are remembered; where there are more, those with the least digests."""
_AT_ONCE = 2_048
_SEARCHED = 3
"""How many times as many neighbours are sought as wanted, for those of other classes that are passed over."""


def sample_places(digests: Digests, most: int = MOST_KNOWN) -> IntVector:
    """Return the places of the rows with the least digests, in the order of their digests; (n, 2) -> (min(n, most),).

    The order of rows plays no part.
    """
    return np.asarray(np.lexsort((digests[:, 1], digests[:, 0]))[:most], dtype=np.intp)


def class_codes_of(labels: pa.Array | None, n_rows: int) -> IntVector:
    """Return class codes in the alphabetical order of the classes, -1 where there is no label; (n,) text -> (n,).

    Examples
    --------
    >>> class_codes_of(pa.array(["spam", None, "ham"]), 3).tolist(), class_codes_of(None, 2).tolist()
    ([1, -1, 0], [-1, -1])
    """
    if labels is None:
        return np.full(n_rows, -1, dtype=np.intp)
    names = pa.array(sorted(pc.unique(labels.drop_null()).to_pylist()), labels.type)
    return np.asarray(pc.fill_null(pc.index_in(labels, value_set=names, skip_nulls=True), -1), dtype=np.intp)


@dataclass(frozen=True, slots=True, eq=False)
class KnownRows:
    """What is remembered of m train rows.

    Parameters
    ----------
    digests : (m, 2) of their ids
    vectors : (m, d)
    classes : (m,) codes in the order of the classes' names; -1 where a class is not known
    """

    digests: Digests
    vectors: Matrix
    classes: IntVector

    def __eq__(self, other: object) -> bool:
        """Whether the same is remembered of the same rows."""
        if not isinstance(other, KnownRows):
            return NotImplemented
        pairs = ((self.digests, other.digests), (self.vectors, other.vectors), (self.classes, other.classes))
        return all(np.array_equal(one, another, equal_nan=one.dtype.kind == "f") for one, another in pairs)

    __hash__ = None  # type: ignore[assignment]

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.digests)

    def near(self, vectors: Matrix, digests: Digests, k: int, picks: Vector) -> IntVector:
        """Return for each query one of its k nearest known rows, drawn evenly; -1 where it has none.

        A row that is known is not its own neighbour, and its neighbours are of its class. A row whose class is not known goes towards
        its nearest known row's class.

        Parameters
        ----------
        vectors : (n, d) queries
        digests : (n, 2) of the queries' ids
        k : neighbours among which one is drawn, at least 1
        picks : (n,) in [0, 1)

        Returns
        -------
        IntVector
            (n,) places among the known rows, or -1

        Examples
        --------
        >>> ids = np.array([[1, 1], [2, 2], [3, 3]], dtype=np.uint64)
        >>> known = KnownRows(ids, np.array([[0.0], [1.0], [2.0]]), np.array([0, 1, 0]))
        >>> known.near(np.array([[0.0]]), ids[:1], 1, np.array([0.3])).tolist()
        [2]
        """
        if not len(self) or not len(vectors):
            return np.full(len(vectors), -1, dtype=np.intp)
        parts = [slice(start, start + _AT_ONCE) for start in range(0, len(vectors), _AT_ONCE)]
        return np.concatenate([self._near(vectors[part], digests[part], k, picks[part]) for part in parts])

    def _near(self, vectors: Matrix, digests: Digests, k: int, picks: Vector) -> IntVector:
        at = self._places_of(digests)
        width = min(len(self), _SEARCHED * k + 1)
        found = self._allowed(vectors, at, k, width)
        lacking = np.flatnonzero((found >= 0).sum(axis=1) < k)
        if len(lacking) and width < len(self):  # other classes filled the list: search further
            found[lacking] = self._allowed(vectors[lacking], at[lacking], k, len(self))
        counts = (found >= 0).sum(axis=1)
        rows = np.arange(len(vectors))
        chosen = found[rows, np.minimum((picks * counts).astype(np.intp), np.maximum(counts - 1, 0))]
        return np.where(counts > 0, chosen, -1)

    def _places_of(self, digests: Digests) -> IntVector:
        """Return where queries stand among the known rows, -1 where they do not."""
        mine = {(int(a), int(b)): place for place, (a, b) in enumerate(self.digests)}
        return np.array([mine.get((int(a), int(b)), -1) for a, b in digests], dtype=np.intp)

    def _allowed(self, vectors: Matrix, at: IntVector, k: int, width: int) -> IntVector:
        """Return the first k allowed neighbours of each query among its `width` nearest, -1 behind them; (n, k)."""
        near = k_nearest(self.vectors, width, queries=vectors, metric="euclidean", exclude_self=False).positions
        own = np.where(at >= 0, self.classes[at], -1)
        is_other = near != at[:, None]
        first = near[np.arange(len(near)), is_other.argmax(axis=1)]
        wanted = np.where(own >= 0, own, self.classes[first])
        allowed = is_other & (self.classes[near] == wanted[:, None])
        found = np.full((len(near), k), -1, dtype=np.intp)
        rank = np.cumsum(allowed, axis=1) - 1
        rows, columns = np.nonzero(allowed & (rank < k))
        found[rows, rank[rows, columns]] = near[rows, columns]
        return found
