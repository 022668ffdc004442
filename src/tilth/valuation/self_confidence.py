"""Self-confidence: the probability that a model which did not see a row gives to its label.

    value_i = p(y_i | x_i)

The cheapest valuer, and the one that all others must beat: it costs nothing beside the predictions that are there.

Source: Northcutt, Jiang, Chuang (2021), Confident learning, JAIR 70, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tilth.valuation._shared import labelled_rows, refuse_one_class, refuse_regression, values_of

if TYPE_CHECKING:
    from tilth.core.arrays import IntVector, Matrix, Vector
    from tilth.core.values import Values
    from tilth.operators.view import Scope, View

__all__ = ["SelfConfidence", "self_confidence"]


def self_confidence(labels: IntVector, pred_probs: Matrix) -> Vector:
    """Return the probability given to each row's own label.

    O(n) time and memory.

    Parameters
    ----------
    labels : IntVector, (n,)
        Class numbers in [0, k).
    pred_probs : Matrix, (n, k)
        Out-of-sample probabilities.

    Returns
    -------
    Vector, (n,)
        In [0, 1], in row order.

    Randomness
    ----------
    None.

    Source
    ------
    Northcutt, Jiang, Chuang (2021), JAIR 70, section 4.

    Examples
    --------
    >>> self_confidence(np.array([0, 1]), np.array([[0.9, 0.1], [0.8, 0.2]])).tolist()
    [0.9, 0.2]
    """
    return np.asarray(pred_probs[np.arange(len(labels)), labels], dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfConfidence:
    """Value rows by the out-of-sample probability of their own label.

    It says how well a row agrees with the others, not what the model gains by it: a hard but right row is of low value
    here, and so is a row where classes overlap.

    Raises
    ------
    NotApplicable
        The label is a number, or there is one class only.

    Randomness
    ----------
    None beside that of the predictions.

    Source
    ------
    Northcutt, Jiang, Chuang (2021), Confident learning, JAIR 70.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "pred_probs"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def value(self, view: View) -> Values:
        """Return the value of each labelled row."""
        refuse_regression(view)
        rows = labelled_rows(view)
        labels = view.labels[rows]
        refuse_one_class(labels)
        unit = "out-of-sample probability of the row's own label, in [0, 1]; the sign has no meaning"
        return values_of(view, rows, self_confidence(labels, view.pred_probs[rows]), unit=unit)
