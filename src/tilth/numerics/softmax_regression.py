"""L2-regularized multinomial logistic regression on soft targets with row weights.

    minimize over W, b:   sum_i w_i H(t_i, softmax(x_i W + b)) / sum_i w_i  +  l2/2 ||W||²

H is cross-entropy, W belongs to the features as they were handed in, b is not penalized. `l2` is a penalty
per row: it means the same for every number of rows. In scikit-learn's terms l2 = 1 / (C n) for unit weights;
for two classes it penalizes the difference of the two columns alone, which makes it l2 = 2 / (C n).

The features are turned to their principal axes once (`prepare`); this changes no distance, so the penalty
stays ||W||², but the curvature there is close to diagonal and L-BFGS needs tens of iterations. Hard problems
(many classes, little regularization) take up the curvature of each class on the way, and then the whole
Hessian if it is small; `curvature` computes the former once for many neighbouring fits. Of large problems products
are in single precision while the minimum is far, which takes half of the time and as many steps.

Source: Boehning (1992), Ann. Inst. Stat. Math. 44 (the Gram matrix of the features bounds the curvature);
Patrini et al. (2017), CVPR, theorem 2 (forward correction).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from tilth.core.arrays import IntVector, Matrix, Vector, read_only
from tilth.core.errors import InputError
from tilth.numerics._axes import MOST_HELD, OnAxes, Turned, in_single_precision, principal_axes, turned
from tilth.numerics._checks import check_targets, check_transition, check_weights
from tilth.numerics._lbfgs import Minimum, minimize
from tilth.numerics._softmax_curvature import (
    FULL_SIZE,
    BlockCurvature,
    Curvature,
    FullCurvature,
    block_curvature,
    curvature_of_stage,
    is_affordable,
)
from tilth.numerics._softmax_loss import ForwardSoftmaxLoss, SoftmaxLoss, scores_of, softmax_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ROUGH", "Design", "SoftmaxFit", "curvature", "feature_coefficients", "fit", "predict_proba", "prepare"]

_STAGE, _ROUGH_STAGE, _NEWTON_STAGE = 35, 60, 10
ROUGH = 1e-4
"""Tolerance of fits that are only compared: single precision brings them to their end."""
_KNOWN_STAGE = 105
"""Steps under a known curvature of a large problem, where a fresh one costs as many as half of them."""
_SCOUTED = 1 << 20
"""Multiplications in a product with all rows from which single precision pays while the minimum is far."""
_ABSENT_MASS = 1e-10
_ABSENT_SCORE = float(np.log(1e-12))


@dataclass(frozen=True, slots=True)
class Design:
    """The principal axes of a feature matrix, and the penalty to fit with.

    Attributes
    ----------
    mean : (d,), of the features that were prepared
    basis : (d, a), orthonormal columns, a <= d: axes on which the features do not vary are left out
    variances : (a,), of the features along each axis, ascending
    l2 : penalty per row, > 0
    """

    mean: Vector
    basis: Matrix
    variances: Vector
    l2: float

    def project(self, features: NDArray[np.floating]) -> Matrix:
        """Coordinates of rows on the axes; (m, d) float32 or float64 -> (m, a) float64."""
        if features.ndim != 2 or features.shape[1] != len(self.mean):
            expected = f"(m, {len(self.mean)})"
            raise InputError(f"features have shape {features.shape}, the design expects {expected}")
        return turned(features, self.mean, self.basis)

    def on_axes(self, features: NDArray[np.floating]) -> OnAxes:
        """Coordinates of rows for fits: `project`, or where that would be large, rows that are turned block by block."""
        if len(features) * self.basis.shape[1] <= MOST_HELD:
            return self.project(features)
        return Turned(features, self.mean, self.basis)


@dataclass(frozen=True, slots=True)
class SoftmaxFit:
    """A fitted model in the coordinates of its design.

    Attributes
    ----------
    coefficients : (a + 1, k); the last row: intercepts; rows sum to 0 over the classes with mass
    n_iterations : steps taken
    converged : whether the tolerance was reached
    """

    coefficients: Matrix
    n_iterations: int
    converged: bool


def prepare(features: NDArray[np.floating], l2: float) -> Design:
    """Find the principal axes of a feature matrix, once for all fits on (subsets of) its rows.

    Rows that may come in later (a pool) should be among the features, else what they have outside the span of
    these rows is not seen. O(n d² + d³) time, O(d²) memory beside the input.

    Parameters
    ----------
    features : (n, d) float32 or float64, finite, n >= 1
    l2 : penalty per row, > 0; 1 / (C n) in scikit-learn's terms, 2 / (C n) for two classes

    Returns
    -------
    Design

    Raises
    ------
    InputError : features are empty, not a matrix or not finite; l2 is not positive

    Randomness: none.

    Source: Boehning (1992), Ann. Inst. Stat. Math. 44.
    """
    if features.ndim != 2 or 0 in features.shape:
        raise InputError(f"features must be a matrix with rows and columns, not of shape {features.shape}")
    if not (np.isfinite(l2) and l2 > 0):
        raise InputError(f"l2 must be a positive number, not {l2!r}", next_step="use for example l2=0.01")
    mean, basis, variances = principal_axes(features)
    # An axis this flat cannot move a probability by 1e-6 against the penalty.
    kept = variances > 1e-8 * l2
    return Design(
        read_only(mean),
        read_only(np.ascontiguousarray(basis[:, kept])),
        read_only(variances[kept]),
        float(l2),
    )


def fit(
    projected: OnAxes,
    targets: Matrix,
    weights: Vector,
    design: Design,
    start: SoftmaxFit | None = None,
    *,
    transition: Matrix | None = None,
    known_curvature: BlockCurvature | None = None,
    tolerance: float = 1e-8,
    max_iterations: int = 1_000,
) -> SoftmaxFit:
    """Fit the model to one tolerance, cold or warm: the optimum is the same within about 1e-6 in probability.

    A row is dropped by weight 0, which copies nothing. A class without mass gets probability <= 1e-12
    everywhere. With `transition` the loss is the cross-entropy between targets and p @ transition; that loss
    is not convex, so the fit begins at the uncorrected one unless `start` says otherwise, and the start may
    matter. O(n a k) time per iteration, O(n k) memory.

    Parameters
    ----------
    projected : (n, a), from `Design.project` or `Design.on_axes`
    targets : (n, k), non-negative, rows sum to 1
    weights : (n,), non-negative, not all 0
    design : what `projected` was made with
    start : a fit on the same design, of nearby data; default None = cold
    transition : (k, k), row-stochastic, T[true, given]; default None = targets are taken as the truth
    known_curvature : from `curvature` at a nearby fit; saves iterations, never changes the optimum
    tolerance : of the Newton decrement, default 1e-8; half its square is about the excess loss, and
        probabilities end within a small multiple of it
    max_iterations : then `converged` is False; a hard problem takes 100

    Returns
    -------
    SoftmaxFit

    Raises
    ------
    InputError : shapes that do not fit, targets or weights or transition that are no such thing

    Randomness: none.

    Source: Boehning (1992), Ann. Inst. Stat. Math. 44; Patrini et al. (2017), CVPR, theorem 2.
    """
    _check(projected, targets, weights, design)
    if start is not None and start.coefficients.shape != (projected.shape[1] + 1, targets.shape[1]):
        raise InputError("the start was fitted on another design or for other classes")
    if transition is not None:
        check_transition(transition, targets.shape[1])
        if start is None:
            start = fit(projected, targets, weights, design, known_curvature=known_curvature, tolerance=1e-4)
    shares = weights / weights.sum()
    masses = shares @ targets
    if transition is not None:
        masses = transition @ masses
    present = np.flatnonzero(masses > _ABSENT_MASS)
    loss = _loss(projected, targets, shares, design.l2, present, transition)
    first = _first_parameters(start, present, projected.shape[1])
    known = None if known_curvature is None else known_curvature.of_classes(present)
    found = _minimize_in_stages(loss, first, design.variances, known, tolerance, max_iterations)
    coefficients = _spread(found.parameters, present, targets.shape[1])
    return SoftmaxFit(read_only(coefficients), found.n_iterations, found.converged)


def predict_proba(projected: OnAxes, fitted: SoftmaxFit) -> Matrix:
    """Class probabilities; projected (m, a) -> (m, k), rows sum to 1."""
    probs, _ = softmax_columns(scores_of(projected, fitted.coefficients))
    return np.ascontiguousarray(probs.T)


def curvature(projected: OnAxes, weights: Vector, design: Design, fitted: SoftmaxFit) -> BlockCurvature | None:
    """Inverse curvature of each class at a fit, to be shared by neighbouring fits; None above 512 MB.

    Worth its price (tens of iterations) when many variants of one fit follow, as in trials.
    """
    if not is_affordable(*fitted.coefficients.shape):
        return None
    probs, _ = softmax_columns(scores_of(projected, fitted.coefficients))
    return block_curvature(projected, probs, weights / weights.sum(), design.variances, design.l2)


def feature_coefficients(design: Design, fitted: SoftmaxFit) -> tuple[Matrix, Vector]:
    """Coefficients (d, k) and intercepts (k,) for the features as they were handed in."""
    coefficients = design.basis @ fitted.coefficients[:-1]
    return coefficients, fitted.coefficients[-1] - design.mean @ coefficients


def _loss(
    projected: OnAxes,
    targets: Matrix,
    shares: Vector,
    l2: float,
    present: IntVector,
    transition: Matrix | None,
) -> SoftmaxLoss:
    mass = np.ascontiguousarray(targets.T) * shares
    if transition is not None:
        return ForwardSoftmaxLoss(projected, mass, mass.sum(axis=0), l2, transition[present])
    if len(present) < len(mass):
        mass = mass[present]
    return SoftmaxLoss(projected, mass, mass.sum(axis=0), l2)


def _minimize_in_stages(
    loss: SoftmaxLoss,
    first: Matrix,
    variances: Vector,
    known: BlockCurvature | None,
    tolerance: float,
    max_iterations: int,
) -> Minimum:
    """Begin with the mean curvature, or a known one; after each stage that did not suffice, look closer."""
    at, done = Minimum(first, 0, converged=False), 0
    is_large = loss.projected.shape[0] * first.size >= _SCOUTED
    scout = replace(loss, projected=in_single_precision(loss.projected)) if is_large else None
    for stage in count():
        curved: Curvature | None = known if stage == 0 else None
        if curved is None:
            probs, _ = softmax_columns(loss.scores(at.parameters))
            curved = curvature_of_stage(stage, loss.projected, probs, loss.shares, variances, loss.l2)
        steps = min(_longest(stage, curved, first.size, tolerance), max_iterations - done)
        at = minimize(
            loss,
            at.parameters,
            precondition=curved.solve,
            tolerance=tolerance,
            max_iterations=steps,
            scout=scout,
        )
        done += at.n_iterations
        if at.converged or at.n_iterations == 0 or done >= max_iterations:
            break
    return at._replace(n_iterations=done)


def _longest(stage: int, curved: Curvature, n_coefficients: int, tolerance: float) -> int:
    """Return how many steps a curvature serves before a closer look pays; later, where few steps are left and these are cheap."""
    if isinstance(curved, BlockCurvature) and stage == 0 and n_coefficients > FULL_SIZE:
        return _KNOWN_STAGE
    if isinstance(curved, FullCurvature):
        return _NEWTON_STAGE
    return _STAGE if tolerance < ROUGH else _ROUGH_STAGE


def _first_parameters(start: SoftmaxFit | None, present: IntVector, n_axes: int) -> Matrix:
    if start is None:
        return np.zeros((n_axes + 1, len(present)))
    parameters = start.coefficients[:, present].copy()
    # A class that had no mass at the start sits where its gradient vanishes: begin it beside the rarest.
    absent = parameters[-1] <= _ABSENT_SCORE
    parameters[-1, absent] = parameters[-1, ~absent].min(initial=0.0)
    return np.asarray(parameters - parameters.mean(axis=1, keepdims=True), dtype=np.float64)


def _spread(parameters: Matrix, present: IntVector, n_classes: int) -> Matrix:
    """Put the fitted classes in their columns. Their scores sum to 0, so the largest is >= 0 in every row."""
    coefficients = np.zeros((len(parameters), n_classes))
    coefficients[-1] = _ABSENT_SCORE
    coefficients[:, present] = parameters - parameters.mean(axis=1, keepdims=True)
    return coefficients


def _check(projected: OnAxes, targets: Matrix, weights: Vector, design: Design) -> None:
    if projected.ndim != 2 or projected.shape[1] != len(design.variances):
        expected = f"(n, {len(design.variances)})"
        raise InputError(f"projected rows have shape {projected.shape}, the design gives {expected}")
    check_targets(targets, len(projected))
    check_weights(weights, len(projected))
