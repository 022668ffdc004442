"""Charts: small inline SVG drawings of intervals and of the lineage of versions, without scripts.

Positions along the axis are percentages, so that a drawing fills its cell at any width while dots keep their shape.
Every drawing has a text of its own; colours come from the page's style sheet, and shapes differ as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from markupsafe import Markup

from tilth.core.summary import HistoryLine
from tilth.reporting.figures import Scale, Shown

__all__ = ["Axis", "Mark", "axis_of", "axis_svg", "intervals_svg", "lineage_svgs", "severity_svg"]

_MARGIN = 4.0
_MOST_TICKS = 6
_SLACK = 0.8
"""A step may be so much shorter than the extent and the number of ticks ask for."""
_LINE_HEIGHT = 18
_FARTHEST = 3.0
"""Ends are cut where they lie more than so many median half intervals beyond every value."""
_LANE = 14


@dataclass(frozen=True, slots=True)
class Axis:
    """A stretch of numbers, with its ticks, laid over the width of a drawing."""

    low: float
    high: float
    step: float

    def at(self, value: float) -> float:
        """Return where a number lies, in per cent of the width, within the margins."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(_MARGIN + (100 - 2 * _MARGIN) * share, 2)

    @property
    def ticks(self) -> list[float]:
        """Multiples of the step that lie on the axis."""
        first, last = math.ceil(self.low / self.step - 1e-9), math.floor(self.high / self.step + 1e-9)
        return [i * self.step for i in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class Mark:
    """One interval in a drawing: `kind` names its look (nothing, placebo, before, after, change)."""

    shown: Shown
    kind: str


def axis_of(shown: Iterable[Shown], *, with_zero: bool) -> Axis:
    """Return an axis that holds all values and their intervals, save ends without a limit or far beyond the rest."""
    found = list(shown)
    halves = [half for one in found for half in (one.high - one.value, one.value - one.low) if math.isfinite(half)]
    reach = _FARTHEST * median(halves) if halves else 0.0
    least, most = min(one.value for one in found) - reach, max(one.value for one in found) + reach
    low = min(max(one.low, least) for one in found)
    high = max(min(one.high, most) for one in found)
    if with_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if not high - low > 1e-12 * max(abs(low), abs(high), 1e-300):
        room = abs(high) / 10 or 1.0
        low, high = low - room, high + room
    return Axis(low, high, _nice_step(high - low))


def _nice_step(extent: float) -> float:
    rough = extent / (_MOST_TICKS - 1)
    size = 10.0 ** math.floor(math.log10(rough))
    return next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough * _SLACK)


def axis_svg(axis: Axis, scale: Scale, *, signed: bool) -> Markup:
    """Draw the numbers of an axis; screen readers find them in the table instead."""
    texts = [_TICK_TEXT.format(axis.at(tick), scale.tick(tick, axis.step, signed=signed)) for tick in axis.ticks]
    return _AXIS.format(_join(texts))


def intervals_svg(axis: Axis, marks: Sequence[Mark], label: str, *, with_zero: bool) -> Markup:
    """Draw intervals below one another, over the ticks of the axis; `label` says in words what they show."""
    uprights = [_upright(axis, tick, "tick") for tick in axis.ticks]
    uprights += [_upright(axis, 0.0, "zero")] if with_zero else []
    bars = [_bar(axis, mark, 5 + _LINE_HEIGHT * (i + 0.5)) for i, mark in enumerate(marks)]
    return _PLOT.format(_LINE_HEIGHT * len(marks) + 10, label, _join([*uprights, *bars]))


def _join(parts: Iterable[Markup]) -> Markup:
    return Markup("").join(parts)


def _upright(axis: Axis, value: float, kind: str) -> Markup:
    x = axis.at(value)
    return Markup('<line class="{}" x1="{}%" x2="{}%" y1="0" y2="100%"/>').format(kind, x, x)


def _bar(axis: Axis, mark: Mark, y: float) -> Markup:
    shown = mark.shown
    start, end = axis.at(shown.low), axis.at(shown.high)
    parts = [
        Markup('<line x1="{}%" x2="{}%" y1="{}" y2="{}"/>').format(start, end, y, y),
        _SPOT.format(start, y, _ENDS["left" if shown.low < axis.low else "stop"]),
        _SPOT.format(end, y, _ENDS["right" if shown.high > axis.high else "stop"]),
        _SPOT.format(axis.at(shown.value), y, _DOTS[mark.kind]),
    ]
    return Markup('<g class="mark {}">{}</g>').format(mark.kind, _join(parts))


_AXIS = Markup('<svg class="axis" width="100%" height="18" aria-hidden="true">{}</svg>')
_TICK_TEXT = Markup('<text x="{}%" y="13" text-anchor="middle">{}</text>')
_PLOT = Markup('<svg class="plot" width="100%" height="{}" role="img" aria-label="{}">{}</svg>')
_SPOT = Markup('<svg x="{}%" y="{}" overflow="visible">{}</svg>')
_DOTS = {
    "nothing": Markup('<circle r="5"/>'),
    "placebo": Markup('<path class="hollow" d="M0-5 5 0 0 5-5 0Z"/>'),
    "before": Markup('<circle class="hollow" r="4.5"/>'),
    "after": Markup('<circle r="5"/>'),
    "change": Markup('<circle r="4.5"/>'),
}
_ENDS = {
    "stop": Markup('<path class="end" d="M0-4V4"/>'),
    "left": Markup('<path class="end" d="M5-4 0 0 5 4"/>'),
    "right": Markup('<path class="end" d="M-5-4 0 0-5 4"/>'),
}
"""The ends of an interval: a stop, or an arrow where it goes on beyond the axis."""
_SEVERITY = Markup(
    '<svg class="severity" width="56" height="8" aria-hidden="true">'
    '<rect class="whole" width="100%" height="8" rx="2"/>'
    '<rect class="part" width="{}%" height="8" rx="2"/></svg>'
)


def severity_svg(severity: float) -> Markup:
    """Draw a severity in [0, 1] as a filled part of a bar; the number stands beside it."""
    return _SEVERITY.format(round(100 * min(max(severity, 0.0), 1.0), 1))


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of the lineage: the lanes above it, its own lane, its parent's lane; empty lanes are empty strings."""

    above: tuple[str, ...]
    own: int | None
    to: int | None
    verdict: str


def lineage_svgs(lines: Sequence[HistoryLine]) -> tuple[list[Markup], int]:
    """Draw the lineage beside a list of versions, newest first: one drawing a line, which join when stacked.

    Returns the drawings and their width in pixels.
    """
    known = {line.version for line in lines if line.version}
    lanes: list[str] = []
    rows = []
    for line in lines:
        above, own, to = tuple(lanes), None, None
        if line.version:
            own = _place(lanes, line.version)
            lanes[own] = ""
            to = _place(lanes, line.parent, own) if line.parent in known else None
        rows.append(_Row(above, own, to, line.verdict))
    width = _LANE * max(len(lanes), 1) + 6
    return [_LINEAGE.format(width, _join(_lineage_parts(row))) for row in rows], width


def _place(lanes: list[str], version: str, wish: int | None = None) -> int:
    """Return the lane of a version, or give it the wished or the first free one."""
    if version in lanes:
        return lanes.index(version)
    free = wish if wish is not None else next((i for i, taken in enumerate(lanes) if not taken), len(lanes))
    lanes[free : free + 1] = [version]
    return free


def _lineage_parts(row: _Row) -> list[Markup]:
    parts = [
        _segment(lane, lane, "0", "50%" if lane == row.own else "100%") for lane, name in enumerate(row.above) if name
    ]
    if row.own is not None:
        parts += [_segment(row.own, row.to, "50%", "100%")] if row.to is not None else []
        look = "hollow" if row.verdict in {"vetoed", "refused"} else "done"
        parts.append(Markup('<circle class="{}" cx="{}" cy="50%" r="4.5"/>').format(look, _x(row.own)))
    return parts


_LINEAGE = Markup('<svg class="lineage" width="{}" aria-hidden="true">{}</svg>')


def _segment(lane: int, to: int, y: str, to_y: str) -> Markup:
    return Markup('<line x1="{}" y1="{}" x2="{}" y2="{}"/>').format(_x(lane), y, _x(to), to_y)


def _x(lane: int) -> int:
    return 10 + _LANE * lane
