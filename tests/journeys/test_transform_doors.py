"""Report cards of transforms through the doors: command line and Python, the own functions, hidden columns; nothing is written."""

from __future__ import annotations

import shutil

import pytest
from journey_worlds import done, tilth

import tilth as python

FUNCTIONS = """\
import tilth

SWAPPED = {"good": "awful", "great": "dull", "lovely": "bad", "superb": "poor"}
SWAPPED |= {bad: good for good, bad in SWAPPED.items()}

@tilth.transform(columns=["review"])
def turn_sentiment(row):
    return " ".join(SWAPPED.get(word, word) for word in row.review.split())

@tilth.transform(columns=["review"])
def shout(row):
    return row.review.upper()

@tilth.transform(columns=["review"])
def fails(row):
    raise ValueError("secret " + row.review)
"""


@pytest.fixture
def project(run_project, tmp_path):
    folder = tmp_path / "project"
    shutil.copytree(run_project, folder)
    shutil.copy(run_project.parent / "reviews.csv", tmp_path)
    (folder / "functions.py").write_text(FUNCTIONS)
    path = folder / "tilth.yaml"
    path.write_text(path.read_text().replace("python: null", "python: functions.py"))
    return folder


def test_one_sees_which_transform_destroys_labels(project):
    before = sorted(str(path) for path in (project / ".tilth").rglob("*"))
    told = done("transforms", "--dir", project, "--json").json
    cards = {card["name"]: card for card in told["cards"]}
    assert {"typo", "synonym", "turn_sentiment", "shout", "fails"} <= set(cards)
    assert "blur" not in cards
    assert cards["turn_sentiment"]["drift"]["low"] > 0.2
    assert "drifts" in cards["turn_sentiment"]["alarms"]
    assert cards["turn_sentiment"]["doubtful"]
    assert "drifts" not in cards["shout"]["alarms"]
    assert cards["fails"]["failures"] == told["rows"]
    assert cards["fails"]["alarms"] == ["idle", "fails"]
    report = python.open(project).transforms("turn_sentiment")
    assert report.cards[0].drift.low > 0.2
    assert "turn_sentiment" in report._repr_html_()
    assert sorted(str(path) for path in (project / ".tilth").rglob("*")) == before


def test_the_screen_says_what_to_look_at(project):
    said = done("transforms", "turn_sentiment", "typo", "--rows", "100", "--dir", project).out
    assert said.startswith("2 transforms on 100 train rows, drawn from ")
    assert "turn_sentiment changes labels, or hides what tells them" in said
    assert "Ask a person about" in said


def test_wrong_input_is_told(project):
    unknown = tilth("transforms", "tpyo", "--dir", project)
    assert unknown.code == 2
    assert "Did you mean 'typo'?" in unknown.err
    severe = tilth("transforms", "shout", "--severity", "3", "--dir", project)
    assert severe.code == 2
    assert "has no severities" in severe.err
    column = done("transforms", "typo", "--column", "nothing", "--dir", project)
    assert "typo 2 could not be used: TILTH-E021" in " ".join(column.out.split())


def test_what_functions_raise_is_kept_back_where_a_column_is_hidden(project):
    path = project / "tilth.yaml"
    path.write_text(path.read_text().replace("{type: text}", "{type: text, visibility: hidden}"))
    told = tilth("transforms", "fails", "--dir", project, "--json")
    assert "secret" not in told.out + told.err
    assert told.json["cards"][0]["errors"] == ["ValueError"]
