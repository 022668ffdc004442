"""The truth behind noisy labels, with a transition that the likelihood has to confirm.

    p(given | x) = sum over c of q(c | x) T[c, given],   q a multinomial logistic model of the features
    T and q by EM: posterior_i(c) ∝ q_i(c) T[c, y_i],  T = the posteriors summed by given label, q fitted through T

Counting where predictions and labels part (the confident joint) takes classes that overlap for wrong labels. Here a transition must
explain the labels better than no noise does: noise bounds how sure the best rows' labels can be, overlap does not, so that clean
but hard data gives a transition near the identity, and its labels stay what they are. Where a class has few rows, its row of T is drawn
toward the noise of all classes pooled, in proportion to how often other classes are given: with 77 classes of 40 rows each, EM without
it takes classes for one another.

Source: Goldberger, Ben-Reuven (2017), Training deep neural-networks using a noise adaptation layer, ICLR (EM for T and q); Patrini et
al. (2017), CVPR, theorem 2 (fitting through T) and section 4 (the start: rows that are surely of a class).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import InputError
from tilth.numerics import softmax_regression
from tilth.numerics._checks import check_labels
from tilth.numerics.noise import confident_joint, noise_transition, posterior

if TYPE_CHECKING:
    from tilth.core.arrays import FloatMatrix32, IntVector, Mask, Matrix, Vector
    from tilth.numerics.softmax_regression import Design, SoftmaxFit

__all__ = ["Denoised", "denoise"]

ROUNDS = 6
SETTLED = 0.005
"""EM ends where no entry of the transition moves by more."""
SURE_SHARE = 0.04
FEWEST_SURE = 10
"""Rows per class that start the transition: this share of an even class, and at least so many."""
START_JOINT = 0.3
"""Part of the confident joint in the start: entries that start at zero stay there."""
CELLS = 250_000
"""Rows times classes from which the transition is learnt at most."""
POOLED_ROWS = 20
"""Rows per class that the pooled noise counts for in each class's row of the transition."""
CONFIRMED = 2.0
"""Standard errors by which unseen labels must be likelier with the transition than without."""
_TINY = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Denoised:
    """What is known of each row's true class.

    Attributes
    ----------
    truth : (n, k), p(true | x, given label); rows sum to 1
    transition : (k, k), p(given | true), rows sum to 1
    noise_rate : expected share of rows whose label is wrong, in [0, 1]
    """

    truth: Matrix
    transition: Matrix
    noise_rate: float


def denoise(
    features: FloatMatrix32, labels: IntVector, folds: IntVector, n_classes: int, penalty: float, *, cells: int = CELLS
) -> Denoised:
    """Estimate the truth of labelled rows out of sample, from their features and noisy labels alone.

    O(n d²) once, then about 20 fits of O(n d k) per iteration; O(n k) memory.

    Parameters
    ----------
    features : (n, d), finite
    labels : (n,) class numbers, as given
    folds : (n,) fold of each row, at least two different: each is predicted by a model of the others
    n_classes : k, at least 2
    penalty : of |W|² / 2 against the summed loss, > 0, as for the linear learner
    cells : most rows times classes that the transition is learnt from, the same share of each class

    Raises
    ------
    InputError : shapes that do not fit, labels out of range, a single fold

    Randomness: none.

    Source: Goldberger, Ben-Reuven (2017), ICLR; Patrini et al. (2017), CVPR.

    Examples
    --------
    >>> x = np.repeat(np.array([[-2.0], [2.0]], np.float32), 40, axis=0)
    >>> labels = np.repeat([0, 1], 40)
    >>> bool(denoise(x, labels, np.arange(80) % 2, 2, 1.0).noise_rate < 0.05)
    True
    """
    check_labels(labels, len(features), n_classes)
    if len(np.unique(folds)) < 2:
        raise InputError("out-of-sample estimates need at least two folds", where="folds")
    model = _Model(features, penalty)
    targets = np.eye(n_classes)[labels]
    few = _spread(labels, max(1, cells // n_classes))
    transition = _learnt_transition(model, targets, labels, np.asarray(folds % 2, dtype=np.intp), few)
    if (transition == np.eye(n_classes)).all():  # labels are what they are, whatever a model says
        return Denoised(truth=targets, transition=transition, noise_rate=0.0)
    clean = model.predicted(targets, folds, np.ones(len(labels), dtype=bool), transition)
    truth = posterior(clean, labels, transition)
    rate = 1 - float(truth[np.arange(len(labels)), labels].mean())
    return Denoised(truth=truth, transition=transition, noise_rate=min(max(rate, 0.0), 1.0))


def _spread(labels: IntVector, most: int) -> Mask:
    """Return `most` rows at even steps through the rows ordered by label: the first rows of a sorted table lack most classes."""
    chosen = np.ones(len(labels), dtype=bool)
    if most < len(labels):
        order = np.argsort(labels, kind="stable")
        chosen[:] = False
        chosen[order[np.linspace(0, len(labels) - 1, most).astype(np.intp)]] = True
    return chosen


class _Model:
    """A linear model of the features that is fitted to parts of the rows, through a transition or without."""

    def __init__(self, features: FloatMatrix32, penalty: float) -> None:
        self._penalty = penalty
        self._design = softmax_regression.prepare(features, penalty / max(len(features), 1))
        self._projected = self._design.on_axes(features)
        self._starts: dict[int, SoftmaxFit] = {}

    def predicted(self, targets: Matrix, folds: IntVector, used: Mask, transition: Matrix | None) -> Matrix:
        """Return (n, k) out-of-sample predictions of p(true | x); rows that are not used stay 0."""
        found = np.zeros(targets.shape)
        for fold in np.unique(folds[used]):
            inside, outside = np.flatnonzero(used & (folds != fold)), np.flatnonzero(used & (folds == fold))
            fitted = self._fitted(targets, inside, transition)
            found[outside] = softmax_regression.predict_proba(self._projected[outside], fitted)
        return found

    def _fitted(self, targets: Matrix, rows: IntVector, transition: Matrix | None) -> SoftmaxFit:
        design: Design = replace(self._design, l2=self._penalty / len(rows))
        start = self._starts.get(0)
        weights = np.ones(len(rows))
        fitted = softmax_regression.fit(
            self._projected[rows], targets[rows], weights, design, start, transition=transition, tolerance=1e-4
        )
        self._starts.setdefault(0, fitted)
        return fitted


def _learnt_transition(model: _Model, targets: Matrix, labels: IntVector, halves: IntVector, used: Mask) -> Matrix:
    """Return the transition by EM over two halves, each predicted by the other."""
    if len(np.unique(halves[used])) < 2:
        used = np.ones(len(labels), dtype=bool)
    rows = np.flatnonzero(used)
    plain = model.predicted(targets, halves, used, None)[rows]
    transition = _start(plain, labels[rows])
    for _ in range(ROUNDS):
        clean = model.predicted(targets, halves, used, transition)[rows]
        joint = np.full(transition.shape, _TINY)
        np.add.at(joint, labels[rows], posterior(clean, labels[rows], transition))
        before, transition = transition, _smoothed(joint)
        if np.abs(transition - before).max() <= SETTLED:
            break
    return _confirmed(model, targets, halves, used, transition, _log_likelihood(plain, labels[rows]))


def _confirmed(
    model: _Model, targets: Matrix, halves: IntVector, used: Mask, transition: Matrix, without: Vector
) -> Matrix:
    """Return the transition, half of it, or none: the one under which unseen labels are likeliest, if surely so."""
    labels, identity = targets[used].argmax(axis=1), np.eye(len(transition))
    best, best_gain = identity, 0.0
    for weaker in (transition, (transition + identity) / 2):
        clean = model.predicted(targets, halves, used, weaker)[used]
        gains = _log_likelihood(clean @ weaker, labels) - without
        error = float(gains.std()) / np.sqrt(len(gains))
        if gains.mean() > max(best_gain, CONFIRMED * error):
            best, best_gain = weaker, float(gains.mean())
    return best


def _log_likelihood(predicted: Matrix, labels: IntVector) -> Vector:
    return np.asarray(np.log(np.maximum(predicted[np.arange(len(labels)), labels], _TINY)))


def _start(predicted: Matrix, labels: IntVector) -> Matrix:
    """Return a first transition: what the rows that are surest of each class say, and a part of the confident joint."""
    n, k = predicted.shape
    n_sure = min(n, max(FEWEST_SURE, round(SURE_SHARE * n / k)))
    surest = np.argsort(-predicted, axis=0, kind="stable")[:n_sure]
    anchors = np.stack([predicted[surest[:, c]].mean(axis=0) for c in range(k)])
    anchors /= anchors.sum(axis=1, keepdims=True)
    mixed = (1 - START_JOINT) * anchors + START_JOINT * noise_transition(confident_joint(labels, predicted))
    return _smoothed(mixed.T / mixed.sum(axis=1) * n / k)


def _smoothed(joint: Matrix) -> Matrix:
    """Return the transition of a joint count [given, true], each class's row drawn toward the noise of all classes."""
    total, k = float(joint.sum()), len(joint)
    rate, given = 1 - float(np.trace(joint)) / total, joint.sum(axis=1) / total
    others = np.where(np.eye(k, dtype=bool), 0.0, given)
    pooled = (1 - rate) * np.eye(k) + rate * others / np.maximum(others.sum(axis=1, keepdims=True), _TINY)
    return noise_transition(joint + POOLED_ROWS * pooled.T)
