"""Weighted slices: reference rows are weighed until their slices are as frequent as those of the new rows.

    w(x) = exp(theta . g(x)),   theta = argmin  log mean_ref exp(theta . g) - theta . mean_cur g + l2 |theta|² / 2
    score = sum_i w_i score_i / sum_i w_i over reference rows

g are the slices a row belongs to. Where there are none, simple features stand in: the predicted class, and in which
fifth of the reference's confidence, and of its main directions of embeddings, a row lies. It holds where everything
that moved the score shows in the slices; it fails where new rows are unlike any labelled one.

Source: Chen, Goel, Sohoni, Poms, Fatahalian, Ré (2021), Mandoline: model evaluation under distribution shift, ICML,
section 4; Sugiyama et al. (2008), Direct importance estimation with model selection, NeurIPS (the log-linear weights).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import FloatMatrix32, IntVector, Matrix, Vector
from tilth.core.errors import NotApplicable
from tilth.core.estimate import Estimate
from tilth.monitoring._shared import main_directions, refuse_few, scored_rows, weighted_score
from tilth.operators.view import View

__all__ = ["Mandoline", "balancing_weights", "simple_features"]

_STEPS = 100
_FIFTHS = (0.2, 0.4, 0.6, 0.8)
_DIRECTIONS = 5
_MOST_CLASSES = 30


def balancing_weights(reference: Matrix, wanted: Vector, *, penalty: float = 0.001) -> Vector:
    """Weigh reference rows so that the means of their features come to the wanted ones, else as equally as may be.

    Newton's method on a convex function; O(n s²) per step, s features.

    Parameters
    ----------
    reference : (n, s) features, best within [0, 1]
    wanted : (s,) means that are to be reached
    penalty : > 0; how far the means may stay behind: at the optimum by penalty · theta

    Returns
    -------
    Vector
        (n,), > 0, mean 1.

    Randomness
    ----------
    None.

    Source
    ------
    Sugiyama et al. (2008), NeurIPS; Chen et al. (2021), ICML, equation 3.

    Examples
    --------
    >>> balancing_weights(np.array([[0.0], [0.0], [0.0], [1.0]]), np.array([0.5]), penalty=1e-9).round(3).tolist()
    [0.667, 0.667, 0.667, 2.0]
    """
    theta = np.zeros(reference.shape[1])
    value, shares = _dual(reference, wanted, theta, penalty)
    for _ in range(_STEPS):
        mean = shares @ reference
        slope = mean - wanted + penalty * theta
        curved = (reference * shares[:, None]).T @ reference - np.outer(mean, mean) + penalty * np.eye(len(theta))
        step: Vector = np.asarray(np.linalg.solve(curved, slope), dtype=np.float64)
        if float(slope @ step) < 1e-14:
            break
        theta, value, shares = _descended(reference, wanted, theta, step, value, penalty, float(slope @ step))
    return np.asarray(shares * len(shares), dtype=np.float64)


def _dual(reference: Matrix, wanted: Vector, theta: Vector, penalty: float) -> tuple[float, Vector]:
    """Return the function that is to be minimized, and the shares (n,) that its weights come to."""
    heights = reference @ theta
    top = float(heights.max())
    raised = np.exp(heights - top)
    value = top + float(np.log(raised.mean()) - theta @ wanted + penalty * theta @ theta / 2)
    return value, raised / raised.sum()


def _descended(
    reference: Matrix, wanted: Vector, theta: Vector, step: Vector, before: float, penalty: float, decrement: float
) -> tuple[Vector, float, Vector]:
    """Return parameters, value and shares after a Newton step, cut in half until it descends."""
    length = 1.0
    while True:
        value, shares = _dual(reference, wanted, theta - length * step, penalty)
        if value <= before - 0.25 * length * decrement or length < 1e-8:
            return theta - length * step, value, shares
        length /= 2


def simple_features(
    probs: tuple[Matrix, Matrix] | None, embeddings: tuple[FloatMatrix32, FloatMatrix32] | None
) -> tuple[Matrix, Matrix]:
    """Return features in [0, 1] of reference and current rows where no slices are known; (n, s) and (m, s).

    Parameters
    ----------
    probs : class probabilities (n, k) and (m, k), or None: predicted class, fifth of confidence
    embeddings : (n, d) and (m, d), or None: fifth along each of the five main directions of the reference

    Raises
    ------
    NotApplicable
        Neither is there.
    """
    pairs: list[tuple[Matrix, Matrix]] = []
    if probs is not None:
        pairs.append(_fifths(probs[0].max(axis=1)[:, None], probs[1].max(axis=1)[:, None]))
        if probs[0].shape[1] <= _MOST_CLASSES:
            known, new = (np.eye(part.shape[1])[part.argmax(axis=1)] for part in probs)
            pairs.append((known, new))
    if embeddings is not None:
        pairs.append(_fifths(*main_directions(*embeddings, _DIRECTIONS)))
    if not pairs:
        raise NotApplicable("there are no slices, and neither confidence nor embeddings to make some of")
    return np.concatenate([known for known, _ in pairs], axis=1), np.concatenate([new for _, new in pairs], axis=1)


def _fifths(reference: Matrix, current: Matrix) -> tuple[Matrix, Matrix]:
    """Return which of four quantiles of the reference each number exceeds, column by column; (n, 4 s), (m, 4 s)."""
    edges = np.quantile(reference, _FIFTHS, axis=0)
    known, new = (
        (part[:, None, :] > edges[None]).reshape(len(part), -1).astype(np.float64) for part in (reference, current)
    )
    return known, new


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandoline:
    """Estimate the mean score by labelled rows, weighed so that slices are as frequent as among the new rows.

    Any score will do. Weights that rest on too few rows are refused. The interval holds sampling errors only: it is
    right as far as what moved shows in the slices.

    Parameters
    ----------
    penalty : > 0; how far the slices' shares may stay behind
    fewest : effective reference rows below which it refuses
    """

    penalty: float = 0.001
    fewest: int = 20

    needs: ClassVar[frozenset[str]] = frozenset({"scores", "slices", "pred_probs", "embeddings"})
    revision: ClassVar[int] = 1

    def estimate(self, reference: View, current: View) -> Estimate:
        """Return the mean score to be expected of the current rows."""
        rows = scored_rows(reference, current)
        known, new = _features(reference, current, rows)
        weights = balancing_weights(known, new.mean(axis=0), penalty=self.penalty)
        refuse_few(weights, self.fewest)
        return weighted_score(reference.scores[rows], weights, len(current))


def _features(reference: View, current: View, rows: IntVector) -> tuple[Matrix, Matrix]:
    """Return the slices that both views have, else simple features."""
    if reference.has("slices") and current.has("slices"):
        named = [name for name in reference.slices if name in current.slices]
        if named:
            known, new = (np.stack([view.slices[name] for name in named], axis=1) for view in (reference, current))
            return known[rows], new
    both = [(need, reference.has(need) and current.has(need)) for need in ("pred_probs", "embeddings")]
    has = dict(both)
    probs = (reference.pred_probs[rows], current.pred_probs) if has["pred_probs"] else None
    vectors = (reference.embeddings[rows], current.embeddings) if has["embeddings"] else None
    return simple_features(probs, vectors)
