"""Figures: how scores and gains of a metric are written. No figure stands without its interval.

Accuracies are written in per cent and their gains in points. A mean absolute error is kept with a minus sign, so that
higher is better; it is written as people know it, without the sign, and a gain is by how much the error became less.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import NamedTuple

from tilth.core.estimate import WIDEST, Estimate

__all__ = ["Scale", "Shown", "p_text", "span", "unbroken", "whole"]

_SHARES = frozenset(
    (
        *("accuracy", "balanced_accuracy", "top_k", "exact_match", "hamming", "jaccard"),
        *("f1", "f1_macro", "f1_micro", "precision", "recall"),
    )
)
_ERRORS = {
    "mae": "in units of the label",
    "rmse": "in units of the label",
    "squared_error": "in squared units of the label",
    "brier": "from 0 to 1",
    "log_loss": "in nats",
    "cost_matrix": "in units of the costs",
    "calibration_error": "from 0 to 1",
}
"""Errors, of which less is better, and their units."""
_INTERVAL = re.compile(r" \[[+−\d.,∞]+, [+−\d.,∞]+\]")
_NAMES = {
    "mae": "mean absolute error",
    "rmse": "root mean squared error",
    "squared_error": "mean squared error",
    "cost_matrix": "mean cost",
    "auroc": "AUROC",
    "r_squared": "R²",
    "f1": "F1",
    "f1_macro": "macro F1",
    "f1_micro": "micro F1",
    "brier": "Brier score",
    "top_k": "top-k accuracy",
}
_FEWEST_POINTS = 0.1
"""Half an interval, in points, from which on one digit after the point is enough."""


class Shown(NamedTuple):
    """A value and the ends of its interval as they are written: in per cent, points, or units of the label."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Scale:
    """How figures of one metric are written."""

    metric: str

    @property
    def is_share(self) -> bool:
        """Whether scores are shares of rows, written in per cent."""
        return self.metric in _SHARES

    @property
    def is_error(self) -> bool:
        """Whether lower is better for the reader."""
        return self.metric in _ERRORS

    @property
    def name(self) -> str:
        """The metric in words."""
        return _NAMES.get(self.metric, self.metric.replace("_", " "))

    @property
    def score_note(self) -> str:
        """What a score's unit is, and which way is better."""
        if self.is_error:
            return f"{_ERRORS[self.metric]}, lower is better"
        return "in per cent, higher is better" if self.is_share else "higher is better"

    @property
    def gain_note(self) -> str:
        """What a gain's unit is, and what its sign means."""
        if self.is_error:
            return f"{_ERRORS[self.metric]}, + is less error"
        return "in points, + is better" if self.is_share else "+ is better"

    @property
    def unit(self) -> str:
        """The word behind a gain."""
        return " points" if self.is_share else ""

    def score_of(self, estimate: Estimate) -> Shown:
        """Return a score in the unit in which it is written."""
        if self.is_error:
            return Shown(-estimate.value, -estimate.high, -estimate.low)
        return self.gain_of(estimate)

    def gain_of(self, estimate: Estimate) -> Shown:
        """Return a gain in the unit in which it is written; ends without a limit are infinite."""
        return Shown(*(self._out(v) for v in (estimate.value, estimate.low, estimate.high)))

    def _out(self, value: float) -> float:
        if abs(value) >= WIDEST:
            return math.copysign(math.inf, value)
        return 100 * value if self.is_share else value

    def score(self, estimate: Estimate) -> str:
        """Write a score with its interval: "87.3 % [85.9, 88.6]", "0.452 [0.431, 0.473]"."""
        shown = self.score_of(estimate)
        digits = self._digits(shown)
        unit = " %" if self.is_share else ""
        return f"{_plain(shown.value, digits)}{unit} [{_plain(shown.low, digits)}, {_plain(shown.high, digits)}]"

    def gain(self, estimate: Estimate, *, unit: bool = False) -> str:
        """Write a gain with its interval: "+1.8 [+0.6, +3.0]", and with its unit "+1.8 points [+0.6, +3.0]"."""
        shown = self.gain_of(estimate)
        digits = self._digits(shown)
        word = self.unit if unit else ""
        return f"{_signed(shown.value, digits)}{word} [{_signed(shown.low, digits)}, {_signed(shown.high, digits)}]"

    def amount(self, value: float) -> str:
        """Write a size without a sign: "0.9 points"; for thresholds, which have no interval."""
        out = self._out(value)
        return f"{_plain(out, self._digits(Shown(out, out, out)))}{self.unit}"

    def forecast(self, value: float) -> str:
        """Write a forecast or another signed number that has no interval of its own."""
        out = self._out(value)
        return f"{_signed(out, self._digits(Shown(out, out, out)))}{self.unit}"

    def slice_score(self, value: float) -> str:
        """Write the score of a slice beside the interval of its change."""
        out = -value if self.is_error else self._out(value)
        return f"{_plain(out, self._digits(Shown(out, out, out)))}{' %' if self.is_share else ''}"

    def tick(self, value: float, step: float, *, signed: bool) -> str:
        """Write a number of an axis whose ticks lie one step apart."""
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        return _signed(value, digits) if signed else _plain(value, digits)

    def _digits(self, shown: Shown) -> int:
        half = (shown.high - shown.low) / 2
        is_sized = math.isfinite(half) and half > 0
        if self.is_share:
            return 2 if is_sized and half < _FEWEST_POINTS else 1
        size, significant = (half, 1) if is_sized else (abs(shown.value), 2)
        if not (math.isfinite(size) and size > 0):
            return 3
        return min(9, max(0, significant - math.floor(math.log10(size))))


def _plain(value: float, digits: int) -> str:
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:,.{digits}f}"
    return text.lstrip("-") if not text.strip("-0.,") else text.replace("-", "−")


def _signed(value: float, digits: int) -> str:
    text = _plain(value, digits)
    return text if text.startswith("−") or not text.strip("0.,") else f"+{text}"


def unbroken(text: str) -> str:
    """Return text whose intervals stay on one line."""
    return _INTERVAL.sub(lambda found: found.group().replace(" ", "\u00a0"), text)


def whole(number: int) -> str:
    """Write a count."""
    return f"{number:,}"


def p_text(p_value: float) -> str:
    """Write a p-value with two significant digits, and no more zeros than a reader can count."""
    return "< 0.0001" if p_value < 1e-4 else f"{p_value:.2g}"


def span(seconds: float) -> str:
    """Write a duration: "0.4 s", "41 s", "3 min 5 s", "2 h 10 min"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole_seconds = round(seconds)
    if whole_seconds < 60:
        return f"{whole_seconds} s"
    minutes, rest = divmod(whole_seconds, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
