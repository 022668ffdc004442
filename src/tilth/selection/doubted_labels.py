"""Doubted labels: train rows whose answer is worth most, as the label is likely wrong where the model is undecided.

    score_i = p_i(label wrong) · H(p_i) / log k

A label that is wrong where the model is sure of another class changes few decisions when it is set right; one that is probably
right changes none. The product asks where both are in doubt (`python -m benchmarks asking`).

Source: Settles (2012), Active Learning, 2.3 (entropy) and 3.1 (expected model change); Northcutt, Jiang, Chuang (2021), Confident
Learning, JAIR 70 (the probability that a label is wrong).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.core.errors import NotApplicable
from tilth.core.rowset import RowSet
from tilth.numerics.truth_nearby import truth_of_labels
from tilth.operators.view import Scope, View

__all__ = ["DoubtedLabels", "worth_of_answers"]

LEAST_DOUBT = 0.25
"""Probability that a label is wrong from which on it is asked about: of four such answers one is news at least."""


def worth_of_answers(labels: IntVector, truth: Matrix, pred_probs: Matrix) -> Vector:
    """Return p(label wrong) times the normalized entropy of the prediction; (n,), (n, k), (n, k) -> (n,) in [0, 1].

    Examples
    --------
    >>> worth_of_answers(np.array([0]), np.array([[0.2, 0.8]]), np.array([[0.5, 0.5]])).round(3).tolist()
    [0.8]
    """
    wrong = 1 - truth[np.arange(len(labels)), labels]
    entropy = -(pred_probs * np.log(np.maximum(pred_probs, np.finfo(np.float64).tiny))).sum(axis=1)
    return np.asarray(wrong * np.clip(entropy / np.log(pred_probs.shape[1]), 0, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtedLabels:
    """Choose train rows whose label is likely wrong where the model is undecided, most worth first."""

    needs: ClassVar[frozenset[str]] = frozenset(
        {"labels", "numbers", "pred_probs", "predictions", "trusted", "neighbours"}
    )
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 2

    def select(self, view: View, budget: int) -> RowSet:
        """Return at most `budget` rows whose label is in doubt (numbers: those with the largest residuals)."""
        open_rows = view.labelled & ~view.trusted
        if view.schema.task.is_regression:
            score, reason = np.abs(view.numbers - view.predictions), "label contradicts the model"
        elif view.n_classes < 2:
            raise NotApplicable("there is one class only")
        else:
            near = view.neighbours if view.has("neighbours") else None
            truth = truth_of_labels(view.labels, view.pred_probs, view.labelled, near)
            score, reason = worth_of_answers(view.labels, truth, view.pred_probs), "label in doubt, and the model too"
            open_rows = open_rows & (1 - truth[np.arange(len(view)), view.labels] >= LEAST_DOUBT)
        rows = np.flatnonzero(open_rows)
        rows = rows[np.argsort(-score[rows], kind="stable")][:budget]
        return RowSet(ids=view.take_ids(rows), scores=score[rows], reason=reason)
