"""Relabel through the noise: train on the posterior of the truth under the model that explains the given labels best.

    q_i(c) ∝ p(c | x_i) T[c, y_i],   p = argmax of sum_i log (p(· | x_i) T)[y_i] − penalty / 2 · |W|²,   T counted

At the best p the gradient of this likelihood is that of the cross-entropy with targets q. So a linear learner of the same penalty that
trains on q becomes p itself: forward correction, as targets that are versioned, diffed and taken back like any others. Under a
weaker penalty than the learner's p is surer of itself than the learner is. That gained twice as much as forward correction on
cifar10's worst human labels and lost on short messages with 30 % noise (`python -m benchmarks effect`): hence three penalties, and a trial.

Source: Patrini et al. (2017), Making Deep Neural Networks Robust to Label Noise, CVPR, theorem 2 (forward correction); Goldberger,
Ben-Reuven (2017), ICLR, section 3 (the same fixed point by EM).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tilth.core.arrays import FloatMatrix32, IntVector, Matrix, Vector, rows_of
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.rowset import RowSet
from tilth.editing._shared import doubtable, label_doubt, ranked, truth_of
from tilth.numerics import softmax_regression
from tilth.numerics.noise import confident_joint, noise_transition, posterior
from tilth.operators.view import Scope, View

__all__ = ["RelabelThroughNoise", "explained"]

MOST_CELLS = 50_000_000
"""Rows times features times classes up to which it is fitted: a few seconds."""
_NO_NOISE = 1e-9


def explained(features: FloatMatrix32, labels: IntVector, transition: Matrix, penalty: float) -> Matrix:
    """Return p(truth | features, given label) of each row under the linear model that explains the labels best.

    Parameters
    ----------
    features : (n, d), of mean squared length near 1
    labels : (n,) class numbers, as given
    transition : (k, k) [true, given], rows sum to 1
    penalty : of |W|² / 2 against the summed loss, > 0

    Returns
    -------
    (n, k), rows sum to 1; in sample: the model has seen each row's label

    Randomness: none.

    Source: Patrini et al. (2017), CVPR, theorem 2.
    """
    n, k = len(labels), len(transition)
    design = softmax_regression.prepare(features, penalty / n)
    projected = design.project(features)
    hot, weights = np.eye(k)[labels], np.ones(n)
    fitted = softmax_regression.fit(projected, hot, weights, design, transition=transition)
    return posterior(softmax_regression.predict_proba(projected, fitted), labels, transition)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelabelThroughNoise:
    """Give every doubted row the posterior of its truth under the model that explains the given labels best, as a soft target.

    Parameters
    ----------
    penalty : of the model that explains the labels, as the linear learner's; > 0
    least_doubt : rows whose posterior leaves the label less doubt keep it, in [0, 1]

    Raises
    ------
    NotApplicable : numeric labels, no label to doubt, no noise is counted, or more than 50 million rows × features × classes

    Randomness: none.

    Source: Patrini et al. (2017), CVPR, theorem 2; Goldberger, Ben-Reuven (2017), ICLR.
    """

    penalty: float = 1.0
    least_doubt: float = 0.05

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "pred_probs", "trusted", "embeddings"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def strengths(self) -> Sequence[RelabelThroughNoise]:
        """Three penalties a factor of about three apart, strongest first."""
        return tuple(replace(self, penalty=penalty) for penalty in (3.0, 1.0, 0.3))

    def choose(self, view: View) -> RowSet:
        """Return the doubted rows, most doubted first."""
        _, doubt, rows = self._doubted(view)
        return RowSet(ids=view.take_ids(rows), scores=doubt[rows], reason="the label is in doubt")

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that sets these rows' soft targets; raises NotApplicable when no label is in doubt."""
        truth, _, doubted = self._doubted(view)
        if rows is None and not len(doubted):
            raise NotApplicable(f"no label is wrong with a probability of {self.least_doubt:g} or more")
        rows = doubted if rows is None else rows
        reason = f"{len(rows):,} labels are in doubt; train on what explains the labels best through their noise"
        return Edit.softening(view.take_ids(rows), truth[rows], operator=view.spec, reason=reason)

    def _doubted(self, view: View) -> tuple[Matrix, Vector, IntVector]:
        truth = view.once("explained", lambda: self._explained(view))
        doubt = label_doubt(view.labels, truth)
        return truth, doubt, ranked(doubt, doubtable(view) & (doubt >= self.least_doubt))

    def _explained(self, view: View) -> Matrix:
        truth = np.array(truth_of(view))  # refuses what cannot be doubted; rows without a label keep their prediction
        rows = np.flatnonzero(view.labelled)
        width, labels = view.embeddings.shape[1], view.labels[rows]
        if len(rows) * width * view.n_classes > MOST_CELLS:
            raise NotApplicable(f"{len(rows):,} rows of {width:,} features in {view.n_classes} classes take too long")
        transition = noise_transition(confident_joint(labels, view.pred_probs[rows]))
        if np.abs(transition - np.eye(len(transition))).max() <= _NO_NOISE:
            raise NotApplicable("no label noise is counted")
        truth[rows] = explained(rows_of(view.embeddings, rows), labels, transition, self.penalty)
        return truth
