"""Groups made of slices: slice × class, and the slice of rows for which nobody gave one.

    m_i,(s, c) = m_is · [y_i = c]              p(s | x, y) by logistic regression on the rows whose slice is known

Group labels are often few: one column of a form that most people left empty. What the known rows say is spread to the others, each to
the slice that is most probable for it, as far as it is probable.

Source: Nam, Kim, Lee, Shin (2022), Spread Spurious Attribute: Improving Worst-group Accuracy with Spurious Attribute Estimation, ICLR
(group labels guessed from few); Kirichenko, Izmailov, Wilson (2023), Last Layer Re-Training is Sufficient for Robustness to Spurious
Correlations, ICLR (few group labels, a linear layer on frozen features).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tilth.core.arrays import FloatMatrix32, IntVector, Mask, Matrix, Vector, evenly
from tilth.core.errors import InputError
from tilth.numerics import softmax_regression

__all__ = ["by_class", "group_balance", "spread_slices"]

_PENALTIES = (3e-1, 3e-2, 3e-3)
"""Penalties per row among which held-out rows choose."""
_FOLDS = 3
_MOST_KNOWN, _BLOCK = 20_000, 8_192
"""Known rows that are learnt from, and rows that are guessed at once."""


def by_class(slices: Matrix, labels: IntVector, n_classes: int) -> Matrix:
    """Return the membership of each row in slice × class, slice by slice; (n, s), (n,) -> (n, s k)."""
    of_class = np.eye(n_classes)[labels]
    return np.asarray((slices[:, :, None] * of_class[:, None, :]).reshape(len(labels), -1))


def group_balance(groups: Matrix, base: Vector, strength: float, most_times: float) -> Vector:
    """Return by how much each row counts more so that groups come to one size, at least 1; (n, g), (n,) -> (n,).

    The largest group stays as it is, a row of several groups counts for the smallest, and no row counts more than `most_times`
    as much. Strength 1 gives every group one total, as far as that limit allows.
    """
    sizes = (groups * base[:, None]).sum(axis=0)
    times = np.where(sizes > 0, (sizes.max(initial=0.0) / np.where(sizes > 0, sizes, 1.0)) ** strength, 1.0)
    more = (groups * (np.minimum(times, most_times) - 1)).max(axis=1, initial=0.0)
    return np.asarray(1 + more)


def spread_slices(
    features: FloatMatrix32, labels: IntVector, slices: Matrix, known: Mask, rows: IntVector | None = None
) -> Matrix:
    """Return the slices with those of unknown rows guessed; (n, d), (n,), (n, s), (n,) -> (n, s).

    With `rows` (n,), features are those of more rows, among which these stand; they are not copied. A known row keeps its membership.
    Another gets the slice that is most probable given its features and its label, to the degree that it is probable, and no other. The
    penalty is chosen by held-out known rows, 20,000 of them at most, evenly through their order. Some fits of m known rows: O(m d²).

    Raises
    ------
    InputError : the known rows are of fewer than two slices

    Randomness: none; folds are dealt in the order of the rows.

    Source: Nam, Kim, Lee, Shin (2022), ICLR.

    Examples
    --------
    >>> x = np.array([[-2.0], [-1.0], [1.0], [2.0], [-1.5], [1.5]], dtype=np.float32)
    >>> slices = np.array([[1.0, 0], [1, 0], [0, 1], [0, 1], [0, 0], [0, 0]])
    >>> guessed = spread_slices(x, np.zeros(6, int), slices, slices.max(axis=1) > 0)
    >>> (guessed[4:] > 0.5).astype(int)
    array([[1, 0],
           [0, 1]])
    """
    codes = slices.argmax(axis=1)
    present = np.unique(codes[known])
    if len(present) < 2:
        raise InputError("the rows whose slice is known are of fewer than two slices")
    of_class = np.eye(int(labels.max(initial=0)) + 1, dtype=np.float32)

    def seen(some: IntVector) -> FloatMatrix32:
        return np.column_stack([features[some if rows is None else rows[some]], of_class[labels[some]]])

    teach = np.flatnonzero(known)
    teach = teach[evenly(len(teach), _MOST_KNOWN)]
    probs_of = _model(seen(teach), np.eye(slices.shape[1])[codes[teach]])
    guessed = np.zeros_like(slices, dtype=np.float64)
    guessed[known] = slices[known]
    unknown = np.flatnonzero(~known)
    for first in range(0, len(unknown), _BLOCK):
        some = unknown[first : first + _BLOCK]
        probs = probs_of(seen(some))
        best = probs.argmax(axis=1)
        guessed[some, best] = probs[np.arange(len(best)), best]
    return guessed


def _model(features: FloatMatrix32, targets: Matrix) -> Callable[[FloatMatrix32], Matrix]:
    """Return what gives the probabilities of asked rows, under the penalty that held-out rows like best."""
    folds = np.arange(len(features)) % _FOLDS
    losses = []
    for l2 in _PENALTIES:
        design = softmax_regression.prepare(features, l2)
        projected, loss = design.project(features), 0.0
        for fold in range(min(_FOLDS, len(features))):
            inside = folds != fold
            fitted = softmax_regression.fit(projected[inside], targets[inside], np.ones(int(inside.sum())), design)
            held = softmax_regression.predict_proba(projected[~inside], fitted)
            loss -= float((targets[~inside] * np.log(np.maximum(held, 1e-6))).sum())
        losses.append(loss)
    design = softmax_regression.prepare(features, _PENALTIES[int(np.argmin(losses))])
    fitted = softmax_regression.fit(design.project(features), targets, np.ones(len(features)), design)
    return lambda asked: softmax_regression.predict_proba(design.project(asked), fitted)
