"""Distance to the k-th nearest reference row, by the direction of embeddings.

    s(x) = |z(x) - z(x_(k))|,     z(x) = x / |x|

Source: Sun, Ming, Zhu, Li (2022), Out-of-distribution detection with deep nearest neighbors, ICML, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import FloatMatrix32, Vector
from tilth.core.errors import NotApplicable
from tilth.numerics.neighbours import k_nearest
from tilth.operators.view import View

__all__ = ["KnnDistance", "kth_distance"]


def kth_distance(reference: FloatMatrix32, current: FloatMatrix32, k: int = 10) -> Vector:
    """Return each current row's distance to the k-th nearest reference row, both brought to length 1.

    Exact; O(n m d). With fewer than k reference rows it is the farthest of them.

    Parameters
    ----------
    reference : (n, d) embeddings, n >= 1
    current : (m, d) embeddings
    k : >= 1; 1 is led by single strange rows, many blur small classes

    Returns
    -------
    Vector
        (m,) in [0, 2].

    Randomness
    ----------
    None.

    Source
    ------
    Sun et al. (2022), ICML, section 3.

    Examples
    --------
    >>> rows = np.array([[2, 0], [0, 1]], dtype=np.float32)
    >>> kth_distance(rows, np.array([[1, 0]], dtype=np.float32), k=1).tolist()
    [0.0]
    """
    near = k_nearest(reference, k, queries=current, metric="cosine", exclude_self=False)
    return np.asarray(np.sqrt(2 * np.maximum(near.distances[:, -1], 0.0)), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnnDistance:
    """Take rows for foreign whose k-th nearest reference row is far.

    Parameters
    ----------
    k : neighbours, >= 1
    """

    k: int = 10

    needs: ClassVar[frozenset[str]] = frozenset({"embeddings"})
    revision: ClassVar[int] = 1

    def outlying(self, reference: View, current: View) -> Vector:
        """Return the distance of each current row (n,) to its k-th nearest reference row."""
        if not len(reference):
            raise NotApplicable("there are no reference rows to be near to")
        return kth_distance(reference.embeddings, current.embeddings, self.k)
