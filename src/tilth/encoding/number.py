"""Numbers as robust scores, soft quantile bins and a missing indicator.

    score = clip((x - median) / scale, ±4), scale = interquartile range / 1.349; for heavy tails the signed logarithm
    sign(u) log(1 + |u|) of u = (x - median) / unit, brought to unit scale again; unit = first decile of |x - median| > 0
    bin_t = clip((x - knot_t) / (knot_{t+1} - knot_t), 0, 1) less its mean

The bins let a linear model bend at quantiles: any continuous function that is linear between knots is a sum of
them. Values that many rows share get knots of their own, and so does the next value up, so that "zero or not" is one weight.

Source: Gorishniy, Rubachev, Babenko (2022), NeurIPS, section 3.2 (piecewise linear encoding); Huber (1981), Robust Statistics.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import FloatMatrix32, Vector
from tilth.core.schema import ColumnType
from tilth.encoding import _sample
from tilth.encoding._cells import numbers_of
from tilth.encoding._sample import Sample
from tilth.operators.batch import Batch
from tilth.operators.protocols import State

__all__ = ["Number", "encode_numbers", "knots_of", "score_parameters"]

_CLIP = 4.0
_HEAVY = 8.0
"""Share of the 1-99 % range in the interquartile range above which tails are heavy: 3.4 for a normal, 4.2 for an exponential."""


@dataclass(frozen=True, kw_only=True)
class Number:
    """Robust score, soft quantile bins and missing indicator of a number column.

    All figures come from a bottom-k sample of the train rows, so that neither block size nor order matters. Missing and
    infinite cells get the mean of the bins, score 0 and indicator 1. Cost: O(rows × bins).

    Parameters
    ----------
    bins : soft quantile bins, at least 0; 8 bends a linear model enough for most columns
    sample : rows from which quantiles are read, at least 1; 20,000 know a quartile to 0.5 % of the rows

    Raises
    ------
    InputError : the cells are text that is no number

    Randomness: draws keyed by row id; the run's seed plays no part.

    Source: Gorishniy, Rubachev, Babenko (2022), NeurIPS, section 3.2.
    """

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.NUMBER})
    revision: ClassVar[int] = 1

    bins: int = 8
    sample: int = 20_000

    def start(self) -> Sample:
        """Return an empty sample."""
        return _sample.empty(np.zeros(0))

    def fold(self, state: Sample, batch: Batch) -> Sample:
        """Return the sample with the block's finite values taken in."""
        values, present = numbers_of(batch)
        rows = np.flatnonzero(present)
        return _sample.take_in(state, batch.digests, rows, lambda kept: values[kept], self.sample, "number")

    def merge(self, left: Sample, right: Sample) -> Sample:
        """Return the sample of both."""
        return _sample.merge(left, right, self.sample)

    def finish(self, state: Sample) -> State:
        """Return the score's parameters, the knots and the mean of each bin."""
        values: Vector = np.sort(state.values)
        knots = knots_of(values, self.bins)
        return {
            "score": score_parameters(values),
            "knots": knots,
            "means": np.sort(_bins(values, knots), axis=0).mean(axis=0) if len(values) else np.zeros(0),
        }

    def encode(self, batch: Batch, state: State) -> FloatMatrix32:
        """Return (n, 2 + bins) features: score, bins, missing."""
        values, present = numbers_of(batch)
        known = encode_numbers(values, state["score"], state["knots"], state["means"])
        known[~present] = 0.0
        return np.hstack([known, ~present[:, None]]).astype(np.float32)


def score_parameters(values: Vector) -> Vector:
    """Return (median, unit, heavy, centre, spread) of sorted values (n,): what turns a value into a score.

    `heavy` is 1 where tails call for the signed logarithm; centre and spread rescale it (0 and 1 otherwise).
    """
    if not len(values):
        return np.array([0.0, 1.0, 0.0, 0.0, 1.0])
    low, first, median, third, high = np.quantile(values, [0.01, 0.25, 0.5, 0.75, 0.99])
    scale = _spread(values, third - first)
    heavy = float(high - low > _HEAVY * scale * 1.349)
    if not heavy:
        return np.array([median, scale, 0.0, 0.0, 1.0])
    distances = np.abs(values - median)
    unit = np.quantile(distances[distances > 0], 0.1)
    logs = _signed_log((values - median) / unit)
    quarters = np.quantile(logs, [0.25, 0.5, 0.75])
    return np.array([median, unit, 1.0, quarters[1], _spread(logs, quarters[2] - quarters[0])])


def knots_of(values: Vector, bins: int) -> Vector:
    """Return at most 2 bins + 1 ascending knots for sorted values (n,); fewer than two where there is nothing to bend.

    A value held by more than one row in `bins` gets a knot and so does the next value above; quantiles of the
    other rows give the rest.
    """
    if bins < 1 or not len(values):
        return np.zeros(0)
    unique, counts = np.unique(values, return_counts=True)
    if len(unique) <= bins + 1:
        return unique
    common = np.flatnonzero(counts * bins > len(values))
    rest = values[~np.isin(values, unique[common])]
    left = max(bins - len(common), 2)
    spread = np.quantile(rest, np.linspace(0, 1, left + 1)) if len(rest) else np.zeros(0)
    above = unique[np.minimum(common + 1, len(unique) - 1)]
    return np.unique(np.concatenate([unique[common], above, spread]))


def encode_numbers(values: Vector, score: Vector, knots: Vector, means: Vector) -> Vector:
    """Return (n, 1 + bins) float64: the clipped score, then the centred bins of values (n,)."""
    median, unit, heavy, centre, spread = score
    with np.errstate(over="ignore"):
        units = (values - median) / unit
    scores = (_signed_log(units) - centre) / spread if heavy else units
    return np.column_stack([np.clip(scores, -_CLIP, _CLIP), _bins(values, knots) - means])


def _bins(values: Vector, knots: Vector) -> Vector:
    if len(knots) < 2:
        return np.zeros((len(values), 0))
    inside = np.clip(values, knots[0], knots[-1])[:, None]
    return np.clip((inside - knots[:-1]) / np.diff(knots), 0.0, 1.0)


def _signed_log(units: Vector) -> Vector:
    return np.asarray(np.sign(units) * np.log1p(np.abs(units)))


def _spread(values: Vector, quartile_range: float) -> float:
    """Return the robust scale, or the standard deviation where half of the rows hold one value, or 1 for a constant."""
    if quartile_range > 0:
        return float(quartile_range / 1.349)
    deviation = float(values.std())
    return deviation if deviation > 0 else 1.0
