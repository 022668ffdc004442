"""Dates as a trend in years and as points on the circles of the year, the week and the day.

    trend = clip((t - median) / scale, ±4); for a cycle of length L: (cos 2π t / L, sin 2π t / L)

Source: none; textbook (a circle keeps December beside January).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from tilth.core.arrays import FloatMatrix32, IntVector, Mask, Matrix, Vector
from tilth.core.errors import InputError
from tilth.core.schema import ColumnType
from tilth.encoding import _sample
from tilth.encoding._cells import cells_of, missing_of
from tilth.encoding._sample import Sample
from tilth.operators.batch import Batch
from tilth.operators.protocols import State

__all__ = ["Date", "cycles", "trend_parameters"]

_DAY = 86_400_000_000
_YEAR = 365.2425 * _DAY
_EPOCH_WEEKDAY = 3
"""1970-01-01 was a Thursday; weeks begin on Monday."""


@dataclass(frozen=True, kw_only=True)
class Date:
    """Trend, time of year, day of week, hour of day and missing indicator of a date column.

    Times are read in UTC. Missing cells get zeros and indicator 1. Cost: O(rows).

    Parameters
    ----------
    sample : rows from which the trend's median and scale are read, at least 1

    Raises
    ------
    InputError : the cells are no dates

    Randomness: draws keyed by row id; the run's seed plays no part.

    Source: none; textbook.
    """

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.DATE})
    revision: ClassVar[int] = 1

    sample: int = 20_000

    def start(self) -> Sample:
        """Return an empty sample."""
        return _sample.empty(np.zeros(0, dtype=np.int64))

    def fold(self, state: Sample, batch: Batch) -> Sample:
        """Return the sample with the block's dates taken in."""
        times, present = _times(batch)
        rows = np.flatnonzero(present)
        return _sample.take_in(state, batch.digests, rows, lambda kept: times[kept], self.sample, "date")

    def merge(self, left: Sample, right: Sample) -> Sample:
        """Return the sample of both."""
        return _sample.merge(left, right, self.sample)

    def finish(self, state: Sample) -> State:
        """Return median and scale of the trend, in microseconds."""
        return {"trend": trend_parameters(np.sort(np.asarray(state.values)))}

    def encode(self, batch: Batch, state: State) -> FloatMatrix32:
        """Return (n, 8) features: trend, year, week and day as cosine and sine, missing."""
        times, present = _times(batch)
        median, scale = state["trend"]
        trend = np.clip((times - median) / scale, -4.0, 4.0)
        known = np.column_stack([trend, cycles(times)])
        known[~present] = 0.0
        return np.hstack([known, ~present[:, None]]).astype(np.float32)


def trend_parameters(times: IntVector) -> Vector:
    """Return (median, scale) of sorted times (n,) in microseconds; scale is the interquartile range / 1.349, or a year."""
    if not len(times):
        return np.array([0.0, _YEAR])
    first, median, third = np.quantile(times.astype(np.float64), [0.25, 0.5, 0.75])
    scale = (third - first) / 1.349 or float(times.astype(np.float64).std()) or _YEAR
    return np.array([median, scale])


def cycles(times: IntVector) -> Matrix:
    """Return (n, 6): cosine and sine of the time of year, of week and of day for microseconds since 1970 (n,)."""
    years = times.astype("datetime64[us]").astype("datetime64[Y]")
    begins = years.astype("datetime64[us]").astype(np.int64)
    lengths = (years + 1).astype("datetime64[us]").astype(np.int64) - begins
    days = times / _DAY
    turns = np.column_stack([(times - begins) / lengths, (days + _EPOCH_WEEKDAY) / 7 % 1.0, days % 1.0])
    angles = 2 * np.pi * turns
    return np.stack([np.cos(angles), np.sin(angles)], axis=2).reshape(len(times), 6)


def _times(batch: Batch) -> tuple[IntVector, Mask]:
    """Return microseconds since 1970 (0 where there is no date) and which rows have one."""
    cells = cells_of(batch)
    try:
        moments = cells.cast(pa.timestamp("us"), safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(
            f"cells of type {cells.type} cannot be read as dates",
            where=f"column {next(iter(batch.columns))!r}",
            next_step="correct the column's type in tilth.yaml",
        ) from error
    return np.asarray(moments.cast(pa.int64()).fill_null(0), dtype=np.int64), ~missing_of(cells)
