"""Weights by a classifier that tells new rows from labelled ones.

    w(x) = p(current | x) / p(reference | x) · n_ref / n_cur,      score = sum_i w_i score_i / sum_i w_i

The classifier is logistic on the main directions of the embeddings. Its penalty is chosen by what it says of rows that
it did not see, and a row's weight comes from the half that it is not in; where nothing tells the rows apart, weights
are equal. It holds where p(score | x) is as before and new rows have their like among the labelled ones.

Source: Bickel, Brückner, Scheffer (2007), Discriminative learning for differing training and test distributions, ICML,
section 4; Kish (1965), Survey Sampling (effective rows).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tilth.core.arrays import FloatMatrix32, Mask, Matrix, Vector
from tilth.core.errors import NotApplicable
from tilth.core.estimate import Estimate
from tilth.monitoring._shared import halves, main_directions, refuse_few, scored_rows, weighted_score
from tilth.numerics.softmax_regression import fit, predict_proba, prepare
from tilth.operators.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DomainWeights", "density_ratio"]

_PENALTIES = (0.003, 0.03, 0.3)
_DIRECTIONS = 20
_SUREST = 30.0
"""Greatest logarithm of the odds, so that weights stay finite."""
_LEAST_MET = 0.5
"""Mean weight of reference rows below which most new rows have no like among them."""


def density_ratio(
    reference: Matrix,
    current: Matrix,
    folds: tuple[Mask, Mask],
    penalties: Sequence[float] = _PENALTIES,
) -> Vector:
    """Return how much more frequent each reference row is among current rows, as a logistic classifier sees it.

    Each half of the rows is weighed by a fit to the other half. Of the penalties, and of no classifier at all, the one
    is taken whose predictions of unseen rows are most likely. O((n + m) d²) per penalty.

    Parameters
    ----------
    reference : (n, d) features
    current : (m, d) features
    folds : which rows stand in the second half, (n,) and (m,)
    penalties : per row, > 0

    Returns
    -------
    Vector
        (n,), > 0. Their mean is near 1 where both kinds of rows lie in one place, and near 0 where new rows have no
        like among the reference rows.

    Randomness
    ----------
    None: the folds are given.

    Source
    ------
    Bickel et al. (2007), ICML, section 4.

    Examples
    --------
    >>> line = np.linspace(-1, 1, 200)[:, None]
    >>> second = np.arange(200) % 2 == 1
    >>> weights = density_ratio(line, line, (second, second))
    >>> weights.tolist() == [1.0] * 200
    True
    """
    rows = np.concatenate([reference, current])
    new = np.repeat([0, 1], [len(reference), len(current)])
    second = np.concatenate(folds)
    parts = [(np.flatnonzero(second == held), np.flatnonzero(second != held)) for held in (False, True)]
    if min(np.bincount(new[learnt], minlength=2).min() for _, learnt in parts) == 0:
        return np.ones(len(reference))
    best, odds = _loss(np.zeros(len(rows)), new), np.zeros(len(rows))
    for penalty in penalties:
        found = np.zeros(len(rows))
        for held, learnt in parts:
            found[held] = _odds(rows[learnt], new[learnt], rows[held], penalty)
        if (loss := _loss(found, new)) < best:
            best, odds = loss, found
    return np.asarray(np.exp(odds[: len(reference)]), dtype=np.float64)


def _odds(rows: Matrix, new: np.ndarray, asked: Matrix, penalty: float) -> Vector:
    """Return the log odds (a,) of rows being current, both kinds weighed alike."""
    design = prepare(rows, penalty)
    balance = (0.5 / np.bincount(new, minlength=2))[new]
    fitted = fit(design.project(rows), np.eye(2)[new], balance, design, tolerance=1e-4)
    with np.errstate(divide="ignore"):
        logs = np.log(predict_proba(design.project(asked), fitted))
    return np.asarray(np.clip(logs[:, 1] - logs[:, 0], -_SUREST, _SUREST), dtype=np.float64)


def _loss(odds: Vector, new: np.ndarray) -> float:
    """Return the mean negative log-likelihood, both kinds weighed alike."""
    losses = np.logaddexp(0.0, np.where(new == 1, -odds, odds))
    return float(losses[new == 0].mean() + losses[new == 1].mean())


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainWeights:
    """Estimate the mean score by labelled rows, weighed by how like the new rows they are in their embeddings.

    Any score will do. New rows that mostly have no like among the labelled ones are refused, and so are weights that rest
    on too few rows. The interval holds sampling errors only: it is
    right as far as what moved shows in the embeddings.

    Parameters
    ----------
    directions : how many main directions of the embeddings the classifier reads
    fewest : effective reference rows below which it refuses
    """

    directions: int = _DIRECTIONS
    fewest: int = 20

    needs: ClassVar[frozenset[str]] = frozenset({"scores", "embeddings"})
    revision: ClassVar[int] = 1

    def estimate(self, reference: View, current: View) -> Estimate:
        """Return the mean score to be expected of the current rows."""
        rows = scored_rows(reference, current)
        weights = self.weights(reference, current)[rows]
        if weights.mean() < _LEAST_MET:
            raise NotApplicable(
                f"labelled rows make up for about {weights.mean():.0%} of the new ones; the others have no like among them",
                next_step="label some of the new rows",
            )
        refuse_few(weights, self.fewest)
        return weighted_score(reference.scores[rows], weights, len(current))

    def weights(self, reference: View, current: View) -> Vector:
        """Return the weight of each reference row (n,)."""
        vectors: tuple[FloatMatrix32, FloatMatrix32] = (reference.embeddings, current.embeddings)
        if vectors[0].shape[1] == 0:
            raise NotApplicable("there are no embeddings to tell rows apart by")
        known, new = main_directions(*vectors, self.directions)
        return density_ratio(known, new, (halves(reference, "halves"), halves(current, "halves")))
