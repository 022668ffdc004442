"""Metrics by name: a score with its interval, and by how much one model exceeds another, for any metric of the room `evaluation`.

Inside, higher is better, so that errors are below 0; scores are given as people know them, without that sign.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tilth.core.arrays import IntVector, Matrix
from tilth.core.errors import NotApplicable
from tilth.core.estimate import Estimate
from tilth.numerics.linearised import UNBOUNDED, Linearised, difference, interval_of
from tilth.operators.registry import make, spec_of

__all__ = ["gain", "is_error", "linearised", "measure"]


def linearised(metric: Any, labels: np.ndarray, predicted: Matrix) -> Linearised:
    """Return a metric on rows as one number per row, higher is better; NotApplicable where it is not defined on them.

    Parameters
    ----------
    metric : an operator of the room `evaluation`
    labels : (n,) class numbers or numbers, or (n, k) of 0 and 1 where rows have several classes
    predicted : (n, k) probabilities, or (n, 1) numbers
    """
    if not len(labels):
        raise NotApplicable(f"{spec_of(metric).name} is not defined: there is no row")
    if hasattr(metric, "linearise"):
        found: Linearised = metric.linearise(labels, predicted)
        return found
    return Linearised(
        rows=np.asarray(metric.measure(labels, predicted), dtype=np.float64),
        strata=labels.astype(np.intp) if metric.stratified else None,
        bounds=getattr(metric, "bounds", UNBOUNDED),
    )


def is_error(metric: Any) -> bool:
    """Return whether people know a metric as an error, of which less is better."""
    return bool(getattr(metric, "is_error", False))


def measure(
    name: str,
    labels: np.ndarray,
    predicted: Matrix,
    groups: IntVector | None = None,
    *,
    level: float = 0.95,
    **parameters: Any,
) -> Estimate:
    """Return a score with its interval, by the name of the metric; errors without a sign.

    Parameters
    ----------
    name : a metric of `tilth operators evaluation`
    labels : (n,) class numbers or numbers, or (n, k) of 0 and 1 where rows have several classes
    predicted : (n, k) probabilities, or (n, 1) numbers
    groups : (n,) code of the group that each row belongs to, such as its duplicates; None where rows are independent
    level : coverage of the interval
    parameters : of the metric

    Raises
    ------
    NotApplicable : the metric is not defined on these rows; the reason says why
    UnknownOperatorError : there is no such metric

    Examples
    --------
    >>> probs = np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.2, 0.8]])
    >>> measure("auroc", np.array([0, 0, 1, 1]), probs).value
    1.0
    """
    metric = make("evaluation", name, **parameters)
    found = linearised(metric, labels, predicted)
    if not is_error(metric):
        return interval_of(found, groups, level)
    inside = interval_of(found, groups, level)
    return Estimate(value=-inside.value, low=-inside.high, high=-inside.low, standard_error=inside.standard_error)


def gain(
    name: str,
    labels: np.ndarray,
    old: Matrix,
    new: Matrix,
    groups: IntVector | None = None,
    *,
    level: float = 0.95,
    **parameters: Any,
) -> Estimate:
    """Return by how much the new model is better than the old one on the same rows, with the paired interval; + is better.

    The parameters are those of `measure`; `old` and `new` are the two models' predictions.
    """
    metric = make("evaluation", name, **parameters)
    before, after = (linearised(metric, labels, one) for one in (old, new))
    return difference(after, before, groups, level)[1]
