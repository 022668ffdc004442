"""Majority: the share of a row's votes that each class gets.

    p(class c) = (votes for c + a / k) / (votes + a)          a = pseudo_votes, split evenly

No labeler is taken to be better than another. Ties stay ties. One vote spread evenly over the classes is added to
every row, because a single labeler that speaks is no certainty.

Source: Condorcet (1785), Essai sur l'application de l'analyse; the added vote is Laplace's rule (1814).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import Matrix, Vector
from tilth.core.labelling import Known, Labelling
from tilth.core.votes import Votes
from tilth.labeling._shared import Ballots, ballots_of, labelling_of, refuse_no_votes, settled

__all__ = ["Majority", "majority"]

NOTHING = Known()
ROWS = 100_000


def majority(votes: Matrix, *, pseudo_votes: float = 1.0) -> Matrix:
    """Return the share of the votes that each class gets in each row.

    Parameters
    ----------
    votes : Matrix, (n, k)
        Number of votes of each row for each class, >= 0.
    pseudo_votes : float
        Votes that are added to every row, split evenly over the classes; default 1.

    Returns
    -------
    Matrix, (n, k)
        Rows sum to 1, in row order; rows without a vote are even.

    Randomness
    ----------
    None.

    Source
    ------
    Condorcet (1785); Laplace (1814).

    Examples
    --------
    >>> majority(np.array([[2.0, 1.0], [0.0, 1.0], [0.0, 0.0]])).tolist()
    [[0.625, 0.375], [0.25, 0.75], [0.5, 0.5]]
    """
    k = votes.shape[1]
    total = votes.sum(axis=1, keepdims=True) + pseudo_votes
    return np.asarray(np.where(total > 0, (votes + pseudo_votes / k) / np.where(total > 0, total, 1.0), 1.0 / k))


@dataclass(frozen=True, slots=True, kw_only=True)
class Majority:
    """Give each class its share of the row's votes, every labeler counting alike.

    The prior is the mean share over rows with a vote, unless it is known; an accuracy is the mean
    probability of what the labeler says. Trusted rows keep their truth. O(v + n k).

    Parameters
    ----------
    pseudo_votes : float
        Votes added to every row, split evenly over the classes, >= 0; default 1.

    Raises
    ------
    NotApplicable
        No labeler votes on any row.

    Randomness
    ----------
    None.

    Source
    ------
    Condorcet (1785); Laplace (1814).
    """

    pseudo_votes: float = 1.0

    revision: ClassVar[int] = 1

    def fit(self, votes: Votes, known: Known = NOTHING) -> Labelling:
        """Return how probable what each labeler says is on average, and the share of each class."""
        refuse_no_votes(votes)
        ballots = ballots_of(votes)
        shares = majority(ballots.shares, pseudo_votes=self.pseudo_votes)
        prior = known.prior if known.prior is not None else shares[ballots.covered].mean(axis=0)
        accuracy, information = _believed(ballots, self.pseudo_votes)
        return labelling_of(
            "majority",
            votes,
            ballots,
            prior=np.asarray(prior, dtype=np.float64),
            accuracy=accuracy,
            information=information,
            parameters={"pseudo_votes": np.array([self.pseudo_votes])},
        )

    def predict(self, votes: Votes, labelling: Labelling, known: Known = NOTHING) -> Matrix:
        """Return the share of votes, (n, k); the prior where there is none, the truth where it is trusted."""
        ballots = ballots_of(votes)
        shares = majority(ballots.shares, pseudo_votes=float(labelling.parameters["pseudo_votes"][0]))
        return settled(shares, ballots.covered, labelling.prior, known)


def _believed(ballots: Ballots, pseudo_votes: float) -> tuple[Vector, Vector]:
    """Mean probability of what each labeler says, and the rows on which another votes too; (m,), (m,).

    Beyond 100,000 rows evenly spaced ones tell.
    """
    if len(ballots) > ROWS:
        ballots = ballots.take(np.linspace(0, len(ballots) - 1, ROWS).astype(np.intp))
    matrix, k, m = ballots.matrix, ballots.n_classes, ballots.n_labelers
    rows = np.repeat(np.arange(len(ballots)), np.diff(matrix.indptr))
    source, said = matrix.indices // k, matrix.indices % k
    sure = majority(ballots.shares, pseudo_votes=pseudo_votes)[rows, said]
    cast = np.bincount(source, weights=matrix.data, minlength=m)
    right = np.bincount(source, weights=matrix.data * sure, minlength=m)
    checked = np.bincount(source, weights=matrix.data * (ballots.n_votes[rows] > 1.5), minlength=m)
    return right / np.maximum(cast, 1.0), np.asarray(checked, dtype=np.float64)
