"""What the votes say of the assumptions: handed-out rows, silence that means something, votes that repeat one another."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_array

from tilth.core.arrays import Matrix, Vector
from tilth.labeling._shared.ballots import Ballots
from tilth.labeling._shared.em import Parameters, discount, normalised

__all__ = ["is_handed_out", "misfit", "overlap_of"]

EVEN = 0.25
"""Rows count as handed out where the number of votes per row varies less than this part of what chance would give."""
GRID = np.array([0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0])
BELIEVED = np.gradient(GRID) * np.where((GRID == 0.0) | (GRID == 1.0), 0.5, 1.0) + (GRID == 0.0)
"""Belief in each overlap before votes are seen: none is as likely as any other value between 0 and 1."""
MOST_LABELERS = 2_000
SILENCES = 50_000
"""Most (row, labeler) pairs whose silence is foretold."""


def is_handed_out(ballots: Ballots) -> bool:
    """Whether rows were given to people so that each gets about the same number of answers.

    Labelers that choose their own rows leave a spread in the number of votes per row; where it is missing, that a
    person does not answer a row means that nobody asked.
    """
    rates = ballots.said.sum(axis=1) / max(len(ballots), 1)
    by_chance = float((rates * np.clip(1.0 - rates, 0.0, 1.0)).sum())
    return bool(ballots.n_votes.var() <= EVEN * by_chance)


def misfit(ballots: Ballots, believed: Parameters) -> float:
    """Return by how much the model misses how often two labelers vote on one row, as a share of what it expects.

    The sum over pairs of absolute differences, less what chance alone gives, over the sum of the expected. Rules that look
    at the same words speak together, or keep silent together, for other reasons than the class: then silence is no
    evidence to multiply up. Inf for more than 2,000 labelers, whose pairs are too many.
    """
    m, k = ballots.n_labelers, ballots.n_classes
    if m > MOST_LABELERS:
        return float("inf")
    matrix = ballots.matrix
    spoke = csr_array((matrix.data, matrix.indices // k, matrix.indptr), shape=(len(ballots), m))
    together = (spoke.T @ spoke).toarray() / len(ballots)
    expected = (believed.voting * believed.prior) @ believed.voting.T
    pairs = np.triu_indices(m, 1)
    seen, made = together[pairs], expected[pairs]
    chance = np.minimum(np.sqrt(2.0 / np.pi * made * (1.0 - np.minimum(made, 1.0)) / len(ballots)), 2.0 * made)
    return max(float(np.abs(seen - made).sum() - chance.sum()), 0.0) / max(float(made.sum()), 1e-9)


def overlap_of(ballots: Ballots, believed: Parameters) -> float:
    """Return the overlap of evidence: its mean given how well votes are foretold by the others of their rows.

    What a labeler does on a row is foretold by a posterior without it. Too sure a posterior foretells badly where people
    agree less than their accuracies say. Where silence counts, silences are foretold too; where it does not, who says
    what given that one more vote is cast. Only rows where two votes or more are left tell anything: without any, the
    mean is a quarter, for none is believed as likely as all other values together.
    """
    foretold = _left_out(ballots, believed)
    gains = np.zeros(len(GRID))
    for rest, others, chance in foretold:
        gains += [_log_chance(believed.start, rest, others, chance, overlap) for overlap in GRID]
    likely = np.exp(gains - gains.max()) * BELIEVED
    return float(GRID @ likely / likely.sum())


def _left_out(ballots: Ballots, believed: Parameters) -> Iterator[tuple[Matrix, Vector, Matrix]]:
    """Yield log scores without one labeler (v, k), how many votes are left (v,), and the chances of what it did (v, k)."""
    matrix = ballots.matrix
    rows = np.repeat(np.arange(len(ballots)), np.diff(matrix.indptr))
    scores = np.asarray(matrix @ believed.weights) + believed.base
    silence = np.log1p(-believed.voting) if believed.silence else np.zeros_like(believed.voting)
    several = ballots.n_votes[rows] > 2.0
    rows, columns = rows[several], matrix.indices[several]
    vote, silent = believed.weights[columns], silence[columns // ballots.n_classes]
    yield scores[rows] - vote - silent, ballots.n_votes[rows] - 1.0, np.exp(vote + silent)
    if believed.silence:
        part = np.flatnonzero(ballots.n_votes > 1.0)
        part = part[:: max(1, part.size * ballots.n_labelers // SILENCES)]
        spoke = np.zeros((len(part), ballots.n_labelers), dtype=bool)
        taken = ballots.take(part).matrix
        spoke[np.repeat(np.arange(len(part)), np.diff(taken.indptr)), taken.indices // ballots.n_classes] = True
        at, who = np.nonzero(~spoke)
        yield scores[part[at]] - silence[who], ballots.n_votes[part[at]], np.exp(silence[who])


def _log_chance(first: Vector, rest: Matrix, others: Vector, chance: Matrix, overlap: float) -> float:
    """Log likelihood of what was left out under the posteriors without it; (k,), (v, k), (v,), (v, k)."""
    probs, _ = normalised(rest * discount(others, overlap)[:, None] + first)
    return float(np.log(np.einsum("vk,vk->v", probs, chance)).sum())
