"""Labelers that repeat one another: copies, exact or not, count by what they tell beside the others.

On the rows where i and j both vote, labelers that err independently agree beyond chance by a product of two factors:

    c_ij = share of equal votes - sum over v of  P(i says v) P(j says v)  =  g_i g_j

whatever the shares of the classes and the errors, exactly for two classes and nearly for more. The factors are medians over triplets,
which a minority of copies does not move, whatever a fit to all votes would make of them. What a pair agrees beyond it,

    d_ij = (c_ij - g_i g_j) / (the most that c_ij could be - g_i g_j)

is the share of votes that one takes from the other, or both from a common source. A labeler's vote then counts

    worth_i = 1 / (1 + sum over j of  d_ij · share of i's votes where j votes too)

which for r copies at d everywhere is the effective number r / (1 + (r - 1) d) over r.

Source: Varma, Sala, He, Ratner, Ré (2019), Learning dependency structures for weak supervision models, ICML (low rank and sparse
parts of what labelers share; here pair by pair, robustly); Kish (1965), Survey Sampling, section 5.4 (effective number).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.labeling._shared.ballots import Ballots
from tilth.numerics.rank_one import rank_one_squares

__all__ = ["Dependence", "dependence_of"]

ALIKE = 0.95
"""Votes that two labelers share, of the votes that either casts, from which on they count as copies."""
LEAST_VOTES = 20
PAIRS = 1_000_000
"""Pairs of votes of one row that are looked at; beyond it, evenly spaced rows are."""
LEAST_SHARED = 100
"""Rows on which both vote that are needed to tell repeating from luck."""
LEAST_Z, LEAST_PART = 8.0, 0.25
LEAST_PRODUCT = 1e-3
MOST_LABELERS = 2_000
MOST_PART = 0.5
"""Share of the labelers from which on a group is not taken for repeating: they may be those that are right."""
ROUNDS = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Dependence:
    """Who repeats whom.

    Parameters
    ----------
    groups : (m,) a number for each labeler; those that repeat one another, directly or through others, share one
    worth : (m,) what a vote of each counts, in (0, 1]
    """

    groups: IntVector
    worth: Vector


def dependence_of(ballots: Ballots) -> Dependence:
    """Return which labelers repeat one another, and what a vote of each is worth.

    Two labelers are copies when they share 95 % of the votes that either casts, 20 at least; they repeat one another in part
    where a quarter of what they could agree beyond the truth they do agree, by 8 standard errors on 100 common rows. Where a
    group would hold half of the labelers, it is left alone: they may simply be right.
    """
    m = ballots.n_labelers
    repeated = _within(_copies(ballots), m - 1)
    if m <= MOST_LABELERS:
        repeated = repeated.maximum(_within(csr_array(_in_part(ballots)), int(MOST_PART * m)))
    if not repeated.nnz:
        return Dependence(groups=np.arange(m), worth=np.ones(m))
    _, groups = connected_components(repeated, directed=False)
    return Dependence(groups=groups.astype(np.intp), worth=1.0 / (1.0 + _repeated_votes(ballots, repeated)))


def _within(links: csr_array, most: int) -> csr_array:
    """Return the links of groups of at most so many labelers."""
    _, groups = connected_components(links, directed=False)
    small = (np.bincount(groups)[groups] <= most).astype(np.float64)
    return csr_array(links.multiply(small[:, None]))


def _copies(ballots: Ballots) -> csr_array:
    """1 for each pair of copies; (m, m)."""
    shared = _shared_votes(ballots).tocoo()
    one, other, both = shared.row, shared.col, shared.data
    cast = np.zeros(ballots.n_labelers)
    cast[one[one == other]] = both[one == other]
    alike = (one != other) & (both >= LEAST_VOTES) & (both >= ALIKE * (cast[one] + cast[other] - both))
    return csr_array((np.ones(int(alike.sum())), (one[alike], other[alike])), shape=shared.shape)


def _in_part(ballots: Ballots) -> Matrix:
    """Share of votes that pairs of labelers repeat, 0 where it is no more than luck; (m, m)."""
    m = ballots.n_labelers
    shared, equal, chance = _agreement(_thinned(ballots))
    usable = (shared >= LEAST_SHARED) & ~np.eye(m, dtype=bool) & (chance < 1.0 - 20.0 * LEAST_PRODUCT)
    if not usable.any():
        return np.zeros((m, m))
    beyond = equal - chance
    error = np.sqrt(np.maximum(equal * (1.0 - equal), LEAST_PRODUCT) / np.maximum(shared, 1.0))
    repeats = np.zeros((m, m), dtype=bool)
    part = np.zeros((m, m))
    for _ in range(ROUNDS):
        squares = rank_one_squares(beyond, usable & ~repeats, shared, least=LEAST_PRODUCT)
        factors = np.sqrt(np.maximum(squares, 0.0))
        by_truth = np.outer(factors, factors)
        part = (beyond - by_truth) / np.maximum(1.0 - chance - by_truth, 20.0 * LEAST_PRODUCT)
        found = usable & (beyond - by_truth > LEAST_Z * error) & (part > LEAST_PART)
        if (found == repeats).all():
            break
        repeats = found
    return np.where(repeats, np.clip(part, 0.0, 1.0), 0.0)


def _agreement(ballots: Ballots) -> tuple[Matrix, Matrix, Matrix]:
    """Rows on which two labelers vote, the share of equal votes there, and the share that chance would give; (m, m) each."""
    m, k = ballots.n_labelers, ballots.n_classes
    of_class = [ballots.matrix[:, np.arange(m) * k + said] for said in range(k)]
    spoke = sum(of_class[1:], of_class[0])
    shared = (spoke.T @ spoke).toarray()
    equal, chance = np.zeros((m, m)), np.zeros((m, m))
    for votes in of_class:
        equal += (votes.T @ votes).toarray()
        said_beside = (votes.T @ spoke).toarray()
        chance += said_beside * said_beside.T
    count = np.maximum(shared, 1.0)
    return shared, equal / count, chance / count**2


def _repeated_votes(ballots: Ballots, repeated: csr_array) -> Vector:
    """Votes of others that repeat one of each labeler's, on average; (m,)."""
    m, k = ballots.n_labelers, ballots.n_classes
    matrix = _thinned(ballots).matrix
    spoke = csr_array((matrix.data, matrix.indices // k, matrix.indptr), shape=(matrix.shape[0], m))
    together = csr_array(spoke.T @ spoke)
    cast = np.maximum(together.diagonal(), 1.0)
    return np.asarray(repeated.multiply(together).sum(axis=1)).ravel() / cast


def _thinned(ballots: Ballots) -> Ballots:
    step = max(1, int(np.ceil(float(np.square(ballots.n_votes).sum()) / PAIRS)))
    return ballots if step == 1 else ballots.take(np.arange(0, len(ballots), step))


def _shared_votes(ballots: Ballots) -> csr_array:
    """Votes for the same class on the same row of each pair of labelers, and of each with itself; (m, m)."""
    matrix = _thinned(ballots).matrix.tocoo()
    source, said = matrix.col // ballots.n_classes, matrix.col % ballots.n_classes
    places = (matrix.row.astype(np.int64) * ballots.n_classes + said, source)
    shape = (matrix.shape[0] * ballots.n_classes, ballots.n_labelers)
    by_class = csr_array((matrix.data, places), shape=shape)
    return csr_array(by_class.T @ by_class)
