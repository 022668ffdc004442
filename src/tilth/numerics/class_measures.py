"""Precision, recall and F1 of classes, linearised: of one class, averaged over classes, or over all decisions.

    ratio = sum_i a_i / sum_i b_i,   row_i = ratio + (a_i − ratio · b_i) / mean(b)

with a = tp and b = says (precision), b = is (recall); a = 2 tp and b = is + says (F1). Labels are class numbers, or one column of
0 and 1 per class where a row may have several.

Source: Wolter (2007), Introduction to Variance Estimation, section 6.5 (ratios by linearization); Sokolova, Lapalme (2009), A
systematic analysis of performance measures for classification tasks, Information Processing & Management 45 (the averages).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from tilth.core.errors import InputError, NotApplicable
from tilth.numerics.linearised import Linearised

if TYPE_CHECKING:
    from tilth.core.arrays import Mask, Matrix, Vector

__all__ = ["Ratio", "Share", "decided_marks", "label_marks", "macro_ratio", "micro_ratio", "share_of_class"]

Ratio = Literal["precision", "recall", "f1"]
Share = tuple[float, float]
BETWEEN: Share = (0.0, 1.0)
HALF = 0.5


def label_marks(labels: np.ndarray, n_classes: int) -> Mask:
    """Return which classes each row has; (n,) class numbers or (n, k) of 0 and 1 -> (n, k).

    Raises
    ------
    InputError
        Where a label is no class, or there are not k columns.

    Examples
    --------
    >>> label_marks(np.array([1, 0]), 2).tolist()
    [[False, True], [True, False]]
    """
    if labels.ndim == 2:
        if labels.shape[1] != n_classes:
            raise InputError(f"{labels.shape[1]} columns of labels do not fit {n_classes} columns of predictions")
        return np.asarray(labels > HALF)
    if labels.size and not (labels.min() >= 0 and labels.max() < n_classes):
        raise InputError(f"labels must be class numbers from 0 to {n_classes - 1}")
    return np.asarray(labels[:, None] == np.arange(n_classes))


def decided_marks(predicted: Matrix, *, several: bool) -> Mask:
    """Return which classes the model decides for; (n, k) -> (n, k): the most probable one, or all with p >= 1/2.

    Examples
    --------
    >>> decided_marks(np.array([[0.6, 0.4]]), several=False).tolist()
    [[True, False]]
    """
    if several:
        return np.asarray(predicted >= HALF)
    return np.asarray(predicted.argmax(axis=1)[:, None] == np.arange(predicted.shape[1]))


def share_of_class(labels: np.ndarray, predicted: Matrix, of: int, ratio: Ratio) -> Linearised:
    """Return precision, recall or F1 of one class; O(n).

    Parameters
    ----------
    labels : (n,) class numbers, or (n, k) of 0 and 1
    predicted : (n, k) probabilities
    of : number of the class; -1 for the last
    ratio : which of them

    Returns
    -------
    Linearised
        In [0, 1]; it hangs on the rows that are of the class or said to be.

    Raises
    ------
    NotApplicable
        Where no row is of the class (recall), none is said to be (precision), or neither (F1).

    Source
    ------
    Wolter (2007), section 6.5.

    Examples
    --------
    >>> probs = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
    >>> share_of_class(np.array([0, 1, 0]), probs, 1, "precision").value
    0.5
    """
    k = predicted.shape[1]
    if not -k <= of < k:
        raise InputError(f"there is no class {of} among {k}", next_step=f"name a class from 0 to {k - 1}")
    marks, said = label_marks(labels, k), decided_marks(predicted, several=labels.ndim == 2)
    above, below = _parts(marks[:, of], said[:, of], ratio)
    if not below.any():
        raise NotApplicable(f"{ratio} is not defined: {_WHY[ratio]}")
    return Linearised(rows=_rows(above, below), bounds=BETWEEN, informative=float(np.count_nonzero(below)))


def macro_ratio(labels: np.ndarray, predicted: Matrix, ratio: Ratio) -> Linearised:
    """Return the mean over classes of precision, recall or F1; O(n k).

    Classes that no row has and none is said to be are left out; where a ratio is not defined for a class that is there, it is 0.

    Parameters
    ----------
    labels : (n,) class numbers, or (n, k) of 0 and 1
    predicted : (n, k) probabilities
    ratio : which of them

    Returns
    -------
    Linearised
        In [0, 1].

    Raises
    ------
    NotApplicable
        Without rows, or where no class is there.

    Source
    ------
    Sokolova, Lapalme (2009), table 3 (macro averages).

    Examples
    --------
    >>> probs = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
    >>> round(macro_ratio(np.array([0, 1, 0]), probs, "f1").value, 4)
    0.6667
    """
    several = labels.ndim == 2
    marks = label_marks(labels, predicted.shape[1])
    said = decided_marks(predicted, several=several)
    there = np.flatnonzero((marks | said).any(axis=0))
    if not len(there):
        raise NotApplicable(f"{ratio} is not defined: no class is there, and none is said to be")
    rows, hidden = np.zeros(len(marks)), 0.0
    for c in there:
        above, below = _parts(marks[:, c], said[:, c], ratio)
        hidden += 1.0 / max(int(np.count_nonzero(below)), 1) ** 2
        if below.any():
            rows += _rows(above, below) / len(there)
    return Linearised(rows=rows, bounds=BETWEEN, informative=len(there) / float(np.sqrt(hidden)))


def micro_ratio(labels: np.ndarray, predicted: Matrix, ratio: Ratio) -> Linearised:
    """Return precision, recall or F1 over all decisions of all classes together; accuracy where rows have one class; O(n k).

    Parameters
    ----------
    labels : (n,) class numbers, or (n, k) of 0 and 1
    predicted : (n, k) probabilities
    ratio : which of them

    Returns
    -------
    Linearised
        In [0, 1].

    Raises
    ------
    NotApplicable
        Without rows, or where no row has a class and none is said to have.

    Source
    ------
    Sokolova, Lapalme (2009), table 3 (micro averages).

    Examples
    --------
    >>> probs = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
    >>> round(micro_ratio(np.array([0, 1, 0]), probs, "f1").value, 4)
    0.6667
    """
    marks = label_marks(labels, predicted.shape[1])
    said = decided_marks(predicted, several=labels.ndim == 2)
    parts = [_parts(marks[:, c], said[:, c], ratio) for c in range(predicted.shape[1])]
    above, below = (np.sum([part[i] for part in parts], axis=0) for i in range(2))
    if not np.any(below):
        raise NotApplicable(f"{ratio} is not defined: {_WHY[ratio]}")
    return Linearised(rows=_rows(above, below), bounds=BETWEEN, informative=float(np.count_nonzero(below)))


_WHY = {
    "precision": "no row is said to be of the class",
    "recall": "no row is of the class",
    "f1": "no row is of the class, and none is said to be",
}


def _parts(is_class: Mask, said: Mask, ratio: Ratio) -> tuple[Vector, Vector]:
    """Return what a ratio is the quotient of, row by row."""
    right = (is_class & said).astype(np.float64)
    if ratio == "f1":
        return 2 * right, is_class.astype(np.float64) + said
    return right, (said if ratio == "precision" else is_class).astype(np.float64)


def _rows(above: Vector, below: Vector) -> Vector:
    value = float(above.sum() / below.sum())
    return np.asarray(value + (above - value * below) / below.mean())
