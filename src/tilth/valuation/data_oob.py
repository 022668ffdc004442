"""Data-OOB: how often models that did not draw a row agree with its label.

    bag b draws n rows with replacement: row i is drawn w_bi times
    value_i = share of the bags with w_bi = 0 whose model gives row i its label

The model is the linear one that the rows are meant for: regularised logistic regression on the embeddings. Small trees,
the usual choice, find planted flips as well, but split an embedding along single axes, which say little, and value
rows for a model that nobody is going to use.

Source: Kwon, Zou (2023), Data-OOB: out-of-bag estimate as a simple and efficient data value, ICML, equation 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tilth.core.errors import InputError, UsageError
from tilth.numerics import softmax_regression
from tilth.valuation._shared import labelled_rows, refuse_one_class, refuse_regression, values_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tilth.core.arrays import IntVector, Vector
    from tilth.core.values import Values
    from tilth.operators.view import Scope, View

__all__ = ["DataOob", "bag_counts", "out_of_bag_share"]

TOLERANCE = 1e-3
"""Of the fits' Newton decrement: which class comes first is settled long before the last digit of its probability."""


def bag_counts(n_rows: int, bags: int, rng: np.random.Generator) -> IntVector:
    """Draw how often each bag holds each row: n of n rows with replacement; -> (bags, n)."""
    return np.stack([np.bincount(rng.integers(0, n_rows, n_rows), minlength=n_rows) for _ in range(bags)])


def out_of_bag_share(
    features: NDArray[np.floating], labels: IntVector, counts: IntVector, *, penalty: float = 0.3
) -> tuple[Vector, Vector]:
    """Return how often the models of bags without a row give the row its label.

    One fit per bag, each started from the fit on all rows, which changes nothing but the time: O(n d² + b n d k)
    for b bags of tens of iterations; memory O(n (d + k) + b n).

    Parameters
    ----------
    features : array, (n, d)
        Finite numbers of mean squared length near 1, which the penalty is meant for.
    labels : IntVector, (n,)
        Class numbers; at least one.
    counts : IntVector, (b, n)
        How often each bag holds each row, from `bag_counts`.
    penalty : float
        Weight of |W|² / 2 against the summed loss, > 0: as of the linear learner, whose default 0.3 it shares.

    Returns
    -------
    share : Vector, (n,)
        In [0, 1], in row order; 0 for rows that every bag holds.
    standard_errors : Vector, (n,)
        Over the draw of the bags, never 0: the spread of a share with half a success and half a failure added
        (Jeffreys); 0.35 for rows that every bag holds.

    Raises
    ------
    InputError
        Shapes do not fit, features are not finite, the penalty is not positive, or a bag is empty.

    Randomness
    ----------
    None; it lies in the counts.

    Source
    ------
    Kwon, Zou (2023), ICML, equation 2.

    Examples
    --------
    >>> line = np.array([[-1.0], [-0.9], [1.0], [0.9], [1.1]])
    >>> given = np.array([0, 0, 1, 1, 0])
    >>> out_of_bag_share(line, given, bag_counts(5, 200, np.random.default_rng(0)))[0].argmin()
    np.int64(4)
    """
    if features.ndim != 2 or labels.shape != (len(features),) or counts.shape[1:] != labels.shape:
        raise InputError(f"features {features.shape}, labels {labels.shape} and counts {counts.shape} do not fit")
    targets = np.eye(int(labels.max(initial=0)) + 1)[labels]
    design = softmax_regression.prepare(features, penalty / max(len(features), 1))
    projected, alike = design.project(features), np.ones(len(features))
    start = softmax_regression.fit(projected, targets, alike, design, tolerance=TOLERANCE)
    known = softmax_regression.curvature(projected, alike, design, start)
    right, asked = np.zeros(len(features)), np.zeros(len(features))
    for weights in counts.astype(np.float64):
        found = softmax_regression.fit(
            projected, targets, weights, design, start, known_curvature=known, tolerance=TOLERANCE
        )
        out = np.flatnonzero(weights == 0)
        right[out] += softmax_regression.predict_proba(projected[out], found).argmax(axis=1) == labels[out]
        asked[out] += 1
    share = (right + 0.5) / (asked + 1)
    return right / np.maximum(asked, 1), np.sqrt(share * (1 - share) / (asked + 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class DataOob:
    """Value rows by how often models that did not draw them agree with their label.

    Bags are drawn from the train rows, and a row is judged by models of other train rows, whose labels may be wrong
    themselves; labels of dev and test rows are in no view. A copy of a row may be in the bag when the row
    is not, so that wrong copies support each other. A value is a share in [0, 1]; what a row without any say would
    have is not defined, so that only the order counts. Cost: one linear fit per bag, each a warm one.

    Parameters
    ----------
    bags : int
        Default 100: 37 of them judge a row, which leaves a standard error of at most 0.08.
    penalty : float
        Of the linear model, default 0.3 as its own.

    Raises
    ------
    NotApplicable
        The label is a number, or there is one class only.
    UsageError
        There is no bag.

    Randomness
    ----------
    The seed and the row ids decide the bags.

    Source
    ------
    Kwon, Zou (2023), Data-OOB, ICML.
    """

    bags: int = 100
    penalty: float = 0.3

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "embeddings"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def value(self, view: View) -> Values:
        """Return the value of each labelled row that some bag left out, with its standard error."""
        if self.bags < 1:
            raise UsageError(f"{self.bags} bags value nothing", next_step="give bags >= 1")
        refuse_regression(view)
        rows = labelled_rows(view)
        labels = view.labels[rows]
        refuse_one_class(labels)
        counts = bag_counts(len(rows), self.bags, view.rng)
        values, errors = out_of_bag_share(view.embeddings[rows], labels, counts, penalty=self.penalty)
        unit = "share of out-of-bag models that agree with the label, in [0, 1]; the sign has no meaning"
        return values_of(view, rows, values, unit=unit, errors=errors, known=(counts == 0).any(axis=0))
