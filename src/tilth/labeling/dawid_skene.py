"""Dawid–Skene with abstention: how each labeler errs in each class, and on which rows it speaks, learnt without the truth.

    p(class c | row) ∝ prior(c) · [ product over its votes of  P(labeler i votes | c) · P(it says v | c, it votes) ] ^ discount

Plain Dawid–Skene takes who votes on a row as given. A rule that only ever says "spam" then tells nothing by what it says,
and the fit collapses to one class; here it tells by where it speaks. Four guards keep the rest honest:

- a vote is believed to be right four times in five, as strongly as 50 votes of that labeler would say it, and classes to
  be alike frequent, as strongly as 50 rows would; no vote ever speaks against the class that it names;
- P(votes | class) differs between classes only as far as the labelers' differences exceed chance (empirical Bayes), and not at
  all where rows were handed out to people;
- that a labeler is silent counts as evidence only where the model then tells how often two labelers vote on one row;
- where votes repeat one another (hard items, alike rules), evidence is discounted by the overlap that best foretells
  each vote from the others of its row.

Source: Dawid, Skene (1979), Maximum likelihood estimation of observer error-rates using the EM algorithm, Applied
Statistics 28; multinomial against Bernoulli event models: McCallum, Nigam (1998), AAAI workshop; empirical Bayes: Morris
(1983), JASA 78.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tilth.core.arrays import Matrix
from tilth.core.labelling import Known, Labelling
from tilth.core.votes import Votes
from tilth.labeling._shared import Belief, fit_by_em, keeping, predict_by_scores, update

__all__ = ["DawidSkene"]

NOTHING = Known()


@dataclass(frozen=True, slots=True, kw_only=True)
class DawidSkene:
    """Learn how each labeler errs in each class and where it speaks, and weigh its votes by it.

    Rows without a vote get the prior: the share of each class among all rows where silence counts, else among rows with a
    vote. Trusted rows count with their truth, hard or soft; a known prior and known confusions are held. Above 20,000 rows the
    parameters converge on evenly spaced ones, and all rows take the last ten steps at most. Cost: O(v k) time a round,
    O(v + n k) memory.

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
    Dawid, Skene (1979), Applied Statistics 28.
    """

    accuracy: float = 0.8
    strength: float = 50.0
    by_class: float = 10.0

    revision: ClassVar[int] = 2

    def fit(self, votes: Votes, known: Known = NOTHING) -> Labelling:
        """Return each labeler's errors and accuracy with its interval, and the share of each class."""
        return keeping(fit_by_em("dawid_skene", votes, known, self._belief), votes, known)

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
        return Belief(accuracy=self.accuracy, strength=self.strength, by_class=self.by_class)
