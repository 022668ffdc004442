"""Ambiguous rows: two classes share both the prediction and the neighbourhood.

    a, b = the two most probable classes
    severity = 2 min(p_b, v_a, v_b)
    p_b = probability of the second, v = share of a class among the nearest rows

Source: Swayamdipta et al. (2020), Dataset cartography, EMNLP (ambiguous rows); k-disagreeing neighbours:
Smith, Martinez, Giraud-Carrier (2014), An instance level analysis of data complexity, Machine Learning 95,
section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tilth.core.errors import NotApplicable
from tilth.detection._shared import class_texts, doubtable, refuse_few_rows, refuse_regression, searched, share_of
from tilth.numerics.neighbours import Neighbours, neighbour_votes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tilth.core.arrays import IntVector, Mask, Matrix, Vector
    from tilth.core.finding import Finding
    from tilth.operators.view import Scope, View

__all__ = ["Ambiguous", "ambiguity"]


def ambiguity(pred_probs: Matrix, votes: Matrix) -> tuple[Vector, IntVector, IntVector]:
    """Return how evenly two classes share a row, and which two.

    1 when prediction and neighbours are both divided half and half, 0 when either is unanimous. The model
    and the neighbours are two witnesses; the surer one decides. O(n k).

    Parameters
    ----------
    pred_probs : Matrix, (n, k)
        Out-of-sample class probabilities, k >= 2.
    votes : Matrix, (n, k)
        Distribution of the labels of the nearest rows.

    Returns
    -------
    severity : Vector, (n,)
        In [0, 1], row order of the input.
    first, second : IntVector, (n,)
        The most probable class and the next; ties go to the lower class number.

    Randomness
    ----------
    None.

    Source
    ------
    Smith, Martinez, Giraud-Carrier (2014), Machine Learning 95, section 3.

    Examples
    --------
    >>> ambiguity(np.array([[0.5, 0.4, 0.1]]), np.array([[0.7, 0.3, 0.0]]))[0].tolist()
    [0.6]
    """
    rows = np.arange(len(pred_probs))
    first = pred_probs.argmax(axis=1)
    rest = np.array(pred_probs)
    rest[rows, first] = -1.0
    second = rest.argmax(axis=1)
    split = np.minimum(votes[rows, first], votes[rows, second])
    return 2 * np.minimum(pred_probs[rows, second], split), first, second


@dataclass(frozen=True, slots=True, kw_only=True)
class Ambiguous:
    """Flag rows that stand between two classes for the model and among their neighbours alike.

    A row whose given class is neither of the two is left to label errors, and one that a person confirmed
    is left alone. Where the model is weak, many rows look ambiguous: then the finding says so, and
    severities are lowered.

    Parameters
    ----------
    k : int
        Neighbours; default 10.
    level : float
        Flagged from this severity; default 0.6: the second class has at least 30 % of the probability and
        of the neighbours.
    most_share : float
        Where more than this share of the rows would be flagged, the model is in doubt rather than the rows;
        default 0.2.

    Raises
    ------
    NotApplicable
        The label is a number, or there are fewer than two classes or k + 1 rows.

    Randomness
    ----------
    None.

    Source
    ------
    Swayamdipta et al. (2020), EMNLP; Smith, Martinez, Giraud-Carrier (2014), Machine Learning 95.
    """

    k: int = 10
    level: float = 0.6
    most_share: float = 0.2

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "pred_probs", "neighbours", "trusted"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def find(self, view: View) -> Sequence[Finding]:
        """Return one finding about the rows, or none when no row is ambiguous."""
        refuse_regression(view)
        refuse_few_rows(len(view), self.k + 1)
        if view.n_classes < 2:
            raise NotApplicable("one class cannot be taken for another")
        near: Neighbours = view.neighbours
        near = Neighbours(near.positions[:, : self.k], near.distances[:, : self.k])
        say = view.labelled[near.positions].astype(np.float64)
        votes = neighbour_votes(near, view.labels, view.n_classes, say)
        severity, first, second = ambiguity(view.pred_probs, votes)
        candidate = doubtable(view) & ((view.labels == first) | (view.labels == second))
        severity = np.where(candidate, severity, 0.0)
        flagged = severity >= self.level - 1e-9
        return [self._report(view, severity, flagged, (first, second), votes)] if flagged.any() else []

    def _report(
        self, view: View, severity: Vector, flagged: Mask, two: tuple[IntVector, IntVector], votes: Matrix
    ) -> Finding:
        rows = np.arange(len(view))
        share = float(flagged.mean())
        weak = share > self.most_share
        text = f"{share_of(int(flagged.sum()), len(view))} stand between two classes, "
        text += f"most often {_pair(view, flagged, two)}."
        if weak:
            text += " So many are a sign of a weak model or of classes that overlap, not of bad rows."
        return view.finding(
            "ambiguous",
            severity * (self.most_share / share if weak else 1.0),
            flagged=flagged,
            summary=text,
            threshold=f"the second class has at least {50 * self.level:.0f} % of the probability, and "
            f"each of the two at least "
            f"{50 * self.level:.0f} % of the {self.k} nearest rows{searched(view.neighbours)}",
            suggestion="write a guideline for the pair of classes, then ask a person; soft labels are tried",
            evidence={
                "first": class_texts(view, two[0], rows >= 0),
                "second": class_texts(view, two[1], rows >= 0),
                "p_first": view.pred_probs[rows, two[0]],
                "p_second": view.pred_probs[rows, two[1]],
                "near_first": votes[rows, two[0]],
                "near_second": votes[rows, two[1]],
            },
        )


def _pair(view: View, flagged: Mask, two: tuple[IntVector, IntVector]) -> str:
    low, high = np.minimum(*two)[flagged], np.maximum(*two)[flagged]
    keys, counts = np.unique(low * view.n_classes + high, return_counts=True)
    first, second = divmod(int(keys[counts.argmax()]), view.n_classes)
    return f"{view.classes[first]!r} and {view.classes[second]!r} ({counts.max():,} rows)"
