"""Weighted majority: votes weigh what the majority says of them, once.

    p(class c | row) ∝ prior(c) · product over its votes of  p(c | labeler i says v) / prior(c)

The majority's shares stand in for the truth while each kind of vote ("labeler i says v") is judged by the rows on which it
is cast; there is no second pass. A kind of vote is believed to be right four times in five, as strongly as 50 votes
would say it. With one pass nothing can run away: it keeps near the majority, and is well calibrated where labelers err
together.

Source: Littlestone, Warmuth (1994), The weighted majority algorithm, Information and Computation 108; the first step
of expectation maximisation from a majority start is Dawid, Skene (1979), Applied Statistics 28, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tilth.core.arrays import Matrix
from tilth.core.labelling import Known, Labelling
from tilth.core.votes import Votes
from tilth.labeling._shared import Belief, fit_by_em, predict_by_scores

__all__ = ["WeightedMajority"]

NOTHING = Known()


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedMajority:
    """Weigh each vote by how right the majority finds votes of its kind.

    Parameters
    ----------
    accuracy : float
        Share of right votes that a labeler is believed to have before votes are seen; default 0.8, four in five.
    strength : float
        Votes that this belief weighs as much as, and rows that equal shares of the classes do; default 50.
    by_class : float
        Votes per class that "it errs alike in all classes" weighs as much as; default 10.

    Raises
    ------
    NotApplicable
        No labeler votes on any row.

    Randomness
    ----------
    None.

    Source
    ------
    Littlestone, Warmuth (1994), Information and Computation 108.
    """

    accuracy: float = 0.8
    strength: float = 50.0
    by_class: float = 10.0

    revision: ClassVar[int] = 2

    def fit(self, votes: Votes, known: Known = NOTHING) -> Labelling:
        """Return how right the majority finds each labeler, and the share of each class."""
        belief = Belief(accuracy=self.accuracy, strength=self.strength, by_class=self.by_class)
        return fit_by_em("weighted_majority", votes, known, belief, passes=1)

    def predict(self, votes: Votes, labelling: Labelling, known: Known = NOTHING) -> Matrix:
        """Return p(truth | votes), (n, k); the prior where there is no vote, the truth where it is trusted."""
        return predict_by_scores(votes, labelling, known)
