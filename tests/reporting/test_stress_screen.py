"""Stress tests in words: the outcome first, shares with intervals, curves, pairs, what was not run; no row in Markdown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tilth.core.estimate import Estimate
from tilth.core.stress_summary import Corruption, PairTest, StressExample, StressLine, StressSlice, StressSummary
from tilth.loop.shown import register_all
from tilth.reporting.stress import stress_facts, stress_markdown, stress_screen, stress_signal
from tilth.reporting.text import as_text


def share(value, half=0.01):
    return Estimate(value=value, low=value - half, high=value + half, standard_error=half / 2)


LINE = StressLine(
    name="typo",
    transform="typo",
    severity=2,
    expect="same",
    outcome="failed",
    columns=("text",),
    tried=200,
    rows=180,
    failing=share(0.12),
    flips=share(0.12),
    score=share(0.8),
    change=share(-0.03),
    worst=StressSlice(name="city = [red]oslo", rows=40, failing=share(0.3)),
    examples=(StressExample(row_id="r17", before="ham", after="spam"), StressExample(row_id="r18")),
    failures=3,
    error="ValueError: too long",
    at_most=0.05,
)
NOT_RUN = StressLine(
    name="dice",
    transform="dice",
    severity=None,
    expect="same",
    outcome="not run",
    note="TILTH-E041 it is not deterministic",
)
PAIRS = PairTest(
    source="batch_id",
    outcome="measured",
    pairs=50,
    turning=50,
    consistent=share(0.9),
    both_right=share(0.85),
    first=share(0.95),
    second=share(0.88),
)
CURVE = Corruption(name="blur", severities=(1, 3), scores=(share(0.8), share(0.7)), drop=share(0.1))


@pytest.fixture
def summary() -> StressSummary:
    return StressSummary(
        version="v-1",
        metric="accuracy",
        seed=0,
        rows=200,
        of_rows=900,
        clean=share(0.83),
        lines=(LINE, NOT_RUN),
        corruptions=(CURVE, replace(CURVE, name="noise")),
        mean_drop=share(0.1),
        pairs=(PAIRS,),
        warnings=("be careful",),
    )


def test_the_screen(summary):
    said = as_text(stress_screen(summary), width=160)
    assert said.startswith("FAILED: 1 failed, 1 not run, 1 measured")
    for part in (
        "200 dev rows, drawn from 900",
        "typo 2",
        "12.0 % [11.0, 13.0]",
        "−3.0 [−4.0, −2.0]",
        "city = [red]oslo: 30.0 %",
        "failed (at most 5.0 %)",
        "−10.0 points [−11.0, −9.0]",
        "of 50 pairs, 50 with labels that differ, 90.0 %",
        "dice was not run: TILTH-E041",
        "failed on 3 of 200 rows, left as they are: ValueError: too long",
        "look at r17 (ham → spam), r18",
        "warning: be careful",
    ):
        assert part in said, part


def test_the_signal(summary):
    assert not summary.is_passed
    fine = replace(summary, lines=(replace(LINE, outcome="passed"),), pairs=())
    assert stress_signal(fine) == "passed: 1 passed"
    assert (
        stress_signal(replace(fine, lines=(replace(LINE, outcome="measured"),))) == "1 measured, none against a bound"
    )
    assert stress_signal(replace(fine, lines=(replace(LINE, outcome="undecided"),))) == "passed: 1 undecided"


def test_a_slice_that_is_not_surely_worse_is_not_named(summary):
    near = replace(LINE, worst=StressSlice(name="city = oslo", rows=40, failing=share(0.13, 0.05)))
    assert "oslo" not in as_text(stress_screen(replace(summary, lines=(near,))), width=160)


def test_markdown_quotes_no_row(summary):
    text = stress_markdown(summary)
    assert text.splitlines()[0].startswith("**stress FAILED")
    assert "| typo 2 | 180 | same | 12.0 % [11.0, 13.0] | failed |" in text
    assert "| pairs by batch_id | 50 | consistent | 10.0 %" in text
    assert "r17" not in text
    assert "too long" not in text


def test_pairs_that_could_not_be_tried(summary):
    none = PairTest(source="p", outcome="not run", note="no column 'p'")
    assert "pairs by p were not tried: no column 'p'" in as_text(
        stress_screen(replace(summary, pairs=(none,))), width=160
    )


def test_a_notebook_shows_it(summary):
    register_all()
    assert stress_facts(summary)["typo 2"] == "12.0 % [11.0, 13.0] not same"
    assert "typo 2" in summary._repr_html_()
