"""Regularised linear classification on encoded features, with soft targets and row weights.

    minimise over W, b:   sum_i w_i H(t_i, softmax(x_i W + b)) + penalty / 2 · |W|²

Source: Hosmer, Lemeshow, Sturdivant (2013), Applied Logistic Regression, chapter 8; the solver is numerics/softmax_regression.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.special import softmax

from tilth.core.arrays import FloatMatrix32, Matrix, Vector
from tilth.core.errors import LabelError
from tilth.core.schema import TaskType
from tilth.core.target import Target, TargetKind
from tilth.numerics import softmax_regression
from tilth.numerics.softmax_regression import ROUGH, Design, SoftmaxFit
from tilth.operators.view import View

if TYPE_CHECKING:
    from tilth.numerics._axes import OnAxes
    from tilth.numerics._softmax_curvature import BlockCurvature

__all__ = ["Linear", "LinearModel", "Prepared"]

_BLOCK = 8_192
"""Rows that are predicted at once: their product with float64 coefficients copies them."""
_NEAR = 1.3
"""Penalties per row up to this factor apart share a curvature: folds and edited rows do, a third of the rows does not."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """The principal axes of the features, and the features on these axes."""

    features: FloatMatrix32
    design: Design
    projected: OnAxes

    def project(self, features: FloatMatrix32) -> OnAxes:
        """Return features on the axes; those that were prepared are not projected again."""
        return self.projected if features is self.features else self.design.on_axes(features)


@dataclass(frozen=True, slots=True, eq=False)
class LinearModel:
    """What was fitted, in the features as they were handed in: coefficients (d, k) and intercepts (k,).

    A model that starts other fits remembers its curvature, which makes them three times as fast and changes nothing else. A rough model
    starts a handful, which would not earn it back.
    """

    coefficients: Matrix
    intercepts: Vector
    converged: bool
    is_rough: bool = False
    _known: list[tuple[Prepared, float, BlockCurvature | None]] = field(default_factory=list, repr=False)

    def on_axes(self, design: Design) -> SoftmaxFit:
        """Return the model on the axes of a design, so that it may serve as a start there."""
        turned = design.basis.T @ self.coefficients
        level = self.intercepts + design.mean @ self.coefficients
        return SoftmaxFit(np.vstack([turned, level]), 0, converged=False)

    def curvature(self, prepared: Prepared, l2: float) -> BlockCurvature | None:
        """Return the inverse curvature on all prepared rows at this model, computed once for penalties per row near `l2`.

        None where the model is rough, or the curvature would take more than 512 MB.
        """
        if self.is_rough:
            return None
        for rows, near, found in self._known:
            if rows is prepared and near / _NEAR <= l2 <= near * _NEAR:
                return found
        design = replace(prepared.design, l2=l2)
        weights = np.ones(len(prepared.features))
        found = softmax_regression.curvature(prepared.projected, weights, design, self.on_axes(design))
        self._known.append((prepared, l2, found))
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what was fitted, without what can be computed again."""
        return LinearModel, (self.coefficients, self.intercepts, self.converged, self.is_rough)


@dataclass(frozen=True, kw_only=True)
class Linear:
    """Multinomial logistic regression with a quadratic penalty; the optimum is unique, so a warm start changes nothing.

    Probabilities cover all classes of the schema in their order; a class without rows gets at most 1e-12. Cost:
    O(n d²) once, then O(n d k) per iteration, tens of iterations.

    Parameters
    ----------
    penalty : weight of |W|² / 2 against the summed loss, > 0: 1 / C in scikit-learn. It is not divided by the number of rows,
        so that a penalty chosen on a part of the rows suits all of them. Its grid suits features of mean squared length near 1

    Raises
    ------
    LabelError : no row has a target

    Randomness: none.

    Source: Hosmer, Lemeshow, Sturdivant (2013), Applied Logistic Regression, chapter 8.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"embeddings"})
    tasks: ClassVar[frozenset[TaskType]] = frozenset({TaskType.BINARY, TaskType.MULTICLASS})
    accepts: ClassVar[frozenset[TargetKind]] = frozenset({TargetKind.CLASS, TargetKind.DISTRIBUTION})
    revision: ClassVar[int] = 1
    tolerance: ClassVar[float] = 1e-7
    """Of the Newton decrement; probabilities end within a small multiple of it."""

    penalty: float = 0.3

    def grid(self) -> Sequence[Linear]:
        """Return eight penalties a factor of three apart, strongest first."""
        return tuple(Linear(penalty=penalty) for penalty in (30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01))

    def roughly(self) -> Linear:
        """Return the same learner for fits that are only compared: within 1e-3 in probability, in less than half of the time."""
        return _RoughLinear(penalty=self.penalty)

    def prepare(self, view: View) -> Prepared:
        """Return the principal axes of the view's features and the features on them."""
        features = view.embeddings
        design = softmax_regression.prepare(features, self.penalty / max(len(features), 1))
        return Prepared(features, design, design.on_axes(features))

    def fit(
        self, view: View, target: Target, *, prepared: Prepared | None = None, start: LinearModel | None = None
    ) -> LinearModel:
        """Return the unique optimum for the rows that have a target, within 1e-6 in probability."""
        rows = np.flatnonzero(target.mask)
        if target.distribution is None or not len(rows) or not target.weights[rows].sum() > 0:
            raise LabelError("no row has a class to learn from", next_step="label some train rows")
        ready = prepared or self.prepare(view)
        weights = target.weights[rows]
        design = replace(ready.design, l2=self.penalty / float(weights.sum()))
        projected = ready.project(view.embeddings)
        found = softmax_regression.fit(
            projected if len(rows) == len(projected) else projected[rows],
            target.distribution[rows],
            weights,
            design,
            None if start is None else start.on_axes(design),
            known_curvature=None if start is None or prepared is None else start.curvature(prepared, design.l2),
            tolerance=self.tolerance,
        )
        coefficients, intercepts = softmax_regression.feature_coefficients(design, found)
        return LinearModel(coefficients, intercepts, found.converged, self.tolerance >= ROUGH)

    def predict_proba(self, view: View, model: LinearModel) -> Matrix:
        """Return (n, k) class probabilities."""
        features = view.embeddings
        probs = np.empty((len(features), len(model.intercepts)))
        for first in range(0, len(features), _BLOCK):
            rows = slice(first, first + _BLOCK)
            probs[rows] = softmax(features[rows] @ model.coefficients + model.intercepts, axis=1)
        return probs


class _RoughLinear(Linear):
    """Linear with fits that are only compared."""

    tolerance: ClassVar[float] = ROUGH
