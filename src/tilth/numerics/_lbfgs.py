"""Preconditioned L-BFGS for losses of linear scores, which makes each line search almost free.

Parameters enter the loss through scores that are linear in them. Along a search direction the scores are
therefore a straight line, and trying a step length costs one pass over the scores instead of two products
with the features.

Source: Nocedal & Wright (2006), Numerical Optimization, algorithms 7.4 and 3.5; Hager & Zhang (2005), SIAM J.
Optim. 16, for a line search that trusts derivatives once differences of values are rounding.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from tilth.core.arrays import Matrix

__all__ = ["LinearScoreLoss", "Minimum", "minimize"]

_MEMORY = 20
_MAX_TRIALS = 30
_DECREASE, _FLATTER = 1e-4, 0.9
_ROUNDING = 1e-14
_NEAR = 1e-5
"""Decrement down to which a loss in single precision leads: well above what its rounding moves."""


class LinearScoreLoss(Protocol):
    """A loss of linear scores plus a ridge penalty on all parameter rows but the last (the intercept)."""

    @property
    def l2(self) -> float:
        """Penalty on the parameters, per row."""
        ...

    def scores(self, parameters: Matrix) -> Matrix:
        """Map parameters to scores, linearly."""
        ...

    def value(self, scores: Matrix) -> tuple[float, Matrix]:
        """Return the mean loss at these scores and its derivative by each score."""
        ...

    def pull_back(self, residual: Matrix) -> Matrix:
        """Map a derivative by scores to one by parameters (the adjoint of `scores`)."""
        ...


class Minimum(NamedTuple):
    """Where the minimizer stopped, and whether it had reached its tolerance."""

    parameters: Matrix
    n_iterations: int
    converged: bool


@dataclass(slots=True)
class _Point:
    """One point of the path with everything that was computed there."""

    parameters: Matrix
    scores: Matrix
    value: float
    gradient: Matrix


class _Step(NamedTuple):
    length: float
    scores: Matrix
    value: float
    residual: Matrix


class _Pair(NamedTuple):
    move: Matrix
    turn: Matrix
    inverse: float


def minimize(
    loss: LinearScoreLoss,
    start: Matrix,
    *,
    precondition: Callable[[Matrix], Matrix],
    tolerance: float,
    max_iterations: int,
    scout: LinearScoreLoss | None = None,
) -> Minimum:
    """Follow L-BFGS from `start` until the Newton decrement is at most `tolerance`.

    The decrement is estimated by sqrt(-gradient · direction); half its square is about the excess loss. Unlike
    the length of the gradient it does not depend on the scale of the parameters. A `scout` is the same loss in single precision: it goes
    ahead while the minimum is far, and where no more than that is asked for, to the end.
    """
    leading = loss if scout is None else scout
    at = _start(leading, start)
    memory: deque[_Pair] = deque(maxlen=_MEMORY)
    for iteration in range(max_iterations):
        direction = _direction(at.gradient, memory, precondition)
        near = tolerance if leading is loss else max(tolerance, _NEAR)
        is_near = -float(np.vdot(at.gradient, direction)) <= near**2
        if is_near and near == tolerance:
            return Minimum(at.parameters, iteration, converged=True)
        step = None if is_near else _search(leading, at, direction)
        if step is not None:
            at = _move(leading, at, step, direction, memory)
        elif leading is loss:
            return Minimum(at.parameters, iteration, converged=False)
        else:
            leading, at = loss, _start(loss, at.parameters)
    return Minimum(at.parameters, max_iterations, converged=False)


def _start(loss: LinearScoreLoss, parameters: Matrix) -> _Point:
    scores = loss.scores(parameters)
    value, residual = loss.value(scores)
    weights = parameters[:-1]
    value += 0.5 * loss.l2 * float(np.vdot(weights, weights))
    return _Point(parameters, scores, value, _gradient(loss, parameters, residual))


def _gradient(loss: LinearScoreLoss, parameters: Matrix, residual: Matrix) -> Matrix:
    gradient = loss.pull_back(residual)
    gradient[:-1] += loss.l2 * parameters[:-1]
    return gradient


def _direction(gradient: Matrix, memory: deque[_Pair], precondition: Callable[[Matrix], Matrix]) -> Matrix:
    """Two-loop recursion; the preconditioner stands for the inverse Hessian before any pair is known."""
    q = gradient.copy()
    shares: list[float] = []
    for pair in reversed(memory):
        share = pair.inverse * float(np.vdot(pair.move, q))
        q -= share * pair.turn
        shares.append(share)
    q = precondition(q)
    for pair, share in zip(memory, reversed(shares), strict=True):
        q += (share - pair.inverse * float(np.vdot(pair.turn, q))) * pair.move
    return -q


def _search(loss: LinearScoreLoss, at: _Point, direction: Matrix) -> _Step | None:
    """Find a step that satisfies the Wolfe conditions, by secants on the derivative inside a bracket."""
    ahead = loss.scores(direction)
    slope = float(np.vdot(at.gradient, direction))
    bend = loss.l2 * float(np.vdot(direction[:-1], direction[:-1]))
    lean = loss.l2 * float(np.vdot(at.parameters[:-1], direction[:-1]))
    slack = _ROUNDING * (1 + abs(at.value))
    # The penalty at the start belongs to at.value; along the line it adds lean·a + bend·a²/2.
    offset = 0.5 * loss.l2 * float(np.vdot(at.parameters[:-1], at.parameters[:-1]))
    low, low_slope, high, high_slope, length = 0.0, slope, np.inf, 0.0, 1.0
    for _ in range(_MAX_TRIALS):
        scores = at.scores + length * ahead
        value, residual = loss.value(scores)
        value += offset + length * (lean + 0.5 * length * bend)
        here = float(np.vdot(residual, ahead)) + lean + length * bend
        descends = value <= at.value + _DECREASE * length * slope + slack
        if descends and abs(here) <= -_FLATTER * slope:
            return _Step(length, scores, value, residual)
        if descends and here < 0:
            low, low_slope = length, here
        else:
            high, high_slope = length, here
        length = _next_length(low, low_slope, high, high_slope)
    return None


def _next_length(low: float, low_slope: float, high: float, high_slope: float) -> float:
    if high == np.inf:
        return 2.0 * low
    width = high - low
    secant = low - low_slope * width / (high_slope - low_slope) if high_slope > 0 else low + 0.5 * width
    return min(max(secant, low + 0.1 * width), high - 0.1 * width)


def _move(loss: LinearScoreLoss, at: _Point, step: _Step, direction: Matrix, memory: deque[_Pair]) -> _Point:
    move = step.length * direction
    parameters = at.parameters + move
    gradient = _gradient(loss, parameters, step.residual)
    turn = gradient - at.gradient
    curvature = float(np.vdot(move, turn))
    if curvature > 0:  # always so for a convex loss; elsewhere a bad pair would spoil the metric
        memory.append(_Pair(move, turn, 1.0 / curvature))
    return _Point(parameters, step.scores, step.value, gradient)
