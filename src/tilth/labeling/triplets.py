"""Triplets: accuracies in closed form, from how often labelers agree two by two.

    s_i = (k p_i - 1) / (k - 1)                     skill of a labeler that is right with probability p_i, wrong evenly
    c_ij = (k agreement_ij - 1) / (k - 1) = s_i s_j     whatever the shares of the classes
    |s_i| = sqrt(c_ij c_il / c_jl)                  median over pairs (j, l) of partners

No iteration and no start that could lead astray; skills are taken to be positive. A labeler has as partners the 30 others
with which it shares most rows. Votes that only ever name one class agree or not by where they stand, not by skill:
such labelers are no partners, and believed to be as skilled as the others are on average.

Source: Fu, Chen, Sala, Hooper, Fatahalian, Ré (2020), Fast and three-rious, ICML, section 3 (binary, median over triplets);
the agreement of symmetric labelers of k classes: Bonald, Combes (2017), A minimax optimal algorithm for crowdsourcing, NeurIPS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import IntVector, Mask, Matrix, Vector
from tilth.core.errors import NotApplicable
from tilth.core.labelling import Known, Labelling
from tilth.core.votes import Votes
from tilth.labeling._shared import Ballots, Belief, Parameters, fit_in_one_step, predict_by_scores
from tilth.numerics.rank_one import rank_one_squares

__all__ = ["Triplets", "skills"]

NOTHING = Known()
LEAST_SHARED = 10
MOST_LABELERS = 3_000
"""Beyond it a square matrix of labelers takes gigabytes."""
LEAST, MOST = 0.02, 0.98


def skills(agreement: Matrix, shared: Matrix) -> Vector:
    """Return the skill of each labeler by the median over its triplets.

    Parameters
    ----------
    agreement : Matrix, (m, m)
        Agreement of each pair, corrected for chance, in [-1, 1]; the diagonal is not read.
    shared : Matrix, (m, m)
        Rows on which both vote; pairs with fewer than ten are not used.

    Returns
    -------
    Vector, (m,)
        Skills in [0.02, 0.98]; nan for a labeler without a triplet.

    Randomness
    ----------
    None.

    Source
    ------
    Fu et al. (2020), ICML, section 3.

    Examples
    --------
    >>> true = np.array([0.8, 0.6, 0.4])
    >>> skills(np.outer(true, true), np.full((3, 3), 100.0)).round(3).tolist()
    [0.8, 0.6, 0.4]
    """
    usable = (shared >= LEAST_SHARED) & ~np.eye(len(agreement), dtype=bool)
    squares = rank_one_squares(agreement, usable, shared, least=LEAST**2)
    return np.sqrt(np.clip(squares, LEAST**2, MOST**2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Triplets:
    """Learn one accuracy per labeler in closed form from pairwise agreement, and weigh its votes by it.

    Errors are taken to be even over the wrong classes, labelers to be independent given the truth, and who votes where to tell
    nothing. The shares of the classes follow from what labelers of known skill say. Cost: O(v · votes per row + 450 m)
    time, O(m^2) memory: for thousands of labelers at most.

    Parameters
    ----------
    accuracy : float
        Share of right votes that a labeler is believed to have before votes are seen; default 0.8, four in five.
    strength : float
        Votes that this belief weighs as much as, and rows that equal shares of the classes do; default 50.

    Raises
    ------
    NotApplicable
        Fewer than three labelers that name two classes or more share ten rows two by two, or there are more than 3,000.

    Randomness
    ----------
    None.

    Source
    ------
    Fu et al. (2020), Fast and three-rious, ICML.
    """

    accuracy: float = 0.8
    strength: float = 50.0

    revision: ClassVar[int] = 2

    def fit(self, votes: Votes, known: Known = NOTHING) -> Labelling:
        """Return each labeler's accuracy, and the share of each class."""
        if len(votes.labelers) > MOST_LABELERS:
            raise NotApplicable(f"{len(votes.labelers):,} labelers are too many to look at two by two")
        belief = Belief(accuracy=self.accuracy, strength=self.strength, by_class=np.inf)
        return fit_in_one_step("triplets", votes, known, belief, self._estimate)

    def predict(self, votes: Votes, labelling: Labelling, known: Known = NOTHING) -> Matrix:
        """Return p(truth | votes), (n, k); the prior where there is no vote, the truth where it is trusted."""
        return predict_by_scores(votes, labelling, known)

    def _estimate(self, ballots: Ballots, prior: Vector | None) -> Parameters:
        k, said = ballots.n_classes, ballots.said
        cast = said.sum(axis=1)
        agreement, shared = _agreement(ballots, (said > 0).sum(axis=1) > 1)
        skill = skills(agreement, shared)
        if np.isnan(skill).all():
            raise NotApplicable(
                "no three labelers share rows two by two", next_step="use majority, or add labelers that overlap"
            )
        skill = np.where(np.isnan(skill), np.nanmean(skill), skill)
        believed = (k * self.accuracy - 1.0) / (k - 1.0)
        skill = (cast * skill + self.strength * believed) / (cast + self.strength)
        right = (1.0 + (k - 1.0) * skill) / k
        saying = np.where(np.eye(k, dtype=bool), right[:, None, None], ((1.0 - right) / (k - 1.0))[:, None, None])
        rate = np.clip(cast / len(ballots), 1e-9, 1.0 - 1e-6)
        shares = self._shares(said, cast, skill, len(ballots)) if prior is None else prior
        return Parameters(prior=shares, voting=np.repeat(rate[:, None], k, axis=1), saying=saying, silence=False)

    def _shares(self, said: Matrix, cast: Vector, skill: Vector, rows: int) -> Vector:
        """Shares of classes under which skilled labelers say what they say; (m, k), (m,), (m,) -> (k,)."""
        k = said.shape[1]
        excess = said - cast[:, None] * (1.0 - skill[:, None]) / k
        shares = np.maximum((skill[:, None] * excess).sum(axis=0) / (cast * skill**2).sum(), 0.0)
        shares /= shares.sum()
        return np.asarray((rows * shares + self.strength / k) / (rows + self.strength))


def _agreement(ballots: Ballots, partners: Mask) -> tuple[Matrix, Matrix]:
    """Chance-corrected agreement of each pair and the rows that it shares, 0 for those that are no partners; (m, m)."""
    k = ballots.n_classes
    spoke = np.zeros((ballots.n_labelers, ballots.n_labelers))
    alike = np.zeros_like(spoke)
    for said in range(k):
        votes = ballots.matrix[:, _columns(ballots, said)]
        alike += (votes.T @ votes).toarray()
    voted = sum(
        (ballots.matrix[:, _columns(ballots, said)] for said in range(1, k)), ballots.matrix[:, _columns(ballots, 0)]
    )
    spoke = (voted.T @ voted).toarray() * np.outer(partners, partners)
    share = np.divide(alike, spoke, out=np.full_like(alike, 1.0 / k), where=spoke > 0)
    return (k * share - 1.0) / (k - 1.0), spoke


def _columns(ballots: Ballots, said: int) -> IntVector:
    return np.arange(ballots.n_labelers) * ballots.n_classes + said
