"""What answers tell of those who gave them: what the others say of the same rows, how each errs, which pairs agree.

Answers are sparse: (v,) row, annotator and class numbers, each annotator once on a row.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import csc_array, csr_array

from tilth.core.arrays import IntVector, Matrix
from tilth.core.errors import InputError
from tilth.core.estimate import Estimate
from tilth.numerics.agreement import cohen_kappa
from tilth.numerics.vote_analysis import tallies

__all__ = ["PairKappa", "confusions_of", "pair_kappas", "shares_of_others"]

MOST_PAIRS = 20_000
"""Pairs of annotators that are compared at most: those that share most rows."""


class PairKappa(NamedTuple):
    """Two annotators, the rows that both answered, and Cohen's kappa on them."""

    first: int
    second: int
    shared: int
    kappa: Estimate


def shares_of_others(rows: IntVector, said: IntVector, n_rows: int, n_classes: int) -> Matrix:
    """Return for each answer which class most of the others say of its row, (v, k); a tie is shared, nobody else is 0.

    An annotator is best held against answers in which his own has no part. O(v k).

    Parameters
    ----------
    rows, said : (v,) row and class number of each answer
    n_rows, n_classes : n, k

    Returns
    -------
    Matrix, (v, k)
        Rows sum to 1, or to 0 where nobody else answered; in the order of the answers.

    Examples
    --------
    >>> shares_of_others(np.array([0, 0, 0, 1]), np.array([1, 1, 0, 0]), 2, 2).tolist()
    [[0.5, 0.5], [0.5, 0.5], [0.0, 1.0], [0.0, 0.0]]
    """
    others = tallies(rows, said, n_rows, n_classes)[rows]
    others[np.arange(len(rows)), said] -= 1.0
    most = others.max(axis=1, keepdims=True, initial=0.0)
    top = (others >= most) & (most > 0)
    return np.asarray(top / np.maximum(top.sum(axis=1, keepdims=True), 1))


def confusions_of(
    sources: IntVector, said: IntVector, truth: Matrix, n_annotators: int, *, strength: float = 10.0
) -> np.ndarray:
    """Return how each annotator errs, (m, k, k): [j, t, c] = P(j says c | truth t), shrunk to how all of them err.

        (answers of j for c where it is t + strength · all's share of c where it is t) / (answers of j where it is t + strength)

    and all's shares themselves are shrunk by one answer per class that is right four times in five. Who answered little errs
    like the others until shown otherwise. O(v k + m k²).

    Parameters
    ----------
    sources, said : (v,) annotator and class number of each answer
    truth : (v, k) probabilities of the truth of each answer's row; rows sum to 1
    n_annotators : m; those without an answer err like all
    strength : answers per class that the errors of all weigh as much as, > 0; default 10

    Returns
    -------
    array, (m, k, k)
        In (0, 1); sums to 1 over the last axis.

    Source
    ------
    Dawid, Skene (1979), Applied Statistics 28, equation 2.3; shrinkage as in Liu, Wang (2012), TrueLabel + Confusions, ICML.

    Examples
    --------
    >>> truth = np.eye(2)[[0, 0, 1, 1]]
    >>> confusions_of(np.zeros(4, dtype=int), np.array([0, 0, 1, 0]), truth, 2, strength=2.0)[0].round(2).tolist()
    [[0.97, 0.03], [0.45, 0.55]]
    """
    if strength <= 0:
        raise InputError("the strength is a number of answers above 0")
    k = truth.shape[1]
    places = sources * k + said
    by_class = [np.bincount(places, weights=truth[:, t], minlength=n_annotators * k) for t in range(k)]
    counts = np.stack(by_class, axis=1).reshape(n_annotators, k, k).transpose(0, 2, 1)
    believed = np.full((k, k), 0.2 / max(k - 1, 1))
    np.fill_diagonal(believed, 0.8 if k > 1 else 1.0)
    pooled = counts.sum(axis=0) + believed
    pooled /= pooled.sum(axis=1, keepdims=True)
    shrunk = counts + strength * pooled
    return np.asarray(shrunk / shrunk.sum(axis=2, keepdims=True))


def pair_kappas(
    rows: IntVector, sources: IntVector, said: IntVector, *, n_rows: int, n_annotators: int, n_classes: int, least: int
) -> list[PairKappa]:
    """Return Cohen's kappa of the pairs that share enough rows, worst first; pairs that both say one class only are left out.

    The 20,000 pairs that share most rows are compared. O(sum over rows of answers²).

    Parameters
    ----------
    rows, sources, said : (v,) row, annotator and class number of each answer
    n_rows, n_annotators, n_classes : n, m, k
    least : rows that a pair must share, at least 1

    Returns
    -------
    list of PairKappa
        By rising kappa, then by number.

    Source
    ------
    Cohen (1960), A coefficient of agreement for nominal scales, Educational and Psychological Measurement 20.

    Examples
    --------
    >>> said = np.array([0, 0, 1, 1, 1, 1, 0, 1])
    >>> shape = {"n_rows": 4, "n_annotators": 2, "n_classes": 2}
    >>> [pair] = pair_kappas(np.repeat(np.arange(4), 2), np.tile([0, 1], 4), said, **shape, least=4)
    >>> pair.shared, round(pair.kappa.value, 2)
    (4, 0.5)
    """
    by_person = csc_array((said + 1, (rows, sources)), shape=(n_rows, n_annotators))
    cast = csr_array((np.ones(len(rows)), (rows, sources)), shape=(n_rows, n_annotators))
    shared = np.triu(np.asarray((cast.T @ cast).toarray()), 1)
    one, other = np.nonzero(shared >= max(least, 1))
    order = np.argsort(-shared[one, other], kind="stable")[:MOST_PAIRS]
    found = []
    for i, j in zip(one[order].tolist(), other[order].tolist(), strict=True):
        first, second = _together(by_person, i, j)
        try:
            found.append(PairKappa(i, j, len(first), cohen_kappa(first, second, n_classes)))
        except InputError:
            continue
    return sorted(found, key=lambda pair: (pair.kappa.value, pair.first, pair.second))


def _together(by_person: csc_array, i: int, j: int) -> tuple[IntVector, IntVector]:
    """Return what two annotators say of the rows that both answered."""
    parts = []
    by_person.sort_indices()
    for person in (i, j):
        inside = slice(by_person.indptr[person], by_person.indptr[person + 1])
        parts.append((by_person.indices[inside], by_person.data[inside] - 1))
    (rows_i, said_i), (rows_j, said_j) = parts
    _, at_i, at_j = np.intersect1d(rows_i, rows_j, assume_unique=True, return_indices=True)
    return said_i[at_i].astype(np.intp), said_j[at_j].astype(np.intp)
