"""LearningCurve: the model's score at fewer rows, what more labelled rows are likely to bring, and how far they can lead."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tilth.core.display import Displayed
from tilth.core.estimate import Estimate

__all__ = ["CurveForecast", "CurvePoint", "LearningCurve", "NeighbourBound"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """A score that was measured on held-out train rows, and from how many rows the model was learnt."""

    rows: int
    score: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveForecast:
    """What a number of labelled rows is likely to bring.

    Parameters
    ----------
    what : which rows: "2×" as many as now, or "pool" for now and the whole pool
    rows : how many labelled train rows that is
    score : the score forecast
    gain : by how much it exceeds that of the labelled rows now, in the unit of the metric; higher is better
    """

    what: str
    rows: int
    score: Estimate
    gain: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighbourBound:
    """The best score that labels and features allow, by how often nearest neighbours disagree.

    Parameters
    ----------
    encoding : the features that neighbours were found by: a column's, or all
    rows : rows among which they were found
    score : the bound
    is_settled : whether it moved by no more than its error when the rows became twice as many; else the best score lies higher
    is_above : whether it lies above what the model is likely to reach now; else it says nothing
    """

    encoding: str
    rows: int
    score: Estimate
    is_settled: bool
    is_above: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningCurve(Displayed):
    """What `Project.learning_curve` returns: measured inside train; dev and test are not read.

    Parameters
    ----------
    version : the version it was measured on
    metric : name of the metric; scores are such that higher is better
    seed : decided the folds and the parts
    labelled, pool : labelled train rows, and rows of the pool without a label
    points : scores measured, by rising number of rows
    now : the score forecast for all labelled train rows
    forecasts : for more rows, by rising factor; then for the pool, where there is one
    reachable : the score that the laws end at with rows without end of the same kind and as dirty
    bounds : the neighbours' bound in each encoding, the highest first
    sentences : what it comes to, in words
    """

    version: str
    metric: str
    seed: int
    labelled: int
    pool: int
    points: tuple[CurvePoint, ...]
    now: Estimate
    forecasts: tuple[CurveForecast, ...]
    reachable: Estimate
    bounds: tuple[NeighbourBound, ...]
    sentences: tuple[str, ...] = ()

    def forecast(self, what: str) -> CurveForecast | None:
        """Return one forecast: "1.25×", "2×", "4×" or "pool"; None where there is none."""
        return next((one for one in self.forecasts if one.what == what), None)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)
