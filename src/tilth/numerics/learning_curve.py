"""Learning curves: the score that more rows would bring, forecast from scores at fewer rows.

    error(n) = best - score(n) = E · (r + (1 - r) ((n + a) / (N + a))^-c)        E = error at N, the largest size that was measured

r = 1 is a flat curve, r = 0 a power law that ends at no error, and a > 0 one that begins slowly. A few noisy points cannot tell
these apart, so none is picked: the laws stand on a grid of r, c and a, each weighs what it explains, and a forecast is their mixture.
Measured curves are no exact laws either: they wander off by a random walk in log n, whose step is weighed among a few in
the same way. It makes sizes near N count more than those far away, and intervals wider the further a forecast reaches.

Source: Viering, Loog (2023), The Shape of Learning Curves: a Review, IEEE TPAMI 45 (the laws, section 5: POW3 is a = 0, POW4 has
all three; no law fits all curves); Cortes, Jackel, Solla, Vapnik, Denker (1993), Learning Curves: Asymptotic Values and Rate of
Convergence, NeurIPS 6; Hoeting, Madigan, Raftery, Volinsky (1999), Bayesian Model Averaging, Statistical Science 14 (the mixture).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import ndtr, ndtri

from tilth.core.errors import InputError, UsageError
from tilth.core.estimate import Estimate

if TYPE_CHECKING:
    from tilth.core.arrays import Matrix, Vector

__all__ = ["FEWEST_SIZES", "FittedCurve", "fit_curve"]

FEWEST_SIZES = 3
"""A level, a slope and a bend."""
_EXPONENTS = np.geomspace(0.1, 1.0, 10)
"""From the slowest decay that large studies saw to the fastest that theory allows where labels are noisy."""
_SHARES = np.linspace(0.0, 1.0, 21)
"""Shares of the error at N that stay, from the power law that ends at none (0) to the flat curve (1)."""
_BEGINNINGS = np.array([0.0, 0.1, 0.3, 1.0])
"""The a of slow beginnings, as shares of N."""
_DRIFTS = np.array([0.01, 0.02, 0.04, 0.08])
"""Steps of the walk off the law, as shares of the error at N for each doubling of the rows."""
_STEPS = 60


@dataclass(frozen=True, slots=True, eq=False)
class _Laws:
    """Laws side by side: exponents c, shares r that stay, beginnings a / N, prior weights."""

    exponents: Vector
    shares: Vector
    beginnings: Vector
    priors: Vector

    def left(self, n: float, largest: int) -> Vector:
        """Return error(n) / error(N) under each law."""
        if math.isinf(n):
            return self.shares
        shrunk = ((n / largest + self.beginnings) / (1 + self.beginnings)) ** -self.exponents
        return np.asarray(self.shares + (1 - self.shares) * shrunk)


@dataclass(frozen=True, slots=True, eq=False)
class FittedCurve:
    """What laws say of the sizes beyond those measured; made by `fit_curve`.

    Parameters
    ----------
    largest : N, the largest size that was measured
    best : the greatest score that there is
    weights : (t, l) weight of each step of the walk and law; they sum to 1
    levels, spreads : (t, l) mean and standard error of the error at N under each
    drifts : (t,) steps of the walk, in the unit of the score for each doubling
    drawn : variance of the score over the draw of n rows, times n
    """

    largest: int
    best: float
    weights: Matrix
    levels: Matrix
    spreads: Matrix
    drifts: Vector
    drawn: float
    _laws: _Laws

    def forecast(self, n: float, level: float = 0.95) -> Estimate:
        """Return the score expected of n >= N rows with its interval; its value never falls as n grows.

        Raises
        ------
        UsageError : n below the largest size that was measured
        """
        left = self._left(n)
        noise = self.drifts**2 * math.log2(n / self.largest) + self.drawn / n
        found = self._mixture(-self.levels * left, np.sqrt((self.spreads * left) ** 2 + noise[:, None]), level)
        return _below(found, self.best)

    def gain(self, n: float, since: float | None = None, level: float = 0.95) -> Estimate:
        """Return by how much the score of n rows is expected to exceed that of `since` rows (default N).

        What is uncertain of both scores alike falls out, so the interval is shorter than those of the two forecasts.

        Raises
        ------
        UsageError : n below `since`, or `since` below the largest size that was measured
        """
        start = float(self.largest if since is None else since)
        if n < start:
            raise UsageError(f"{n:g} rows are fewer than {start:g}", next_step="forecast what more rows bring")
        saved = self._left(start) - self._left(n)
        noise = self.drifts**2 * math.log2(n / start) + self.drawn * (1 / start - 1 / n)
        return self._mixture(self.levels * saved, np.sqrt((self.spreads * saved) ** 2 + noise[:, None]), level)

    def reachable(self, level: float = 0.95) -> Estimate:
        """Return the score that the laws reach with rows without end; the walk off them has no end and is left out."""
        left = self._laws.left(math.inf, self.largest)
        return _below(self._mixture(-self.levels * left, self.spreads * left, level), self.best)

    def _left(self, n: float) -> Vector:
        if not self.largest <= n < math.inf:
            raise UsageError(
                f"{n:g} rows are not beyond the {self.largest:,} measured", next_step="forecast what more rows bring"
            )
        return self._laws.left(n, self.largest)

    def _mixture(self, means: Matrix, errors: Matrix, level: float) -> Estimate:
        """Return the mean of a mixture of normal distributions with its central interval."""
        if not 0 < level < 1:
            raise UsageError(f"{level:g} is no coverage", next_step="give a level such as 0.95")
        weights = self.weights.ravel()
        heard = weights > weights.max() * 1e-12
        weights, mean, error = weights[heard], means.ravel()[heard], errors.ravel()[heard]
        value = float(weights @ mean)
        spread = math.sqrt(max(float(weights @ ((mean - value) ** 2 + error**2)), 0.0))
        low, high = (_quantile(weights, mean, error, q) for q in ((1 - level) / 2, (1 + level) / 2))
        return Estimate(value=value, low=min(low, value), high=max(high, value), standard_error=spread)


def fit_curve(
    sizes: Vector, scores: Vector, errors: Vector | Matrix, *, best: float = 1.0, drawn: float = 0.0
) -> FittedCurve:
    """Fit score against number of rows, as a mixture of laws that forecasts beyond the sizes measured.

    Points weigh by their covariance: sizes scored on the same rows share noise that cancels in gains, and say so by a full matrix.
    Priors are flat: every share that stays, every exponent (by its logarithm) and every beginning alike. O(m² l) for m sizes and
    l = 801 laws; some milliseconds.

    Parameters
    ----------
    sizes : array, (m,)
        Numbers of rows, > 0, rising; m >= 3.
    scores : array, (m,)
        Score at each size, higher is better, at most `best`; in the unit of the metric.
    errors : array, (m,) or (m, m)
        Standard errors of the scores, or their covariance where they share noise.
    best : float
        The greatest score that there is: 1 (default) for shares of rows, 0 for an error with its sign turned.
    drawn : float
        Variance of the score over the draw of n rows to learn from, times n; >= 0. By default 0: forecasts are then of the mean
        over draws, and else of the one draw that there will be.

    Returns
    -------
    FittedCurve
        Forecasts in the unit of the scores.

    Raises
    ------
    InputError
        Fewer than 3 sizes, sizes that do not rise, scores that are not finite or above `best`, errors of another shape
        or that are no covariance, or a negative `drawn`.

    Randomness
    ----------
    None.

    Source
    ------
    Viering, Loog (2023), IEEE TPAMI 45; Cortes et al. (1993), NeurIPS 6; Hoeting et al. (1999), Statistical Science 14.

    Examples
    --------
    >>> import numpy as np
    >>> sizes = np.array([100.0, 200.0, 400.0, 800.0, 1600.0])
    >>> curve = fit_curve(sizes, 0.9 - 2.0 * sizes**-0.5, np.full(5, 0.001))
    >>> gain = curve.gain(3200)  # 2.0 · (1600^-½ - 3200^-½) = 0.0146
    >>> round(gain.value, 2), gain.low < 0.0146 < gain.high
    (0.02, True)
    """
    sizes, scores = np.asarray(sizes, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    covariance = _checked(sizes, scores, np.asarray(errors, dtype=np.float64), best)
    if not drawn >= 0:
        raise InputError(f"a variance of {drawn:g} is none")
    laws, largest = _laws(), int(sizes[-1])
    wrong = best - scores
    shapes = np.stack([laws.left(float(n), largest) for n in sizes])
    back = np.log2(sizes[-1] / sizes)
    walk = np.minimum(back[:, None], back[None, :])
    drifts = _DRIFTS * max(float(wrong[-1]), 0.0)
    fits = [_weighed(shapes, wrong, covariance + drift**2 * walk) for drift in drifts]
    logs = np.stack([fit[0] for fit in fits]) + np.log(laws.priors)
    weights = np.exp(logs - logs.max())
    return FittedCurve(
        largest=largest,
        best=best,
        weights=weights / weights.sum(),
        levels=np.stack([fit[1] for fit in fits]),
        spreads=np.stack([fit[2] for fit in fits]),
        drifts=drifts,
        drawn=drawn,
        _laws=laws,
    )


def _laws() -> _Laws:
    """Return the grid; the flat curve is one law, and weighs as much as all laws of any other share together."""
    c, r, a = (part.ravel() for part in np.meshgrid(_EXPONENTS, _SHARES[:-1], _BEGINNINGS, indexing="ij"))
    of_each = 1 / (len(_SHARES) * len(_EXPONENTS) * len(_BEGINNINGS))
    return _Laws(
        exponents=np.append(c, 1.0),
        shares=np.append(r, 1.0),
        beginnings=np.append(a, 0.0),
        priors=np.append(np.full(len(c), of_each), 1 / len(_SHARES)),
    )


def _weighed(shapes: Matrix, wrong: Vector, covariance: Matrix) -> tuple[Vector, Vector, Vector]:
    """Return log evidence, mean and standard error of the error at N under each law; a flat prior on that error."""
    root = np.linalg.cholesky(covariance)
    white = solve_triangular(root, np.column_stack([shapes, wrong]), lower=True)
    design, seen = white[:, :-1], white[:, -1]
    precision = (design**2).sum(axis=0)
    level = (design * seen[:, None]).sum(axis=0) / precision
    misfit = ((seen[:, None] - design * level) ** 2).sum(axis=0)
    evidence = -np.log(np.diag(root)).sum() - 0.5 * np.log(precision) - 0.5 * misfit
    return evidence, np.maximum(level, 0.0), 1 / np.sqrt(precision)


def _quantile(weights: Vector, means: Vector, errors: Vector, share: float) -> float:
    """Solve sum_j w_j Phi((x - m_j) / s_j) = share by bisection."""
    errors = np.maximum(errors, 1e-12 * max(1.0, float(np.abs(means).max())))
    reach = abs(float(ndtri(share / 2 if share < 0.5 else (1 + share) / 2))) + 6.0
    low, high = float((means - reach * errors).min()), float((means + reach * errors).max())
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if float(weights @ ndtr((middle - means) / errors)) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _below(error: Estimate, best: float) -> Estimate:
    """Turn minus an error into a score that is at most the best there is."""
    low, value, high = (min(best + end, best) for end in (error.low, error.value, error.high))
    return Estimate(value=value, low=low, high=high, standard_error=error.standard_error)


def _checked(sizes: Vector, scores: Vector, errors: Vector | Matrix, best: float) -> Matrix:
    m = len(sizes)
    if sizes.ndim != 1 or m < FEWEST_SIZES or scores.shape != (m,):
        raise InputError(
            f"a curve needs scores at {FEWEST_SIZES} sizes or more, got {m} sizes and {len(scores)} scores",
            next_step="measure at more sizes",
        )
    if not (np.isfinite(sizes).all() and sizes[0] > 0 and (np.diff(sizes) > 0).all()):
        raise InputError("sizes must be positive and rise from one to the next")
    if not (np.isfinite(scores).all() and (scores <= best).all()):
        raise InputError(f"scores must be finite and at most {best:g}")
    if errors.shape not in ((m,), (m, m)) or not np.isfinite(errors).all():
        raise InputError(f"errors must be ({m},) or ({m}, {m}) finite numbers, got shape {errors.shape}")
    covariance = np.diag(errors**2) if errors.ndim == 1 else (errors + errors.T) / 2
    if not (np.diag(covariance) > 0).all() or np.linalg.eigvalsh(covariance)[0] <= 0:
        raise InputError("errors must be positive, and a covariance positive definite")
    return np.asarray(covariance)
