"""What votes say of their labelers without a label model: coverage, overlap, conflict, polarity, and pairs that err alike.

Votes are sparse: (v,) row, labeler and class numbers. Nothing here makes an (n, m) matrix.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from tilth.core.arrays import IntVector, Matrix, Vector

__all__ = ["AlikePair", "VoteShares", "alike_pairs", "polarity", "tallies", "vote_shares"]

_WORK = 3e7
"""Products of votes that a search for alike pairs costs at most; above it rows are taken at equal steps."""
_MOST_LABELERS = 1_000
_FEWEST_SHARED = 20
_LEAST_Z = 5.0
_LEAST_PART = 0.5
"""Part of the disagreement expected of independent errors that must be missing: with poor labels all pairs look a little alike."""


class VoteShares(NamedTuple):
    """Shares of all rows, (m,) each: the labeler votes; it and another vote; it votes and another says otherwise."""

    coverage: Vector
    overlap: Vector
    conflict: Vector


class AlikePair(NamedTuple):
    """Two labelers that agree more than labelers that err independently would.

    Parameters
    ----------
    first, second : labeler numbers
    shared : rows on which both vote
    agreement : share of these rows on which they say the same
    expected : the share that independent errors would give
    """

    first: int
    second: int
    shared: int
    agreement: float
    expected: float


def tallies(rows: IntVector, said: IntVector, n_rows: int, n_classes: int) -> Matrix:
    """Return how many votes each row has for each class, (n, k). O(v + n k).

    Examples
    --------
    >>> tallies(np.array([0, 0, 2]), np.array([1, 1, 0]), 3, 2).tolist()
    [[0.0, 2.0], [0.0, 0.0], [1.0, 0.0]]
    """
    counts = np.bincount(rows * n_classes + said, minlength=n_rows * n_classes)
    return counts.reshape(n_rows, n_classes).astype(np.float64)


def polarity(sources: IntVector, said: IntVector, n_labelers: int, n_classes: int) -> IntVector:
    """Return how many votes each labeler gives to each class, (m, k). O(v + m k).

    Examples
    --------
    >>> polarity(np.array([0, 0, 1]), np.array([1, 1, 0]), 2, 2).tolist()
    [[0, 2], [1, 0]]
    """
    counts = np.bincount(sources * n_classes + said, minlength=n_labelers * n_classes)
    return counts.reshape(n_labelers, n_classes)


def vote_shares(
    rows: IntVector, sources: IntVector, said: IntVector, *, n_rows: int, n_labelers: int, n_classes: int
) -> VoteShares:
    """Return coverage, overlap and conflict of each labeler as shares of all rows. O(v log v).

    A labeler that votes twice on a row covers it once, and is in conflict with others only, not with itself.

    Parameters
    ----------
    rows, sources, said : (v,) row, labeler and class number of each vote, in any order
    n_rows, n_labelers, n_classes : n, m, k

    Returns
    -------
    VoteShares
        Three vectors (m,) in [0, 1]: conflict <= overlap <= coverage.

    Source
    ------
    Ratner, Bach, Ehrenberg, Fries, Wu, Ré (2017), Snorkel: rapid training data creation with weak supervision, VLDB 11.

    Examples
    --------
    >>> shares = vote_shares(
    ...     np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 1, 0]), np.array([1, 1, 1, 0, 1]), n_rows=4, n_labelers=2, n_classes=2
    ... )
    >>> [part.tolist() for part in shares]
    [[0.75, 0.5], [0.5, 0.5], [0.25, 0.25]]
    """
    pair = rows * n_labelers + sources
    of_class = tallies(rows, said, n_rows, n_classes)
    otherwise = of_class.sum(axis=1)[rows] - of_class[rows, said]
    if not (np.diff(pair) > 0).all():  # in some other order, or a labeler votes twice on a row
        first, per_pair = np.unique(pair, return_index=True, return_inverse=True)[1:]
        own = np.bincount(per_pair)[per_pair]
        _, alike, n_alike = np.unique(per_pair * n_classes + said, return_inverse=True, return_counts=True)
        otherwise = np.bincount(per_pair, weights=otherwise - (own - n_alike[alike]) > 0)
        rows, sources = rows[first], sources[first]
    together = np.bincount(rows, minlength=n_rows)[rows] > 1
    parts = (np.ones(len(rows)), together, otherwise > 0)
    counts = [np.bincount(sources, weights=part, minlength=n_labelers) / max(n_rows, 1) for part in parts]
    return VoteShares(*(np.asarray(count, dtype=np.float64) for count in counts))


def alike_pairs(
    rows: IntVector, sources: IntVector, said: IntVector, labels: IntVector, *, n_labelers: int, n_classes: int
) -> list[AlikePair]:
    """Return pairs of labelers that agree more than errors made independently would explain, the surest first.

    A labeler says c where the label is t with the share p_j(c | t) of its votes there. On the rows where i and j both
    vote, independence expects

        sum_t share(t) sum_c p_i(c | t) p_j(c | t)

    of agreement. A pair is named where it agrees on five standard errors more, and where half of the disagreement
    expected is missing; or where two labelers say the very same on all rows of either. Labels are best the majority's:
    every labeler looks better against labels that it helped to make, so that too much agreement is expected rather than
    too little. What is named is likely, then; what is not may still be a copy. O(sum over rows of votes^2), capped by
    taking rows at equal steps, and the 1,000 labelers with most votes.

    Parameters
    ----------
    rows, sources, said : (v,) row, labeler and class number of each vote
    labels : (n,) class number of each row, as the majority has it
    n_labelers, n_classes : m, k

    Returns
    -------
    list of AlikePair
        By falling excess in standard errors, then by number.

    Randomness
    ----------
    None.

    Source
    ------
    The moment that Varma, Sala, He, Ratner, Ré (2019), Learning dependency structures for weak supervision models, ICML, test
    for; here pair by pair, given labels.

    Examples
    --------
    >>> said = np.array([0, 0, 1] * 10 + [1, 1, 1] * 10 + [0, 0, 0] * 10)
    >>> rows, sources, labels = np.repeat(np.arange(30), 3), np.tile(np.arange(3), 30), np.repeat([0, 1, 0], 10)
    >>> alike_pairs(rows, sources, said, labels, n_labelers=3, n_classes=2)[0][:4]
    (0, 1, 30, 1.0)
    """
    pair = rows * n_labelers + sources
    is_sorted = (np.diff(pair) > 0).all()
    first = np.arange(len(pair)) if is_sorted else np.unique(pair, return_index=True)[1]
    busy = np.sort(np.argsort(-np.bincount(sources[first], minlength=n_labelers), kind="stable")[:_MOST_LABELERS])
    place = np.full(n_labelers, -1)
    place[busy] = np.arange(len(busy))
    first = first[place[sources[first]] >= 0]
    first = first[_thinned(rows[first], len(labels))]
    found = _alike(rows[first], place[sources[first]], said[first], labels, len(busy), n_classes)
    return [one._replace(first=int(busy[one.first]), second=int(busy[one.second])) for one in found]


def _thinned(rows: IntVector, n_rows: int) -> IntVector:
    """Return places of the votes on rows at equal steps, few enough for the work allowed."""
    per_row = np.bincount(rows, minlength=n_rows).astype(np.float64)
    step = int(np.ceil(float((per_row**2).sum()) / _WORK)) or 1
    return np.flatnonzero(rows % step == 0)


def _alike(rows: IntVector, sources: IntVector, said: IntVector, labels: IntVector, m: int, k: int) -> list[AlikePair]:
    if m < 2 or not len(rows):
        return []
    agreed, shared, expected = np.zeros((m, m)), np.zeros((m, m)), np.zeros((m, m))
    for t in range(k):
        there = np.flatnonzero(labels[rows] == t)
        shape = (len(labels), m)
        cast = csr_array((np.ones(len(there)), (rows[there], sources[there])), shape=shape)
        both = (cast.T @ cast).toarray()
        says = polarity(sources[there], said[there], m, k).astype(np.float64)
        says /= np.maximum(says.sum(axis=1, keepdims=True), 1.0)
        expected += both * (says @ says.T)
        shared += both
    for c in range(k):
        there = np.flatnonzero(said == c)
        one = csr_array((np.ones(len(there)), (rows[there], sources[there])), shape=(len(labels), m))
        agreed += (one.T @ one).toarray()
    return _named(agreed, shared, expected, np.bincount(sources, minlength=m).astype(np.float64))


def _named(agreed: Matrix, shared: Matrix, expected: Matrix, n_votes: Vector) -> list[AlikePair]:
    count = np.maximum(shared, 1e-9)
    share, chance = agreed / count, np.clip(expected / count, 0.0, 1.0)
    error = np.sqrt(np.maximum(chance * (1 - chance), 1e-12) / count)
    z = np.where(shared >= _FEWEST_SHARED, (share - chance) / error, 0.0)
    alike = (z >= _LEAST_Z) & (share - chance >= _LEAST_PART * (1 - chance))
    same = (agreed >= _FEWEST_SHARED) & (np.abs(agreed - n_votes[:, None]) < 0.5) & (np.abs(agreed - n_votes) < 0.5)
    i, j = np.nonzero(np.triu(alike | same, 1))
    order = np.lexsort((j, i, -z[i, j]))
    return [
        AlikePair(int(a), int(b), round(float(shared[a, b])), float(share[a, b]), float(chance[a, b]))
        for a, b in zip(i[order], j[order], strict=True)
    ]
