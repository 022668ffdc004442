"""Mixture of Gaussians that knows of errors: parts of the space of features in which rows fail alike.

    p(x, y, s) = sum_c w_c N(x; m_c, V) prod_t (sum_j t_j q_cj)^g

x are coordinates of features; each term t is a distribution over kinds that is known of the row (its label, its prediction, or how
bad its score is); g is the weight of those terms. V is diagonal and shared: a component of few rows cannot know its own. The
expectation-maximization starts from groups of rows that fail alike, each cut in parts along its directions of most spread, with
no draw. Membership by the features alone follows by leaving the terms out.

Source: Eyuboglu et al. (2022), Domino: discovering systematic errors with cross-modal embeddings, ICLR, section 5; Dempster, Laird,
Rubin (1977), Maximum likelihood from incomplete data via the EM algorithm, JRSS B 39.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp

from tilth.core.errors import InputError
from tilth.numerics.region_membership import log_components
from tilth.numerics.regions import centres_of, region_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tilth.core.arrays import IntVector, Mask, Matrix, Vector

__all__ = ["ErrorParts", "error_mixture"]

ROUNDS, TOLERANCE = 30, 1e-4
LEAST_ROWS = 8
"""Rows of a group below which it starts no component."""
LEAST_PART = 0.5
"""Components that a group would have by its rows, below which it is taken together with others."""
OF_ERRORS = 0.6
"""Share of the components that start among rows that fail."""
TINY = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ErrorParts:
    """Components of a mixture.

    Parameters
    ----------
    means : (m, p)
    variances : (m, p), > 0
    log_weights : (m,)
    belongs : (n, m) p(component | features, terms) of the rows that it was fitted to
    by_features : (n, m) p(component | features) of the same rows
    """

    means: Matrix
    variances: Matrix
    log_weights: Vector
    belongs: Matrix
    by_features: Matrix


def error_mixture(
    points: Matrix,
    groups: IntVector,
    fails: Mask,
    terms: Sequence[Matrix],
    *,
    components: int = 25,
    weight: float = 3.0,
) -> ErrorParts:
    """Fit the mixture. O(rounds n m p).

    Parameters
    ----------
    points : Matrix, (n, p)
        Coordinates of features, finite; a few dozen at most.
    groups : IntVector, (n,)
        Rows that fail (or do not) alike: label and prediction as one number.
    fails : Mask, (n,)
        Rows that fail; all rows of a group do, or none.
    terms : sequence of Matrix, each (n, k)
        What is known of each row, as rows that sum to 1.
    components : int
        Wanted, about, >= 2; groups that are too small for one of their own share theirs. Default 25.
    weight : float
        Of the terms against the features, >= 0; default 3.

    Returns
    -------
    ErrorParts
        Components that failing groups started come first.

    Raises
    ------
    InputError
        Without rows, or where no group is large enough.

    Randomness
    ----------
    None.

    Source
    ------
    Eyuboglu et al. (2022), ICLR, section 5.

    Examples
    --------
    >>> line = np.repeat([[0.0], [10.0]], 10, axis=0) + np.linspace(0, 1, 20)[:, None]
    >>> fails = np.arange(20) >= 10
    >>> parts = error_mixture(line, fails.astype(int), fails, [np.eye(2)[fails.astype(int)]], components=2)
    >>> parts.by_features.argmax(axis=1).tolist() == [1] * 10 + [0] * 10
    True
    """
    belongs = _start(points, groups, fails, components)
    if not belongs.shape[1]:
        raise InputError("no group of rows is large enough to start a component", next_step="give more rows")
    squares, before = np.square(points), -np.inf
    floor = 1e-6 * max(float(points.var(axis=0).mean()), TINY)
    for _ in range(ROUNDS):
        sizes = belongs.sum(axis=0) + TINY
        means = belongs.T @ points / sizes[:, None]
        spread = squares.mean(axis=0) - (sizes @ np.square(means)) / len(points)
        variances = np.tile(np.maximum(spread, floor), (len(means), 1))
        log_weights = np.log(sizes / len(points))
        joint = log_components(points, means, variances, log_weights)
        by_features = joint - logsumexp(joint, axis=1)[:, None]
        for term in terms:
            joint = joint + weight * _log_term(term, belongs, sizes)
        total = logsumexp(joint, axis=1)
        belongs = np.exp(joint - total[:, None])
        if abs(float(total.mean()) - before) < TOLERANCE:
            break
        before = float(total.mean())
    return ErrorParts(
        means=means,
        variances=variances,
        log_weights=log_weights,
        belongs=belongs,
        by_features=np.exp(by_features),
    )


def _log_term(term: Matrix, belongs: Matrix, sizes: Vector) -> Matrix:
    kinds = (belongs.T @ term + 1e-3) / (sizes + 1e-3 * term.shape[1])[:, None]
    return np.asarray(np.log(term @ kinds.T + TINY))


def _start(points: Matrix, groups: IntVector, fails: Mask, components: int) -> Matrix:
    """Return the first memberships (n, m), 0 or 1: groups in parts, in proportion to their rows, small ones taken together."""
    found: list[Vector] = []
    for which, share in ((True, OF_ERRORS), (False, 1 - OF_ERRORS)):
        held = np.flatnonzero(fails == which)
        names, number, sizes = np.unique(groups[held], return_inverse=True, return_counts=True)
        wanted = components * share * sizes / max(len(held), 1)
        is_small = (sizes < LEAST_ROWS) | (wanted < LEAST_PART)
        number = np.where(is_small[number], len(names), number)
        for group in np.unique(number):
            rows = held[number == group]
            if len(rows) < LEAST_ROWS:
                continue
            parts = max(1, round(components * share * len(rows) / len(held)))
            nearest = region_of(points[rows], centres_of(points[rows], min(parts, len(rows) // LEAST_ROWS)))
            found += [_indicator(len(points), rows[nearest == part]) for part in np.unique(nearest)]
    return np.array(found).reshape(len(found), len(points)).T


def _indicator(n: int, rows: IntVector) -> Vector:
    mask = np.zeros(n)
    mask[rows] = 1.0
    return mask
