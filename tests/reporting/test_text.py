"""Plain tables: log, diff, show, blame, operators; cells are text, and hidden cells stay hidden."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tilth.core.summary import HistoryLine, RunSummary
from tilth.reporting.text import (
    as_text,
    blame_text,
    diff_text,
    facts_table,
    log_table,
    operators_table,
    show_text,
    table_of,
)

DIFF: dict[str, Any] = {
    "before": "v-1",
    "after": "v-2",
    "rows_added": [],
    "rows_dropped": ["a", "b", "c", "d"],
    "cells_changed": {"label": 12},
    "labels_changed": [{"from": "cat", "to": "dog", "rows": 7}, {"from": "dog", "to": "cat", "rows": 5}],
    "metric": "accuracy",
    "dev_delta": {"value": 0.012, "interval": [0.002, 0.022]},
}
TOUCH: dict[str, Any] = {
    "edit": "e-1",
    "version": "v-2",
    "verb": "relabel",
    "author": "relabel_hard",
    "reason": "more likely wrong than right",
    "changes": {"label": {"old": "cat", "new": "dog"}, "ssn": {"old": "078-05", "new": "219-09"}},
    "dropped": False,
    "added": False,
    "verdict": "kept",
    "gain": None,
}


def test_log(history: Sequence[HistoryLine]) -> None:
    lines = as_text(log_table([line.to_dict() for line in history]), 140).splitlines()
    assert lines[0].split() == ["version", "what", "rows", "verdict", "why", "edit"]
    assert lines[5].split() == ["v-1a2b3c4d", "source"]
    assert "relabel · relabel_hard(share=0.5)" in lines[4]
    assert "kept" in lines[4]
    assert "no version" in lines[2]
    assert "vetoed" in lines[2]


def test_diff_says_what_changed_with_the_interval_of_the_score() -> None:
    text = as_text(diff_text(DIFF))
    assert "v-1 → v-2" in text
    assert "rows dropped      4: a, b, c and 1 more" in text
    assert "+1.2 points [+0.2, +2.2] of accuracy" in text
    assert [line.split() for line in text.splitlines()[-2:]] == [["cat", "dog", "7"], ["dog", "cat", "5"]]


def test_diff_without_a_score_and_with_many_pairs() -> None:
    pairs = [{"from": f"a{i}", "to": "b", "rows": 1} for i in range(25)]
    text = as_text(diff_text(DIFF | {"dev_delta": None, "labels_changed": pairs}))
    assert "not measured" in text
    assert "5 more pairs" in text


def test_blame_keeps_hidden_cells_hidden() -> None:
    blame = {"row_id": "r-1", "split": "train", "edits": [TOUCH]}
    shown, hidden = as_text(blame_text(blame)), as_text(blame_text(blame, {"ssn"}))
    assert "label: cat → dog" in hidden
    assert "more likely wrong than right" in hidden
    assert "078-05 → 219-09" in shown
    assert "078-05" not in hidden
    assert "219-09" not in hidden


def test_blame_of_a_row_that_nothing_touched_or_that_is_gone() -> None:
    assert "no edit touched it" in as_text(blame_text({"row_id": "r", "split": "dev", "edits": []}))
    gone = TOUCH | {"dropped": True, "changes": {}, "verb": "remove"}
    text = as_text(blame_text({"row_id": "r", "split": None, "edits": [gone]}))
    assert "row r, dropped" in text
    assert "the row was dropped" in text


def test_operators_name_each_room_once() -> None:
    listings = [
        {"room": "detection", "name": "label_error", "verb": "find", "summary": "Rows whose label is improbable"},
        {"room": "detection", "name": "outlier", "verb": "find", "summary": "Rows that stand apart"},
        {"room": "editing", "name": "relabel_hard", "verb": "propose", "summary": "Set labels"},
    ]
    text = as_text(operators_table(listings))
    assert text.count("detection") == 1
    assert [line.split()[0] for line in text.splitlines()] == ["room", "detection", "outlier", "editing"]


def test_facts_of_any_kind() -> None:
    facts = {"n_rows": 12400, "splits": {"train": 3, "dev": None}, "ok": True, "ids": ["a", "b"], "x": 0.25}
    assert [" ".join(line.split()) for line in as_text(facts_table(facts)).splitlines()] == [
        "n rows 12,400",
        "splits train 3, dev —",
        "ok yes",
        "ids a, b",
        "x 0.25",
    ]


def test_show_lists_columns_and_trials(typical: RunSummary) -> None:
    columns = [
        {"name": "text", "type": "text", "role": "feature"},
        {"name": "sentiment", "type": "category", "role": "label"},
    ]
    trials = [typical.trials[0].to_dict()]
    facts = {"version": "v-2", "parent": None, "metric": "accuracy", "columns": columns, "trials": trials}
    text = as_text(show_text(facts), 140)
    assert "parent" not in text
    assert ["sentiment", "category", "label"] in [line.split() for line in text.splitlines()]
    assert "+1.9 points [+0.7, +3.1]" in text
    assert "relabel_hard(share=0.5)" in text


def test_log_of_the_command_line_shows_tags_and_rows_touched() -> None:
    line: dict[str, Any] = {"version": "v-2", "parent": "v-1", "origin": "edit", "rows": 12400, "tags": ["first"]}
    line |= {"current": True, "edit": "e-1", "verb": "relabel", "operator": "relabel_hard", "touched": 212}
    line |= {"verdict": "kept", "reason": "why"}
    source = line | {"edit": None, "verb": None, "operator": None, "verdict": None, "tags": [], "origin": "source"}
    first, second = as_text(log_table([line, source]), 140).splitlines()[1:]
    assert "v-2 (first, current)" in first
    assert "212" in first
    assert "12,400" not in first + second
    assert "None" not in second


def test_cells_are_neither_markup_nor_orders_to_the_terminal() -> None:
    text = as_text(table_of(["[b]head"], [["[red]x[/red]"], ["a\x1b[31mb\nc"], ["日本語" * 3]]))
    assert "[b]head" in text
    assert "[red]x[/red]" in text
    assert r"a\x1b[31mb c" in text
    assert "\x1b" not in text
