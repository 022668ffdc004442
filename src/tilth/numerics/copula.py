"""Gaussian copula with empirical margins: new rows that keep a table's margins and correlations, each a step away from a row of it.

    z = Φ⁻¹((rank - 1/2) / n) of each column;  R = their correlation, drawn toward the identity
    z' = sqrt(1 - s²) z_a + s e,  e ~ N(0, R);  x' = the column's quantile at Φ(z')

If z ~ N(0, R), so is z', for every step s: a small one stays near its row a, s = 1 is a fresh draw from the copula. Categories stand side
by side in an order and take up parts of the normal line as large as their shares. Cells that row a lacks are missing in the new row.

Source: Nelsen (2006), An Introduction to Copulas, section 2.3 (Sklar); Patki, Wedge, Veeramachaneni (2016), The Synthetic Data Vault, DSAA
(Gaussian copula for tables); Neal (1998), Regression and Classification Using Gaussian Process Priors, section 5 (the step).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import InputError

if TYPE_CHECKING:
    from tilth.core.arrays import IntVector, Mask, Matrix, Vector

__all__ = ["category_order", "correlation", "normal_scores", "quantiles", "stepped"]

_EDGE = 1e-6


def normal_scores(values: Matrix) -> Matrix:
    """Return the normal scores of each column's cells, ties at their middle, missing cells NaN; (n, p) -> (n, p).

    Examples
    --------
    >>> normal_scores(np.array([[3.0], [1.0], [2.0]])).round(3).ravel().tolist()
    [0.967, -0.967, 0.0]
    """
    from scipy import special, stats

    found = np.full(values.shape, np.nan)
    for column in range(values.shape[1]):
        there = ~np.isnan(values[:, column])
        if there.any():
            ranks = stats.rankdata(values[there, column])
            found[there, column] = special.ndtri((ranks - 0.5) / len(ranks))
    return found


def correlation(scores: Matrix) -> Matrix:
    """Return the correlation of normal scores, (n, p) -> (p, p), drawn toward the identity by p / (n + p); missing cells say nothing."""
    n, p = scores.shape
    filled = np.nan_to_num(scores)
    spread = np.sqrt(np.maximum((filled**2).mean(axis=0), 1e-12))
    units = filled / spread
    share = p / (n + p)
    found = (1 - share) * (units.T @ units) / n + share * np.eye(p)
    found[np.diag_indices(p)] = 1.0
    return np.asarray(found)


def stepped(scores: Matrix, uniforms: Matrix, correlations: Matrix, step: float) -> Matrix:
    """Return scores a step away, (m, p) -> (m, p), by uniform numbers (m, p); what is missing (NaN) steps from 0.

    Raises
    ------
    InputError : the step is not in (0, 1]

    Examples
    --------
    >>> stepped(np.array([[1.0]]), np.array([[0.5]]), np.eye(1), 0.6).tolist()
    [[0.8]]
    """
    from scipy import special

    if not 0 < step <= 1:
        raise InputError(f"a step must lie in (0, 1], not {step!r}")
    noise = special.ndtri(np.clip(uniforms, _EDGE, 1 - _EDGE)) @ np.linalg.cholesky(correlations).T
    return np.asarray(np.sqrt(1 - step * step) * np.nan_to_num(scores) + step * noise)


def quantiles(values: Vector, scores: Vector) -> Vector:
    """Return a column's quantiles at normal scores, (n,), (m,) -> (m,); between two values only where most of its values differ.

    Where cells have few values (counts, codes, many zeros), what stands between two of them would be told at once.

    Examples
    --------
    >>> quantiles(np.array([1.0, 2.0, 3.0]), np.array([-9.0, 0.0, 9.0])).tolist()
    [1.0, 2.0, 3.0]
    """
    from scipy import special

    known = np.sort(values[~np.isnan(values)])
    if not len(known):
        return np.full(len(scores), np.nan)
    at = np.clip(special.ndtr(scores) * len(known) - 0.5, 0, len(known) - 1)
    if len(np.unique(known)) < len(known) / 2:
        return np.asarray(known[np.rint(at).astype(np.intp)])
    return np.asarray(np.interp(at, np.arange(len(known)), known))


def category_order(codes: IntVector, scores: Matrix) -> IntVector:
    """Return the place of each category, (n,), (n, p) -> (number of categories,): by the mean of the rows' first principal score.

    A copula knows of a category only where it stands among the others; the order in which they follow the numbers loses least.
    """
    k = int(codes.max(initial=-1)) + 1
    if not scores.shape[1] or k < 2:
        return np.arange(k)
    filled = np.nan_to_num(scores)
    _, _, axes = np.linalg.svd(filled - filled.mean(axis=0), full_matrices=False)
    first = filled @ axes[0] * np.sign(axes[0][np.abs(axes[0]).argmax()])
    there: Mask = codes >= 0
    sums, counts = np.bincount(codes[there], first[there], k), np.bincount(codes[there], minlength=k)
    order = np.argsort(sums / np.maximum(counts, 1), kind="stable")
    return np.argsort(order, kind="stable")
