"""From sums to parameters: what labelers are believed to do before the votes are seen, and how soon the votes overrule it.

    precision   a vote for v is believed to be right with probability `accuracy`, whatever the shares of the classes
    saying      P(v | c) is drawn toward palette_i(v) · lift(v, c) · (sharp_i if v = c else 1), normalised: the lift is what all
                labelers share (people miss "yes" more than "no"), the sharpness how much better or worse one is than all
    voting      P(votes | c) is drawn toward one rate for all classes by empirical Bayes over the labelers

`palette_i(v)` is how often labeler i says v: a rule that only ever says one class is right by its choice of rows, not by
what it says, and a vote from it then tells by P(votes | c) alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tilth.core.arrays import Matrix, Vector
from tilth.labeling._shared.em import Parameters, Statistics

__all__ = ["Belief"]

LEAST, MOST = 1e-9, 1.0 - 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Belief:
    """What is held before the votes are seen.

    Parameters
    ----------
    accuracy : share of right votes that a labeler is believed to have, in (1 / k, 1)
    strength : votes that this belief in a labeler weighs as much as; and rows that "all classes are alike frequent" does
    by_class : votes per class that "a labeler errs alike in all classes" weighs as much as; inf for one accuracy per labeler
    silence : whether it counts that a labeler abstains
    by_design : whether rows were handed out, so that who votes where tells nothing
    prior : (k,) known shares, or None
    saying : labeler number -> (k, k) [c, v], where its errors are known
    """

    accuracy: float
    strength: float
    by_class: float
    silence: bool = False
    by_design: bool = False
    prior: Vector | None = None
    saying: Mapping[int, Matrix] = field(default_factory=dict)

    def update(self, sums: Statistics) -> Parameters:
        """Return the parameters that the sums and the belief make most probable."""
        k = len(sums.totals)
        counts = sums.counts.reshape(-1, k, k)
        said = counts.sum(axis=2)
        prior = self._shares(sums.totals)
        palette = (said + 1.0 / k) / (said.sum(axis=1, keepdims=True) + 1.0)
        return Parameters(
            prior=prior,
            voting=self._voting(counts, sums.totals, palette, prior),
            saying=self._saying(counts, palette),
            silence=self.silence,
            inverts=bool(self.saying),
        )

    def _shares(self, totals: Vector) -> Vector:
        if self.prior is not None:
            return self.prior
        return np.asarray((totals + self.strength / len(totals)) / (totals.sum() + self.strength))

    def _voting(self, counts: np.ndarray, totals: Vector, palette: Matrix, prior: Vector) -> Matrix:
        """P(votes | class), drawn toward one rate for all classes as far as labelers hardly differ by class; -> (m, k)."""
        votes = counts.sum(axis=1)
        rate = np.clip(votes.sum(axis=1) / max(float(totals.sum()), LEAST), LEAST, MOST)[:, None]
        if self.by_design:
            return np.repeat(rate, len(totals), axis=1)
        full = (votes + self.strength * palette @ self._precise(prior)) / (
            totals + self.strength / rate * prior + LEAST
        )
        kept = _kept(votes, totals, rate)
        return np.asarray(np.clip(_expit(_logit(rate) + kept * (_logit(full) - _logit(rate))), LEAST, MOST))

    def _precise(self, prior: Vector) -> Matrix:
        """P(class | vote) as it is believed; (k,) -> (k, k) [v, c]."""
        others = prior * (1.0 - np.eye(len(prior)))
        others /= np.maximum(others.sum(axis=1, keepdims=True), LEAST)
        return np.asarray(self.accuracy * np.eye(len(prior)) + (1.0 - self.accuracy) * others)

    def _saying(self, counts: np.ndarray, palette: Matrix) -> np.ndarray:
        """P(says v | class c, votes), drawn toward what all labelers share and one sharpness of each; -> (m, k, k) [i, v, c]."""
        k = counts.shape[1]
        base = palette[:, :, None] * self._lift(counts)
        base /= base.sum(axis=1, keepdims=True)
        right, total = np.trace(counts, axis1=1, axis2=2), counts.sum(axis=(1, 2))
        expected = (counts.sum(axis=1) * np.einsum("icc->ic", base)).sum(axis=1)
        added = self.strength * (right.sum() + LEAST) / (total.sum() + LEAST)
        sharp = _odds(right + added, total + self.strength) / _odds(expected + added, total + self.strength)
        saying = base * np.where(np.eye(k, dtype=bool), sharp[:, None, None], 1.0)
        saying /= saying.sum(axis=1, keepdims=True)
        if np.isfinite(self.by_class):
            saying = (counts + self.by_class * saying) / (counts.sum(axis=1, keepdims=True) + self.by_class)
        for labeler, confusion in self.saying.items():
            saying[labeler] = confusion.T
        return np.asarray(saying)

    def _lift(self, counts: np.ndarray) -> Matrix:
        """By how much a class makes each word more frequent, over all labelers; (m, k, k) -> (k, k) [v, c]."""
        k = counts.shape[1]
        believed = np.where(np.eye(k, dtype=bool), self.accuracy, (1.0 - self.accuracy) / (k - 1))
        pooled = counts.sum(axis=0) + self.strength * believed
        pooled /= pooled.sum(axis=0, keepdims=True)
        words = counts.sum(axis=(0, 2)) + 1.0
        return np.asarray(pooled / (words / words.sum())[:, None])


def _kept(votes: Matrix, totals: Vector, rate: Matrix) -> Matrix:
    """Share of each labeler's differences between classes that is no chance; (m, k) -> (m, 1) in [0, 1].

    The variance of true differences over labelers comes from the sum of their likelihood ratios, as far as it is above
    what equal rates would give; labelers with many votes keep more of theirs.
    """
    free, rows = len(totals) - 1, max(float(totals.sum()), LEAST)
    silent = np.maximum(totals - votes, 0.0)
    ratio = 2.0 * (_entropic(votes, totals * rate) + _entropic(silent, totals * (1.0 - rate))).sum(axis=1)
    weight = rows * (rate * (1.0 - rate))[:, 0] * (1.0 - np.square(totals / rows).sum())
    variance = max(float((ratio - free).sum()), 0.0) / max(float(weight.sum()), LEAST)
    return np.asarray(variance * weight / (free + variance * weight))[:, None]


def _odds(right: Vector, total: Vector) -> Vector:
    return np.asarray(right / np.maximum(total - right, LEAST))


def _entropic(seen: Matrix, expected: Matrix) -> Matrix:
    return np.asarray(seen * np.log(np.maximum(seen, LEAST) / np.maximum(expected, LEAST)))


def _logit(p: Matrix) -> Matrix:
    p = np.clip(p, LEAST, MOST)
    return np.asarray(np.log(p) - np.log1p(-p))


def _expit(x: Matrix) -> Matrix:
    return np.asarray(1.0 / (1.0 + np.exp(-x)))
