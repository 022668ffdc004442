"""Drawings: where things lie, by hand; and colours that can be read in both modes."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tilth.reporting
from tilth.core.summary import HistoryLine
from tilth.reporting.charts import Axis, Mark, axis_of, axis_svg, intervals_svg, lineage_svgs, severity_svg
from tilth.reporting.figures import Scale, Shown


def test_places_on_an_axis() -> None:
    axis = Axis(-1.0, 3.0, 1.0)
    assert [axis.at(v) for v in (-1.0, 0.0, 1.0, 3.0, 99.0)] == [4.0, 27.0, 50.0, 96.0, 96.0]
    assert axis.ticks == [-1.0, 0.0, 1.0, 2.0, 3.0]


def test_an_axis_of_gains_holds_zero_and_all_intervals() -> None:
    axis = axis_of([Shown(1.8, 0.6, 3.0), Shown(2.0, 0.8, 3.2)], with_zero=True)
    assert (axis.low, axis.high) == (0.0, 3.2)
    assert axis_of([Shown(87.0, 86.0, 88.0)], with_zero=False).low == 86.0


def test_ends_far_beyond_the_rest_are_cut_and_shown_as_arrows() -> None:
    shown = [Shown(1.0, 0.0, 2.0), Shown(1.2, 0.2, 2.2), Shown(0.5, -math.inf, math.inf)]
    axis = axis_of(shown, with_zero=True)
    assert axis.low == pytest.approx(0.5 - 3.0)
    assert axis.high == pytest.approx(1.2 + 3.0)
    wide = intervals_svg(axis, [Mark(shown[2], "nothing")], "wide", with_zero=True)
    assert 'd="M5-4 0 0 5 4"' in wide
    assert 'd="M-5-4 0 0-5 4"' in wide
    assert 'd="M0-4V4"' not in wide


def test_a_single_point_still_has_an_axis() -> None:
    axis = axis_of([Shown(0.0, 0.0, 0.0)], with_zero=True)
    assert axis.low < 0 < axis.high


@given(
    st.lists(st.tuples(st.floats(-1e9, 1e9), st.floats(0, 1e9), st.floats(0, 1e9)), min_size=1, max_size=6),
    st.booleans(),
)
def test_every_value_lies_on_the_axis_among_few_ticks(found: list[tuple[float, float, float]], with_zero: bool) -> None:
    shown = [Shown(value, value - below, value + above) for value, below, above in found]
    axis = axis_of(shown, with_zero=with_zero)
    assert all(axis.low <= one.value <= axis.high for one in shown)
    assert all(4 <= axis.at(v) <= 96 for one in shown for v in one)
    assert len(axis.ticks) <= 9


def test_drawings_have_words_a_zero_line_and_shapes_of_their_own() -> None:
    axis = Axis(-1.0, 3.0, 1.0)
    marks = [Mark(Shown(1.0, 0.0, 2.0), "nothing"), Mark(Shown(1.0, -0.5, 2.5), "placebo")]
    drawing = intervals_svg(axis, marks, 'gain "<1>"', with_zero=True)
    assert 'aria-label="gain &#34;&lt;1&gt;&#34;"' in drawing
    assert '<line class="zero" x1="27.0%" x2="27.0%"' in drawing
    assert drawing.count("<circle") == 1
    assert drawing.count('class="hollow"') == 1
    assert 'x1="27.0%" x2="73.0%"' in drawing


def test_ticks_are_written_in_the_unit_of_the_metric() -> None:
    drawing = axis_svg(Axis(-1.0, 1.0, 0.5), Scale("accuracy"), signed=True)
    assert re.findall(r">([^<>]+)</text>", drawing) == ["−1.0", "−0.5", "0.0", "+0.5", "+1.0"]
    plain = axis_svg(Axis(17000.0, 19000.0, 1000.0), Scale("mae"), signed=False)
    assert re.findall(r">([^<>]+)</text>", plain) == ["17,000", "18,000", "19,000"]


def test_severity_fills_its_share() -> None:
    assert 'class="part" width="81.0%"' in severity_svg(0.81)


def line(version: str, parent: str, verdict: str = "") -> HistoryLine:
    return HistoryLine(version=version, parent=parent, origin="edit", verdict=verdict)


def test_a_branch_takes_a_lane_of_its_own_and_comes_back() -> None:
    drawings, width = lineage_svgs([line("d", "b"), line("c", "b", "vetoed"), line("b", "a"), line("a", "")])
    lines = [re.findall(r'<line x1="(\d+)" y1="([\d%]+)" x2="(\d+)" y2="([\d%]+)"', one) for one in drawings]
    assert lines == [
        [("10", "50%", "10", "100%")],
        [("10", "0", "10", "100%"), ("24", "50%", "10", "100%")],
        [("10", "0", "10", "50%"), ("10", "50%", "10", "100%")],
        [("10", "0", "10", "50%")],
    ]
    assert ["hollow" in one for one in drawings] == [False, True, False, False]
    assert width == 34


def test_a_veto_without_a_version_has_no_dot() -> None:
    drawings, _ = lineage_svgs([line("b", "a"), line("", "b", "vetoed"), line("a", "")])
    assert ["<circle" in one for one in drawings] == [True, False, True]
    assert lineage_svgs([]) == ([], 20)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "sheet", "faint", "shade"])
@pytest.mark.parametrize("ink", ["ink", "soft", "good", "open", "bad", "link"])
def test_contrast_of_words_is_at_least_4_5(mode: int, ground: str, ink: str) -> None:
    style = (Path(tilth.reporting.__file__).parent / "templates" / "report.css").read_text().split("@media print")[0]
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", style.split("@media (prefers-color-scheme: dark)")[mode]))
    dark, light = sorted(_luminance(colours[name]) for name in (ground, ink))
    assert (light + 0.05) / (dark + 0.05) >= 4.5
