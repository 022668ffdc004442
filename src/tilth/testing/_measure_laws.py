"""Laws of metrics that score a whole split: what is linearised averages to the score, and nothing is ever no number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tilth.core.errors import TilthError
from tilth.core.rng import generator
from tilth.core.schema import TaskType
from tilth.numerics.linearised import Linearised, interval_of
from tilth.testing._subject import Check, Subject, is_refusal

__all__ = ["MEASURES"]

Rows = tuple[np.ndarray, np.ndarray]
ROWS = 600


def declares_its_task_and_bounds(subject: Subject) -> None:
    """It names its tasks, and between which ends its score lies."""
    tasks, bounds = getattr(subject.kind, "tasks", None), getattr(subject.kind, "bounds", None)
    if not isinstance(tasks, frozenset) or not tasks or not isinstance(bounds, tuple) or len(bounds) != 2:
        raise subject.breach("it declares no tasks, or no bounds")


def scores_a_split(subject: Subject) -> None:
    """One finite number per row; their mean lies within the bounds; the order of the rows does not matter."""
    for metric, (target, predicted) in _judged(subject):
        kept = (target.copy(), predicted.copy())
        found: Linearised = metric.linearise(target, predicted)
        rows = np.asarray(found.rows)
        if rows.shape != (len(target),) or not np.isfinite(rows).all():
            raise subject.breach(f"it gives numbers of shape {rows.shape} for {len(target)} rows, or not finite ones")
        if not metric.bounds[0] - 1e-9 <= found.value <= metric.bounds[1] + 1e-9:
            raise subject.breach(f"a score of {found.value} lies outside its bounds {metric.bounds}")
        order = generator(4, "order").permutation(len(target))
        again: Linearised = metric.linearise(target[order], predicted[order])
        if not np.allclose(again.rows, rows[order], rtol=0, atol=1e-9):
            raise subject.breach("permuted rows do not get permuted numbers")
        if not (np.array_equal(kept[0], target) and np.array_equal(kept[1], predicted)):
            raise subject.breach("it changed what it was handed")


def follows_its_rows(subject: Subject) -> None:
    """What it says a row weighs is about what the score moves by when that row comes twice."""
    for metric, (target, predicted) in _judged(subject):
        found: Linearised = metric.linearise(target, predicted)
        n, some = len(target), np.arange(0, len(target), 10)
        twice = [np.append(np.arange(n), i) for i in some]
        moves = np.array([metric.linearise(target[t], predicted[t]).value - found.value for t in twice])
        said = (found.rows[some] - found.value) / (n + 1)
        if np.median(np.abs(moves - said)) > 0.2 * np.std(said):  # most rows: |x| has a kink
            raise subject.breach("the score does not move with its rows as it says", "linearise it anew")


def the_truth_scores_highest(subject: Subject) -> None:
    """The truth scores at least as high as anything, and higher than its opposite."""
    for metric, (target, predicted) in _judged(subject):
        right, wrong = _extremes(metric, target, predicted.shape[1])
        best, worst = (metric.linearise(target, one).value for one in (right, wrong))
        if best < metric.linearise(target, predicted).value - 1e-9 or not best > worst:
            raise subject.breach("the truth does not score highest", "turn the sign, so that higher is better")


def refuses_rather_than_nan(subject: Subject) -> None:
    """Of no row, one row, and rows of one class it gives a finite interval or a refusal, never no number."""
    for metric, (target, predicted) in _judged(subject):
        alike = np.flatnonzero(target == target[0])
        for rows in (np.arange(0), np.arange(1), alike):
            try:
                found = interval_of(metric.linearise(target[rows], predicted[rows]))
            except TilthError as refusal:
                if not is_refusal(refusal):
                    raise
            else:
                if not np.isfinite([found.value, found.low, found.high]).all():
                    raise subject.breach(f"of {len(rows)} rows it gives {found}", "raise NotApplicable with the reason")


def _judged(subject: Subject) -> Iterator[tuple[Any, Rows]]:
    rng = generator(0, "judged")
    metric = subject.make()
    if TaskType.REGRESSION in metric.tasks:
        truth = rng.standard_normal(ROWS)
        yield metric, (truth, (truth + rng.standard_normal(ROWS))[:, None])
    if metric.tasks - {TaskType.REGRESSION}:
        for k in (2, 3):
            labels = rng.integers(0, k, size=ROWS)
            scores = 1.2 * np.eye(k)[labels] + rng.standard_normal((ROWS, k))
            yield metric, (labels, np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True))


def _extremes(metric: Any, target: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    if TaskType.REGRESSION in metric.tasks and target.dtype.kind == "f":
        return target[:, None], target[:, None] + 10.0
    certain = np.eye(k)
    return certain[target], certain[(target + 1) % k]


MEASURES: tuple[Check, ...] = (
    declares_its_task_and_bounds,
    scores_a_split,
    follows_its_rows,
    the_truth_scores_highest,
    refuses_rather_than_nan,
)
