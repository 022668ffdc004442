"""Cross-entropy of softmax scores against soft targets, plain or after a label transition.

Class-by-row layout (k, n) throughout: sums over classes then run along memory.

Source: Patrini et al. (2017), CVPR, theorem 2 for the forward correction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tilth.numerics._axes import pulled_back, scored

if TYPE_CHECKING:
    from tilth.core.arrays import Matrix, Vector
    from tilth.numerics._axes import OnAxes

__all__ = ["ForwardSoftmaxLoss", "SoftmaxLoss", "scores_of", "softmax_columns"]

_TINY = 1e-200


def softmax_columns(scores: Matrix) -> tuple[Matrix, Vector]:
    """Probabilities of each column of scores, and its log normalizer; (k, n) -> (k, n), (n,)."""
    top = scores.max(axis=0)
    probs = np.exp(scores - top)
    total = probs.sum(axis=0)
    probs /= total
    return probs, np.log(total) + top


def scores_of(projected: OnAxes, coefficients: Matrix) -> Matrix:
    """Linear scores; (n, a), (a + 1, k) with the intercepts last -> (k, n)."""
    scores = scored(projected, coefficients[:-1])
    scores += coefficients[-1][:, None]
    return scores


@dataclass(frozen=True, slots=True)
class SoftmaxLoss:
    """Mean cross-entropy of targets against softmax scores.

    Attributes
    ----------
    projected : (n, a)
    mass : (k, n), each row's target times its share of the weight; all entries sum to 1
    shares : (n,), column sums of `mass`
    l2 : penalty on the coefficients
    """

    projected: OnAxes
    mass: Matrix
    shares: Vector
    l2: float

    def scores(self, parameters: Matrix) -> Matrix:
        """(a + 1, k) -> (k, n)."""
        return scores_of(self.projected, parameters)

    def value(self, scores: Matrix) -> tuple[float, Matrix]:
        """Loss and its derivative by the scores, (k, n)."""
        residual, log_total = softmax_columns(scores)
        loss = float(self.shares @ log_total) - float(np.vdot(self.mass, scores))
        residual *= self.shares
        residual -= self.mass
        return loss, residual

    def pull_back(self, residual: Matrix) -> Matrix:
        """(k, n) -> (a + 1, k)."""
        gradient = np.empty((self.projected.shape[1] + 1, len(residual)))
        gradient[:-1] = pulled_back(self.projected, residual).T
        gradient[-1] = residual.sum(axis=1)
        return gradient


@dataclass(frozen=True, slots=True)
class ForwardSoftmaxLoss(SoftmaxLoss):
    """Mean cross-entropy of given labels against p @ transition, p being the chance of the true classes.

    `mass` counts given classes (g, n); `transition` is (k, g) for the k classes that are fitted.
    """

    transition: Matrix

    def value(self, scores: Matrix) -> tuple[float, Matrix]:
        """Loss and its derivative by the scores, (k, n)."""
        probs, _ = softmax_columns(scores)
        given = np.maximum(self.transition.T @ probs, _TINY)
        loss = -float(np.vdot(self.mass, np.log(given)))
        # d loss / d score_c = p_c (sum of shares - sum_g T[c, g] mass_g / q_g)
        residual = self.shares - self.transition @ (self.mass / given)
        residual *= probs
        return loss, residual
