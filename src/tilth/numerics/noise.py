"""Label noise that depends on the class: estimate it, undo it in predictions, undo it in scores.

    joint[given, true]        how many rows carry label `given` while their truth is `true`
    transition[true, given]   p(given | true), rows sum to 1

Source: Northcutt, Jiang, Chuang (2021), Confident learning, JAIR 70; Natarajan et al. (2013), NeurIPS;
Patrini et al. (2017), CVPR; Richardson (1972), J. Optical Society of America 62 (deconvolution).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import InputError, NotApplicable
from tilth.numerics._checks import check_labels, check_transition

if TYPE_CHECKING:
    from tilth.core.arrays import IntVector, Matrix, Vector

__all__ = [
    "backward_accuracy",
    "backward_scores",
    "confident_joint",
    "noise_rate",
    "noise_transition",
    "posterior",
    "refuse_ignorance",
    "truth_posterior",
]

_ULPS = 1e-12
_TINY = 1e-300
_WORST_CONDITION = 50.0


def confident_joint(labels: IntVector, pred_probs: Matrix) -> Matrix:
    """Estimate how many rows of each given label truly belong to each class.

    A row counts for the most probable class among those that reach their threshold, the mean probability
    which the rows labelled so give to it; a row that reaches none is not counted. Each row of counts is then
    scaled to the number of rows with that label. A label none of whose rows was counted is taken to be clean.
    O(n k) time.

    Parameters
    ----------
    labels : (n,) class numbers, as given
    pred_probs : (n, k), out-of-sample; probabilities of rows the model was trained on hide the noise

    Returns
    -------
    (k, k) non-negative counts [given, true]; rows sum to the number of rows with that label

    Raises
    ------
    InputError : shapes that do not fit, labels out of range

    Randomness: none.

    Source: Northcutt, Jiang, Chuang (2021), JAIR 70, equations 1 and 3.
    """
    _check_rows(labels, pred_probs)
    n_rows, n_classes = pred_probs.shape
    given = np.bincount(labels, minlength=n_classes)
    own = pred_probs[np.arange(n_rows), labels]
    thresholds = np.full(n_classes, np.inf)
    np.divide(np.bincount(labels, own, n_classes), given, out=thresholds, where=given > 0)
    reached = pred_probs >= thresholds - _ULPS
    guess = np.where(reached, pred_probs, -1.0).argmax(axis=1)
    counted = reached.any(axis=1)
    cells = labels[counted] * n_classes + guess[counted]
    counts = np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes).astype(np.float64)
    return _calibrated(counts, given)


def noise_transition(joint: Matrix) -> Matrix:
    """Turn a joint count into the chance of each given label per true class.

    Parameters
    ----------
    joint : (k, k), non-negative [given, true], as from `confident_joint`

    Returns
    -------
    (k, k) [true, given], rows sum to 1; a class that no row truly has is taken to be labelled faithfully

    Raises
    ------
    InputError : not a square matrix of non-negative numbers

    Randomness: none.

    Source: Northcutt, Jiang, Chuang (2021), JAIR 70, section 2.
    """
    _check_joint(joint)
    by_truth = joint.T.astype(np.float64)
    totals = by_truth.sum(axis=1, keepdims=True)
    transition = np.eye(len(joint))
    np.divide(by_truth, totals, out=transition, where=totals > 0)
    return transition


def noise_rate(joint: Matrix) -> float:
    """Share of rows whose label differs from the truth, in [0, 1]; joint (k, k)."""
    _check_joint(joint)
    total = float(joint.sum())
    return 1 - float(np.trace(joint)) / total if total > 0 else 0.0


def posterior(pred_probs: Matrix, labels: IntVector, transition: Matrix) -> Matrix:
    """Probability of the truth once the given label is known as well.

    p(true | x, given) is proportional to p(true | x) · transition[true, given]. A row whose label is
    impossible under both keeps its pred_probs: such a label tells nothing. O(n k) time.

    Parameters
    ----------
    pred_probs : (n, k), out-of-sample p(true | x), not p(given | x)
    labels : (n,) class numbers, as given
    transition : (k, k), row-stochastic [true, given]

    Returns
    -------
    (n, k), rows sum to 1, row order of the input

    Raises
    ------
    InputError : shapes that do not fit, labels out of range, a transition that is none

    Randomness: none.

    Source: Bayes' rule; the noise model of Natarajan et al. (2013), NeurIPS.
    """
    _check_rows(labels, pred_probs)
    check_transition(transition, pred_probs.shape[1])
    product = pred_probs * transition.T[labels]
    totals = product.sum(axis=1, keepdims=True)
    result = pred_probs.astype(np.float64)
    np.divide(product, totals, out=result, where=totals > 0)
    return result


def truth_posterior(labels: IntVector, pred_probs: Matrix) -> Matrix:
    """Probability of each class being the true one, given the features and the given label.

    A model that learnt from noisy labels predicts the given class: p = q T, where q = p(true | x) and T is the
    transition by the confident joint of these rows. One step of EM (Richardson's deconvolution) from p brings
    back q, q_c ∝ p_c · sum over g of T[c, g] p_g / (p T)_g, and Bayes' rule takes in the given label. Classes
    that overlap make T too noisy, and each further step would take more of the model's own doubt for noise.

    A class that one row alone carries was unknown to the model that predicted this row: nothing can doubt its
    label, which is kept. O(n k²) time.

    Parameters
    ----------
    labels : (n,) class numbers, as given
    pred_probs : (n, k), out-of-sample, calibrated p(given class | features)

    Returns
    -------
    (n, k), rows sum to 1, row order of the input

    Raises
    ------
    InputError : shapes that do not fit, labels out of range

    Randomness: none.

    Source: Northcutt, Jiang, Chuang (2021), JAIR 70, equations 1 and 3; Richardson (1972), J. Optical Society
    of America 62.

    Examples
    --------
    >>> truth_posterior(np.array([0, 1]), np.eye(2)).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    transition = noise_transition(confident_joint(labels, pred_probs))
    truth = posterior(_deconvolved(pred_probs, transition), labels, transition)
    lone = np.flatnonzero(np.bincount(labels)[labels] == 1)
    truth[lone] = np.eye(pred_probs.shape[1])[labels[lone]]
    return truth


def refuse_ignorance(labels: IntVector, pred_probs: Matrix) -> None:
    """Raise NotApplicable for predictions (n, k) of labels (n,) with no more likelihood, and hits, than class shares have."""
    _check_rows(labels, pred_probs)
    shares = np.bincount(labels, minlength=pred_probs.shape[1]) / len(labels)
    own = np.maximum(pred_probs[np.arange(len(labels)), labels], _TINY)
    likelier = np.log(own).mean() > np.log(shares[labels]).mean()
    most = float(shares.max())
    by_luck = most + 2 * np.sqrt(most * (1 - most) / len(labels))
    if not likelier and (pred_probs.argmax(axis=1) == labels).mean() <= by_luck:
        raise NotApplicable("the predictions tell no more than the shares of the classes do: they can doubt no label")


def backward_scores(
    scores: Matrix, labels: IntVector, transition: Matrix, *, worst_condition: float = _WORST_CONDITION
) -> Vector:
    """Estimate each row's score under the truth, without bias, from its noisy label.

    The estimate is sum over c of inverse(transition)[given, c] · score if the truth were c. Its mean over the
    noise is the score under the truth, for every row, if the noise depends on the class alone and the
    transition is right. Single estimates may leave the range of the scores, and their spread grows with the
    condition number. O(n k + k³) time.

    Parameters
    ----------
    scores : (n, k), entry c is the row's score if its truth is c: for accuracy, 1 at the predicted class
    labels : (n,) class numbers, as given
    transition : (k, k), row-stochastic [true, given]
    worst_condition : largest condition number (2-norm) to go on with, default 50: beyond it the spread is
        thousandfold and small errors of the transition rule the answer

    Returns
    -------
    (n,), unbounded, row order of the input

    Raises
    ------
    NotApplicable : the transition is (nearly) singular
    InputError : shapes that do not fit, labels out of range, a transition that is none

    Randomness: none.

    Source: Natarajan et al. (2013), NeurIPS, lemma 1; Patrini et al. (2017), CVPR, theorem 1.
    """
    _check_rows(labels, scores)
    inverse = _inverse(transition, scores.shape[1], worst_condition)
    return np.asarray(np.einsum("ij,ij->i", inverse[labels], scores), dtype=np.float64)


def backward_accuracy(
    predicted: IntVector, labels: IntVector, transition: Matrix, *, worst_condition: float = _WORST_CONDITION
) -> Vector:
    """Estimate for each row whether its predicted class is the truth; the mean is an unbiased accuracy.

    `backward_scores` for the score 1[predicted = true], without the (n, k) matrix. O(n + k³) time.

    Parameters
    ----------
    predicted : (n,) class numbers
    labels : (n,) class numbers, as given
    transition : (k, k), row-stochastic [true, given]
    worst_condition : as for `backward_scores`

    Returns
    -------
    (n,), unbounded, row order of the input

    Raises
    ------
    NotApplicable : the transition is (nearly) singular
    InputError : as for `backward_scores`

    Randomness: none.

    Source: Natarajan et al. (2013), NeurIPS, lemma 1; Patrini et al. (2017), CVPR, theorem 1.
    """
    n_classes = len(transition)
    check_labels(labels, len(labels), n_classes)
    check_labels(predicted, len(labels), n_classes, what="predicted classes")
    inverse = _inverse(transition, n_classes, worst_condition)
    return np.asarray(inverse[labels, predicted], dtype=np.float64)


def _deconvolved(pred_probs: Matrix, transition: Matrix) -> Matrix:
    """One step of EM from p(given | x) toward p(true | x); a row that the transition rules out stays as it is."""
    mixed = pred_probs @ transition
    ratio = np.divide(pred_probs, mixed, out=np.zeros_like(mixed), where=mixed > _TINY)
    truth = pred_probs * (ratio @ transition.T)
    total = truth.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(truth, total, out=np.array(pred_probs, dtype=np.float64), where=total > _TINY))


def _calibrated(counts: Matrix, given: IntVector) -> Matrix:
    totals = counts.sum(axis=1)
    empty = np.flatnonzero(totals == 0)
    counts[empty, empty] = totals[empty] = 1.0
    return np.asarray(counts * (given / totals)[:, None], dtype=np.float64)


def _inverse(transition: Matrix, n_classes: int, worst_condition: float) -> Matrix:
    check_transition(transition, n_classes)
    condition = float(np.linalg.cond(transition))
    if not condition <= worst_condition:
        why = f"the noise cannot be undone: condition number {condition:.3g} exceeds {worst_condition:g}"
        raise NotApplicable(why, next_step="confirm some labels by hand, or merge classes that are confused")
    return np.asarray(np.linalg.inv(transition), dtype=np.float64)


def _check_rows(labels: IntVector, matrix: Matrix) -> None:
    if matrix.ndim != 2:
        raise InputError(f"expected one row of classes per label, got shape {matrix.shape}")
    check_labels(labels, len(matrix), matrix.shape[1])


def _check_joint(joint: Matrix) -> None:
    if joint.ndim != 2 or joint.shape[0] != joint.shape[1] or not (joint >= 0).all():
        raise InputError(f"a joint is a square matrix of non-negative counts, got shape {joint.shape}")
