"""CollectionBrief: what to gather for a slice, and what so many more of its rows are likely to bring there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tilth.core.display import Displayed
from tilth.core.estimate import Estimate
from tilth.core.learning_curve import CurveForecast, CurvePoint

__all__ = ["CollectionBrief"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionBrief(Displayed):
    """What the learning curve of one slice comes to: measured inside train; dev and test are not read.

    Parameters
    ----------
    slice : its name
    rule : which rows are meant: "where age < 25", "like: ships, harbour"
    metric : name of the metric; scores are such that higher is better
    seed : decided the folds and the parts
    labelled : labelled train rows in the slice now
    points : scores on the slice's held-out rows, by rising number of its rows learnt from; all other rows are always learnt from
    now : the score forecast for the slice's rows now
    forecasts : for more rows of the slice, by rising factor
    wanted, rows : the gain that was asked for, and the fewest further rows with which it is expected; None where no number up to
        16 times as many is
    is_flat : whether no rise was measured, or four times as many rows are not likely to bring even the least useful gain
    class_mix : class -> share among the slice's rows now, which forecasts are for; empty for a numeric label, or one not shown
    error_mix : class -> share of the slice's held-out errors
    sentences : the brief in words
    """

    slice: str
    rule: str
    metric: str
    seed: int
    labelled: int
    points: tuple[CurvePoint, ...]
    now: Estimate
    forecasts: tuple[CurveForecast, ...]
    wanted: float
    rows: int | None
    is_flat: bool
    class_mix: Mapping[str, float] = field(default_factory=dict)
    error_mix: Mapping[str, float] = field(default_factory=dict)
    sentences: tuple[str, ...] = ()

    def forecast(self, what: str) -> CurveForecast | None:
        """Return one forecast: "1.5×", "2×" or "4×"; None where there is none."""
        return next((one for one in self.forecasts if one.what == what), None)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)
