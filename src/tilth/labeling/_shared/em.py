"""Expectation maximisation as an iterated fold: blocks of rows give sums, sums of blocks add up, and they give parameters.

    p(class c | row) ∝ prior(c) · [ product over its votes of  chance_i(v | c) ] ^ (1 / (1 + (votes - 1) · overlap))

Silence counts or does not:

    counts      chance_i(v | c) = voting_i(c) saying_i(v | c) / (1 - voting_i(c)), and 1 - voting_i(c) for every labeler
    does not    chance_i(v | c) = voting_i(c) saying_i(v | c) / sum of voting(c): given that somebody speaks, who says what

`overlap` is the share of its evidence that a further vote repeats: 0 for independent labelers, 1 for one opinion in many
mouths. A cluster runs the same `fold` on its own blocks and `merge`s what comes back; only `Statistics` and
`Parameters` travel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from tilth.core.arrays import Mask, Matrix, Vector
from tilth.labeling._shared.ballots import Ballots

__all__ = [
    "Parameters",
    "Statistics",
    "Told",
    "Update",
    "discount",
    "fold",
    "gathered",
    "iterate",
    "merge",
    "normalised",
    "start",
]

TINY = 1e-9
LONGEST = 16.0
"""Longest leap, in steps."""
Update = Callable[["Statistics"], "Parameters"]
"""The maximisation: sums over all rows to parameters."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Parameters:
    """What is believed of the classes and the labelers.

    Parameters
    ----------
    prior : (k,) share of each class
    voting : (m, k) P(labeler votes | truth), in (0, 1)
    saying : (m, k, k) [i, v, c] = P(labeler i says v | truth c, it votes)
    silence : whether it counts that a labeler abstains
    overlap : share of its evidence that a further vote on a row repeats, in [0, 1]
    inverts : whether a vote may speak against the class that it names; else it tells nothing at worst
    """

    prior: Vector
    voting: Matrix
    saying: np.ndarray
    silence: bool
    overlap: float = 0.0
    inverts: bool = False

    @cached_property
    def start(self) -> Vector:
        """Log score of each class before any vote; (k,)."""
        return np.asarray(np.log(np.maximum(self.prior, TINY)))

    @cached_property
    def base(self) -> Vector:
        """What the silence of all labelers adds to the log score of each class; (k,)."""
        return np.asarray(np.log1p(-self.voting).sum(axis=0) * self.silence)

    @cached_property
    def weights(self) -> Matrix:
        """What a vote adds to the log score of each class; (m k, k)."""
        against = 1.0 - self.voting if self.silence else self.voting.sum(axis=0, keepdims=True)
        chances = np.maximum(self.saying, TINY) * (self.voting / against)[:, None, :]
        return np.asarray(np.log(self._never_against_itself(chances)).reshape(-1, len(self.prior)))

    def _never_against_itself(self, chances: np.ndarray) -> np.ndarray:
        """Pool the chances of a vote over the class it names and the classes that it would rather speak for; (m, k, k)."""
        own = np.einsum("ivv->iv", chances)[:, :, None]
        better = chances >= own
        if self.inverts or not (chances > own).any():
            return chances
        shares = np.maximum(self.prior, TINY) * better
        pooled = (chances * shares).sum(axis=2, keepdims=True) / shares.sum(axis=2, keepdims=True)
        return np.where(better, pooled, chances)

    def posterior(self, block: csr_array, n_votes: Vector) -> tuple[Matrix, float]:
        """Return p(class | votes) of each row and the log likelihood of all; (b, m k), (b,) -> (b, k)."""
        scores = np.asarray(block @ self.weights)
        scores += self.base
        if self.overlap > 0:
            scores *= discount(n_votes, self.overlap)[:, None]
        scores += self.start
        probs, logs = normalised(scores)
        return probs, float(logs.sum())


def discount(n_votes: Vector, overlap: float) -> Vector:
    """Return what each of a row's votes is worth when a further one repeats a share of the evidence; (b,) -> (b,)."""
    return np.asarray(1.0 / (1.0 + np.maximum(n_votes - 1.0, 0.0) * overlap))


def normalised(scores: Matrix) -> tuple[Matrix, Vector]:
    """Turn log scores into probabilities in place, and return the logs of their sums too; (b, k) -> (b, k), (b,).

    Columns are folded one by one: NumPy's reductions over a short last axis cost ten times as much.
    """
    highest = scores[:, 0].copy()
    for column in range(1, scores.shape[1]):
        np.maximum(highest, scores[:, column], out=highest)
    scores -= highest[:, None]
    np.exp(scores, out=scores)
    sums = scores @ np.ones(scores.shape[1])
    scores /= sums[:, None]
    return scores, highest + np.log(sums)


@dataclass(frozen=True, kw_only=True, eq=False)
class Told:
    """Rows to learn from: their ballots, and the truth of those that are trusted.

    Parameters
    ----------
    ballots : n rows
    truth : (n, k) distribution over classes; only rows in `trusted` are read
    trusted : (n,)
    """

    ballots: Ballots
    truth: Matrix | None = None
    trusted: Mask | None = None

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.ballots)

    def thinned(self, limit: int) -> Told:
        """Return at most `limit` rows, evenly spaced."""
        if len(self) <= limit:
            return self
        rows = np.linspace(0, len(self) - 1, limit).astype(np.intp)
        return Told(
            ballots=self.ballots.take(rows),
            truth=None if self.truth is None else self.truth[rows],
            trusted=None if self.trusted is None else self.trusted[rows],
        )

    def settle(self, posterior: Matrix, rows: slice) -> Matrix:
        """Put the truth on the trusted rows of a block's posterior, in place."""
        if self.truth is not None and self.trusted is not None:
            held = self.trusted[rows]
            posterior[held] = self.truth[rows][held]
        return posterior


@dataclass(frozen=True, kw_only=True, eq=False)
class Statistics:
    """Sums over rows: all that the next parameters depend on.

    Parameters
    ----------
    counts : (m k, k) [i k + v, c] = expected votes of labeler i for v on rows whose truth is c
    totals : (k,) expected rows of each class
    log_likelihood : sum over rows of log p(votes of the row)
    """

    counts: Matrix
    totals: Vector
    log_likelihood: float = 0.0

    def scaled(self, factor: float) -> Statistics:
        """Return the sums as if there were so many times the rows."""
        return Statistics(
            counts=factor * self.counts, totals=factor * self.totals, log_likelihood=factor * self.log_likelihood
        )


def start(ballots: Ballots) -> Statistics:
    """Return the sums over no row."""
    shape = (ballots.n_labelers * ballots.n_classes, ballots.n_classes)
    return Statistics(counts=np.zeros(shape), totals=np.zeros(ballots.n_classes))


def merge(left: Statistics, right: Statistics) -> Statistics:
    """Return the sums over the rows of both."""
    return Statistics(
        counts=left.counts + right.counts,
        totals=left.totals + right.totals,
        log_likelihood=left.log_likelihood + right.log_likelihood,
    )


def fold(state: Statistics, block: csr_array, posterior: Matrix, log_likelihood: float = 0.0) -> Statistics:
    """Return the sums with one block of rows taken in; (b, m k), (b, k)."""
    counts, totals = np.asarray(block.T @ posterior), posterior.sum(axis=0)
    return merge(state, Statistics(counts=counts, totals=totals, log_likelihood=log_likelihood))


def gathered(told: Told, believed: Parameters | Matrix) -> Statistics:
    """Return the sums over all rows under some parameters or under a posterior (n, k); trusted rows count with their truth."""
    ballots = told.ballots
    state = start(ballots)
    for rows in ballots.blocks():
        block = ballots.block(rows)
        if isinstance(believed, Parameters):
            posterior, likelihood = believed.posterior(block, ballots.n_votes[rows])
        else:
            posterior, likelihood = np.array(believed[rows]), 0.0
        state = fold(state, block, told.settle(posterior, rows), likelihood)
    return state


def iterate(told: Told, first: Statistics, update: Update, *, tolerance: float, rounds: int) -> Statistics:
    """Return sums that a further round would hardly move: by less than a share `tolerance` of all votes.

    Every two rounds the sums leap along the path that they took (squared extrapolation, scheme S3): sums of a row's
    votes stay what they are, whatever the length of the leap, and negative ones are cut.

    Source: Varadhan, Roland (2008), Simple and globally convergent methods for accelerating the convergence of any EM
    algorithm, Scandinavian Journal of Statistics 35.
    """
    state, left = first, rounds
    while left > 0:
        one = gathered(told, update(state))
        left -= 1
        if _moved(state, one) < tolerance or left == 0:
            return one
        two = gathered(told, update(one))
        left -= 1
        if _moved(one, two) < tolerance or left == 0:
            return two
        state = _leap(state, one, two)
    return state


def _moved(old: Statistics, new: Statistics) -> float:
    return float(np.abs(new.counts - old.counts).sum() / max(2.0 * float(new.counts.sum()), TINY))


def _leap(state: Statistics, one: Statistics, two: Statistics) -> Statistics:
    step, bend = one.counts - state.counts, two.counts - 2.0 * one.counts + state.counts
    length = min(max(float(np.linalg.norm(step)) / max(float(np.linalg.norm(bend)), TINY), 1.0), LONGEST)

    def ahead(a: Matrix, b: Matrix, c: Matrix) -> Matrix:
        values = np.maximum(a + 2.0 * length * (b - a) + length**2 * (c - 2.0 * b + a), 0.0)
        sums = values.sum(axis=-1, keepdims=True)
        return np.asarray(values * (c.sum(axis=-1, keepdims=True) / np.maximum(sums, TINY)))

    return Statistics(
        counts=ahead(state.counts, one.counts, two.counts), totals=ahead(state.totals, one.totals, two.totals)
    )
