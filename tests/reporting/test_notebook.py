"""Notebook cells: HTML without scripts or style sheets, with the figures of the screen."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from test_text import DIFF, TOUCH

from tilth.core.summary import RunSummary
from tilth.reporting.figures import Scale
from tilth.reporting.notebook import blame_html, diff_html, facts_html, findings_html, summary_html, table_html

EVIL = "<script>alert(1)</script>{0}"


class Balanced(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.seen.add(tag)
        assert {name for name, _ in attrs} <= {"style", "scope"}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def checked(html: str) -> str:
    reader = Balanced()
    reader.feed(html)
    assert reader.open == []
    assert not {"script", "style", "link", "img"} & reader.seen
    return html


@pytest.mark.parametrize("name", ["typical", "null", "regression", "troubled"])
def test_a_summary_shows_figures_with_intervals(name: str, request: pytest.FixtureRequest) -> None:
    summary: RunSummary = request.getfixturevalue(name)
    html = checked(summary_html(summary)).replace("\u00a0", " ")
    scale = Scale(summary.metric)
    assert scale.score(summary.baseline) in html
    assert summary.test is not None
    assert scale.score(summary.test.after) in html
    for trial in summary.trials:
        assert scale.gain(trial.gain) in html
        assert scale.gain(trial.over_placebo) in html
    assert "gain, selected" in html


def test_findings_and_none(typical: RunSummary) -> None:
    html = checked(findings_html(typical.findings))
    assert html.count("<tr>") == 1 + len(typical.findings)
    assert "Nothing was found" in checked(findings_html(()))


def test_a_table_is_cut_and_says_so() -> None:
    html = checked(table_html([(i, None) for i in range(100)], ("row", "x"), caption="Rows"))
    assert html.count("<tr>") == 61
    assert "the first 60 of 100" in html


def test_diff_and_blame() -> None:
    assert "+1.2 points [+0.2, +2.2]" in checked(diff_html(DIFF))
    html = checked(blame_html({"row_id": "r-1", "split": "train", "edits": [TOUCH]}, {"ssn"}))
    assert "label: cat → dog" in html
    assert "078-05" not in html
    assert "as it came" in checked(blame_html({"row_id": "r-1", "split": None, "edits": []}))


def test_texts_are_text(typical: RunSummary) -> None:
    finding = replace(typical.findings[0], kind=EVIL, summary=EVIL)
    checked(summary_html(replace(typical, source=EVIL, label=EVIL, findings=(finding,), learner=EVIL)))
    checked(table_html([(EVIL, "\x1b")], (EVIL, "b"), caption=EVIL))
    checked(facts_html(EVIL, {EVIL: EVIL}))
    checked(diff_html(DIFF | {"labels_changed": [{"from": EVIL, "to": EVIL, "rows": 1}]}))
