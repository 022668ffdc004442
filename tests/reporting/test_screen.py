"""One screen: what it must say, on how many lines, and what it must never say."""

from __future__ import annotations

import re
from dataclasses import replace
from io import StringIO

import numpy as np
import pyarrow as pa
import pytest
from rich.console import Console

from tilth.core.estimate import WIDEST, Estimate
from tilth.core.finding import Finding
from tilth.core.spec import Spec
from tilth.core.summary import FindingLine, RunSummary
from tilth.core.trial import Verdict
from tilth.reporting.figures import Scale
from tilth.reporting.screen import find_screen, run_screen
from tilth.reporting.text import as_text

RUNS = ["typical", "null", "regression", "troubled"]


def screen(summary: RunSummary, width: int = 100) -> str:
    return as_text(run_screen(summary), width)


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(params=RUNS)
def run(request: pytest.FixtureRequest) -> RunSummary:
    summary: RunSummary = request.getfixturevalue(request.param)
    return summary


def test_it_is_one_screen(run: RunSummary) -> None:
    lines = screen(run).splitlines()
    assert len(lines) <= 45
    assert max(map(len, lines)) <= 100


def test_a_recorded_run_names_its_splits_in_the_order_of_use(typical: RunSummary) -> None:
    by_name = replace(typical, splits=dict(sorted(typical.splits.items())))
    assert screen(by_name) == screen(typical)
    assert "train 7,440 · dev 2,480 · test 2,480" in flat(screen(by_name))


def test_narrow_screens_lose_no_command(run: RunSummary) -> None:
    lines = screen(run, 80).splitlines()
    assert max(map(len, lines)) <= 80
    assert any("tilth predict new.csv -o out.csv" in line for line in lines)


def test_every_signed_figure_has_an_interval(run: RunSummary) -> None:
    text = re.sub(r"\[[^\]]*\]", "[]", flat(screen(run)).split("Found")[0])
    figures = re.findall(r"[+−]\d[\d.,]*(?: points)?(.{3})", text)
    assert figures
    assert set(figures) == {" []"}


def test_every_score_has_an_interval(run: RunSummary) -> None:
    text = flat(screen(run)).split("Tried")[0]
    for after in re.findall(r"\d\.\d %(.{2})", text):
        assert after == " ["


def test_figures_are_those_of_the_json(run: RunSummary) -> None:
    facts, text = run.to_dict(), flat(screen(run))
    points = 1 if run.metric == "mae" else 100
    digits = 0 if run.metric == "mae" else 1
    for trial in facts["trials"]:
        gain, low, high = (f"{points * v:+.{digits}f}".replace("-", "−") for v in (trial["gain"], *trial["interval"]))
        assert f"{gain} [{low}, {high}]" in text
        assert trial["verdict"] in text
    assert facts["version"]["before"] in text
    assert facts["version"]["after"] in text
    assert f"seed {facts['seed']}" in text
    assert f"looks so far: {facts['test']['looks']}" in text


def test_what_the_typical_run_says(typical: RunSummary) -> None:
    text = flat(screen(typical))
    assert "87.3 % [85.9, 88.6] → 89.1 % [87.8, 90.3]" in text
    assert "gain +1.8 points [+0.6, +3.0]" in text
    assert "1 kept, 2 undecided, 2 refused" in text
    assert "gain, selected" in text
    assert "gains from 0.9 points up" in text
    assert "harms the guarded slice sentiment = negative: −3.1 points [−4.3, −1.9]" in text
    assert "tilth ask --top 58" in text


def test_nothing_kept_is_said_plainly(null: RunSummary) -> None:
    text = flat(screen(null))
    assert "Nothing was kept." in text
    assert "2 of them are undecided, not refused" in text
    assert "does not mean that it is clean" in text
    assert "unchanged" in text


def test_an_error_is_positive_and_lower_is_better(regression: RunSummary) -> None:
    text = flat(screen(regression))
    assert "18,521 [17,881, 19,161] → 18,102 [17,469, 18,735]" in text
    assert "gain +419 [+189, +649] (+ is less error)" in text
    assert "lower is better" in text
    assert "points" not in text


def test_a_corrected_gain_says_what_it_assumes(troubled: RunSummary) -> None:
    text = flat(screen(troubled))
    assert "corrected +1.1 points [−0.4, +2.7] if a wrong label depends on the true class alone" in text
    assert "holds zero" in text
    assert "--split test" in text
    assert "failed, set aside: find outlier" in text
    assert "bring fresh dev rows" in text


def test_messages_that_could_quote_a_hidden_cell_can_be_withheld(troubled: RunSummary) -> None:
    text = as_text(run_screen(troubled, messages=False))
    assert "Jane Doe" not in text
    assert "find outlier: ValueError" in text


def test_a_verdict_is_never_called_proof(run: RunSummary) -> None:
    assert not re.search(r"\bpro(of|ve|ves|ven)\b", screen(run))


def test_a_person_over_the_verdict_comes_with_what_is_in_force(typical: RunSummary) -> None:
    first, *others = typical.trials
    text = screen(replace(typical, trials=(*others, replace(first, verdict=Verdict.ADOPTED))))
    assert "1 adopted" in text
    assert text.index("adopted  ") < text.index("undecided  ")


def test_no_test_split_and_no_trial(typical: RunSummary) -> None:
    text = flat(screen(replace(typical, test=None, trials=(), slices=(), findings=(), ceiling=None)))
    assert "No edit was tried" in text
    assert "not looked at" in text
    assert "gain +" not in text


def test_intervals_without_a_limit_are_shown_as_such(typical: RunSummary) -> None:
    wide = Estimate(value=0.01, low=-WIDEST, high=WIDEST, standard_error=WIDEST)
    trial = replace(typical.trials[0], over_placebo=wide)
    assert "+1.0 [−∞, +∞]" in screen(replace(typical, trials=(trial,)))


def test_names_are_neither_markup_nor_orders_to_the_terminal(typical: RunSummary) -> None:
    evil = "[red]x[/red]\x1b[2J\x07\u202e"
    finding = replace(typical.findings[0], kind=evil, summary=evil)
    summary = replace(
        typical, source=evil, label=evil, classes=(evil,), warnings=(evil,), findings=(finding,), encoders={evil: evil}
    )
    text = screen(summary)
    assert "[red]x[/red]" in text
    assert not set(text) & {"\x1b", "\x07", "\u202e"}
    assert r"\x1b" in text


def test_the_same_words_without_colours(typical: RunSummary) -> None:
    console = Console(width=100, force_terminal=True, color_system="truecolor", file=StringIO())
    with console.capture() as captured:
        console.print(run_screen(typical))
    assert "\x1b[" in captured.get()
    assert flat(re.sub(r"\x1b\[[0-9;]*m", "", captured.get())) == flat(screen(typical))


def test_find_screen_explains_each_finding(typical: RunSummary) -> None:
    text = flat(as_text(find_screen(typical.findings)))
    for finding in typical.findings:
        for part in (finding.kind, finding.summary, finding.threshold, finding.suggestion):
            assert flat(part) in text
    assert "412 rows · severity 0.81 of 1" in text
    assert "constant_column source" in text


def test_find_screen_of_nothing() -> None:
    none: tuple[FindingLine, ...] = ()
    assert "Nothing was found" in as_text(find_screen(none))


def test_scale_of_the_screen_is_the_scale_of_the_page(typical: RunSummary) -> None:
    assert typical.test is not None
    assert Scale("accuracy").gain(typical.test.gain, unit=True) in screen(typical)


def test_find_screen_reads_findings_as_detectors_return_them() -> None:
    finding = Finding(
        kind="outlier",
        summary="2 rows stand apart.",
        operator=Spec(room="detection", name="outlier"),
        ids=pa.array(["a", "b", "c"]),
        severity=np.array([0.9, 0.5, 0.1]),
        flagged=np.array([True, True, False]),
    )
    text = flat(as_text(find_screen([finding])))
    assert "outlier 2 rows · severity 0.70 of 1 2 rows stand apart." in text
