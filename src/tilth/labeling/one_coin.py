"""One coin: one number per labeler for how right it is, and where it speaks, learnt without the truth.

    P(i says v | class c, it votes) ∝ palette_i(v) · lift(v, c) · (sharp_i if v = c else 1)

The model of Dawid and Skene with as few numbers per labeler as can be: for many labelers of few votes each, whose errors
class by class cannot be told apart. `palette_i` is how often labeler i says each class, so that one that says "no" nearly
always is not taken for right on account of it; `lift` is which errors all labelers share. All guards of
`dawid_skene` hold.

Source: Raykar, Yu, Zhao, Valadez, Florin, Bogoni, Moy (2010), Learning from crowds, JMLR 11, section 2 (one coin per class);
Zhang, Chen, Zhou, Jordan (2016), Spectral methods meet EM, JMLR 17 (the one-coin model).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar

from tilth.core.arrays import Matrix
from tilth.core.labelling import Known, Labelling
from tilth.core.votes import Votes
from tilth.labeling._shared import Belief, fit_by_em, keeping, predict_by_scores, update

__all__ = ["OneCoin"]

NOTHING = Known()


@dataclass(frozen=True, slots=True, kw_only=True)
class OneCoin:
    """Learn one accuracy per labeler and where it speaks, and weigh its votes by it.

    Parameters
    ----------
    accuracy : float
        Share of right votes that a labeler is believed to have before votes are seen; default 0.8, four in five.
    strength : float
        Votes that this belief weighs as much as, and rows that equal shares of the classes do; default 50.

    Raises
    ------
    NotApplicable
        No labeler votes on any row.

    Randomness
    ----------
    None.

    Source
    ------
    Zhang, Chen, Zhou, Jordan (2016), JMLR 17.
    """

    accuracy: float = 0.8
    strength: float = 50.0

    revision: ClassVar[int] = 2

    def fit(self, votes: Votes, known: Known = NOTHING) -> Labelling:
        """Return each labeler's accuracy with its interval, and the share of each class."""
        return keeping(fit_by_em("one_coin", votes, known, self._belief), votes, known)

    def update(self, labelling: Labelling, votes: Votes, known: Known = NOTHING) -> Labelling:
        """Return what is known with the votes on new rows taken in; labelers may be new.

        Up to 100,000 rows it is what `fit` learns of all rows at once; then earlier rows count by their sums.
        """
        return update(labelling, votes, known, self._belief, self.fit)

    def predict(self, votes: Votes, labelling: Labelling, known: Known = NOTHING) -> Matrix:
        """Return p(truth | votes), (n, k); the prior where there is no vote, the truth where it is trusted."""
        return predict_by_scores(votes, labelling, known)

    @property
    def _belief(self) -> Belief:
        return Belief(accuracy=self.accuracy, strength=self.strength, by_class=inf)
