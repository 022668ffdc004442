"""The truth of each row from three witnesses: the model, the given label, and what is probably true of its neighbours.

    T[c, g]  share of label g among the rows that the model takes for c, a twentieth of it spread over all labels
    q        p(true | x) by three EM steps from p(given | x):   q_c ∝ q_c · sum_g T[c, g] p_g / (q T)_g
    v        mean of p(true | x, label) over the nearest rows
    p(true | x, label) ∝ ((1 - w) q + w v)_c · T[c, label],   v and w anew, twice

Source: Richardson (1972), J. Optical Society of America 62 (deconvolution); Zhu, Ghahramani (2002), CMU-CALD-02-107 (labels
spread over neighbours); Dempster, Laird, Rubin (1977), JRSS B 39 (share of a mixture).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import InputError
from tilth.numerics._checks import check_labels
from tilth.numerics.neighbours import Neighbours
from tilth.numerics.noise import noise_transition, posterior, truth_posterior

if TYPE_CHECKING:
    from tilth.core.arrays import IntVector, Mask, Matrix, Vector

__all__ = ["truth_nearby", "truth_of_labels"]

_BLUR = 0.05
_STEPS = 3
_ROUNDS = 2
_SHARE_STEPS = 10
_TINY = 1e-300


def truth_of_labels(labels: IntVector, pred_probs: Matrix, labelled: Mask, near: Neighbours | None) -> Matrix:
    """Return p(truth | features, given label, neighbours) of labelled rows; rows without a label hold zeros.

    `truth_nearby` among the labelled rows: neighbours without a label have no say. Without neighbours `truth_posterior`.

    Parameters
    ----------
    labels : (n,) class numbers, as given; any for rows without a label
    pred_probs : (n, k), out-of-sample, calibrated p(given class | features)
    labelled : (n,) which rows have a label
    near : the m nearest of the n rows to each, itself excluded; None: there are none

    Returns
    -------
    (n, k), rows sum to 1 or 0, row order of the input

    Raises
    ------
    InputError : shapes that do not fit, labels out of range

    Randomness: none.

    Examples
    --------
    >>> truth_of_labels(np.array([0, 1, 0]), np.eye(2)[[0, 1, 1]], np.array([True, True, False]), None).tolist()
    [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
    """
    rows = np.flatnonzero(labelled)
    truth = np.zeros(pred_probs.shape)
    if near is None:
        truth[rows] = truth_posterior(labels[rows], pred_probs[rows])
        return truth
    place, is_heard = np.zeros(len(labels), dtype=np.intp), np.zeros(len(labels))
    place[rows], is_heard[rows] = np.arange(len(rows)), 1.0
    found = near.positions[rows]
    there = Neighbours(place[found], near.distances[rows])
    truth[rows] = truth_nearby(labels[rows], pred_probs[rows], there, is_heard[found])
    return truth


def truth_nearby(labels: IntVector, pred_probs: Matrix, near: Neighbours, say: Matrix | None = None) -> Matrix:
    """Probability of each class being the true one, given the features, the given label and the neighbours.

    Against `truth_posterior`, which has the model alone: a wrong label misleads the votes of its neighbours, but not
    their posteriors, so that a mean of posteriors tells the truth where noise follows the features or a class
    is taken for one other. The given labels decide how much that mean counts, which is little where it tells nothing.
    Every label is allowed to be wrong at random once in twenty times, however clean the rest looks. Classes that
    overlap look like noise in labels: no evidence here can tell the two apart. O(n k² + n m k) time, O(n k) memory.

    Parameters
    ----------
    labels : (n,) class numbers, as given
    pred_probs : (n, k), out-of-sample, calibrated p(given class | features)
    near : the m nearest of these rows to each, itself excluded
    say : (n, m), say of each neighbour, >= 0; default None = all 1. 0 silences a neighbour

    Returns
    -------
    (n, k), rows sum to 1, row order of the input. A class that one row alone carries was unknown to the model that
    predicted this row: its label is kept

    Raises
    ------
    InputError : shapes that do not fit, labels out of range

    Randomness: none.

    Source: Richardson (1972), J. Optical Society of America 62; Zhu, Ghahramani (2002), CMU-CALD-02-107.

    Examples
    --------
    >>> from tilth.numerics.neighbours import k_nearest
    >>> line = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]])
    >>> near = k_nearest(line, 2, metric="euclidean", exclude_self=True)
    >>> labels = np.array([0, 0, 1, 1, 1, 1])
    >>> probs = np.where(line < 1, [0.7, 0.3], [0.1, 0.9])
    >>> truth_nearby(labels, probs, near).argmax(axis=1)
    array([0, 0, 0, 1, 1, 1])
    """
    if pred_probs.ndim != 2:
        raise InputError(f"expected one row of classes per label, got shape {pred_probs.shape}")
    check_labels(labels, len(pred_probs), pred_probs.shape[1])
    weights = np.ones(near.positions.shape) if say is None else say
    if weights.shape != near.positions.shape or len(weights) != len(labels):
        raise InputError(f"{len(labels)} rows have neighbours {near.positions.shape} with a say {weights.shape}")
    transition = _transition(labels, pred_probs)
    alone = _deconvolved(pred_probs, transition)
    truth = posterior(alone, labels, transition)
    has_voice = weights.sum(axis=1) > 0
    for _ in range(_ROUNDS):
        said = _mean_of_neighbours(truth, near, weights)
        share = _share_of_second(alone[has_voice], said[has_voice], labels[has_voice], transition)
        mixed = np.where(has_voice[:, None], (1 - share) * alone + share * said, alone)
        truth = posterior(mixed, labels, transition)
    lone = np.flatnonzero(np.bincount(labels)[labels] == 1)
    truth[lone] = np.eye(pred_probs.shape[1])[labels[lone]]
    return truth


def _transition(labels: IntVector, pred_probs: Matrix) -> Matrix:
    """Return p(given | true) (k, k), the model's class taken for the true one; labels that nobody carries stay impossible."""
    n_classes = pred_probs.shape[1]
    cells = labels * n_classes + pred_probs.argmax(axis=1)
    joint = np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes).astype(np.float64)
    is_given = np.bincount(labels, minlength=n_classes) > 0
    spread = is_given / max(int(is_given.sum()), 1)
    return np.asarray((1 - _BLUR) * noise_transition(joint) + _BLUR * spread) if len(labels) else np.eye(n_classes)


def _deconvolved(pred_probs: Matrix, transition: Matrix) -> Matrix:
    """A few steps of EM from p(given | x) toward p(true | x); a row that the transition rules out stays as it is."""
    truth = np.asarray(pred_probs, dtype=np.float64)
    for _ in range(_STEPS):
        mixed = truth @ transition
        ratio = np.divide(pred_probs, mixed, out=np.zeros_like(mixed), where=mixed > _TINY)
        product = truth * (ratio @ transition.T)
        total = product.sum(axis=1, keepdims=True)
        truth = np.divide(product, total, out=np.array(truth), where=total > _TINY)
    return truth


def _mean_of_neighbours(values: Matrix, near: Neighbours, say: Matrix) -> Matrix:
    """Mean (n, k) of the neighbours' values, weighted by their say; 0 where nobody has one."""
    total = np.zeros(values.shape)
    for j in range(near.positions.shape[1]):
        total += say[:, j, None] * values[near.positions[:, j]]
    heard: Vector = say.sum(axis=1)[:, None]
    np.divide(total, heard, out=total, where=heard > 0)
    return total


def _share_of_second(first: Matrix, second: Matrix, labels: IntVector, transition: Matrix) -> float:
    """Share of the second opinion on the truth that the given labels bear out, in [0, 1]: ten steps of EM from one half.

    More steps would follow small differences to 0 or 1, while the mean of two opinions of like worth beats either.
    """
    noise = transition.T[labels]
    one, two = (first * noise).sum(axis=1) + _TINY, (second * noise).sum(axis=1) + _TINY
    share = 0.5
    for _ in range(_SHARE_STEPS if len(labels) else 0):
        share = float((share * two / ((1 - share) * one + share * two)).mean())
    return share
