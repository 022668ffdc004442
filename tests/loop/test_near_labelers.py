"""Labelers that look at embeddings, and those that are a model's scores, in a project: exemplars, caching, what they may not read."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

from tilth.core.errors import ConfigError
from tilth.loop.project import open_project

YAML = """\
source: rows.csv
label: class
task: binary
classes: [ham, spam]
columns:
  id: {type: category, role: id}
  part: {type: category, role: split}
  text: {type: text}
  score: {type: number, at_serving: false}
  class: {type: category}
splits: {column: part}
labelers:
  - {name: songs, keyword: {words: [song], says: ham}}
"""
NEAR = (
    "  - {name: alike, nearest: {column: text, rows: {c0: spam}, examples: {what a lovely song that is: ham}, k: 3}}\n"
)
SPAM = ("please subscribe to my channel", "free money for all of you", "subscribe please, and visit my page")
HAM = ("what a lovely song that is", "such a great voice, I love it", "I love this lovely song")


def rows(n=300):
    random.seed(5)
    found = []
    for i in range(n):
        is_spam = i == 0 or random.random() < 0.4
        text = f"{SPAM[0] if i == 0 else random.choice(SPAM if is_spam else HAM)} {random.choice('abcdefgh')}{i}"
        part = "train" if i < 20 else ("train", "train", "pool", "dev", "test")[i % 5]
        score = round(min(max(random.gauss(0.85 if is_spam else 0.2, 0.2), 0), 1), 2)
        given = "" if part == "pool" else ("spam" if is_spam else "ham")
        found.append([f"c{i}", part, text, score, given])
    return found


def made(folder: Path, labelers: str, cells=None):
    with (folder / "rows.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "part", "text", "score", "class"], *(cells or rows())])
    (folder / "tilth.yaml").write_text(YAML + labelers)
    return folder


def said(found, name):
    """What a labeler says: row id -> class."""
    votes = found.cast.votes
    mine = votes.sources == votes.labelers.index(name)
    ids = votes.row_ids.to_pylist()
    return {ids[row]: votes.classes[code] for row, code in zip(votes.rows[mine], votes.said[mine], strict=True)}


VOTED = sum(row[1] != "test" for row in rows())


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return open_project(made(tmp_path_factory.mktemp("near"), NEAR)).label()


def test_rows_near_exemplars_get_their_class(found):
    votes, truth = said(found, "alike"), {row[0]: row for row in rows()}
    assert votes["c0"] == "spam"
    for row, name in votes.items():
        text = truth[row][2]
        assert ("subscribe" in text or "song" in text) and name == ("spam" if "subscribe" in text else "ham"), text
    near = [row[0] for row in rows() if row[1] != "test" and row[2].startswith((SPAM[0], HAM[0]))]
    assert sum(row in votes for row in near) > 0.9 * len(near)
    assert not any(truth[row][2].startswith("free money") for row in votes)
    assert not any(truth[row][1] == "test" for row in votes)


def test_votes_are_remembered_and_changed_exemplars_cost_one_labeler(tmp_path):
    folder = made(tmp_path, NEAR)
    first, again = open_project(folder).label(), open_project(folder).label()
    assert [run.cast for run in first.cast.runs] == [VOTED, VOTED]
    assert [run.cast for run in again.cast.runs] == [0, 0]
    made(tmp_path, NEAR.replace("k: 3", "k: 1").replace("c0: spam", "c0: spam, c1: ham"))
    changed = open_project(folder).label()
    assert [run.cast for run in changed.cast.runs] == [0, VOTED]


def test_labels_and_rows_that_judge_have_no_say(found, tmp_path):
    other = {"ham": "spam", "spam": "ham", "": ""}
    flipped = [[*row[:4], other[row[4]]] for row in rows()]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert said(open_project(made(tmp_path / "a", NEAR, flipped)).label(), "alike") == said(found, "alike")
    silent = [[*row[:2], "x" if row[1] in ("dev", "test") else row[2], *row[3:]] for row in rows()]
    there = said(open_project(made(tmp_path / "b", NEAR, silent)).label(), "alike")
    dev = {row[0] for row in rows() if row[1] == "dev"}
    assert there == {row: name for row, name in said(found, "alike").items() if row not in dev}


@pytest.mark.parametrize(
    ("near", "words"),
    [
        ("{column: text, rows: {c23: spam}}", "dev split, which judges"),
        ("{column: text, rows: {c24: spam}}", "test split, which judges"),
        ("{column: text, rows: {c9999: spam}}", "no row 'c9999'"),
        ("{column: score, examples: {high: spam}}", "examples are texts"),
    ],
)
def test_exemplars_that_are_refused(tmp_path, near, words):
    folder = made(tmp_path, f"  - {{name: alike, nearest: {near}}}\n")
    with pytest.raises(ConfigError) as caught:
        open_project(folder).label()
    assert words in str(caught.value)
    assert "alike" in str(caught.value)


def test_a_column_that_is_no_feature_has_an_encoder_too(tmp_path):
    folder = made(tmp_path, "  - {name: alike, nearest: {column: score, rows: {c0: spam}, share: 0.5}}\n")
    assert len(said(open_project(folder).label(), "alike")) > 0


def test_a_model_says_what_its_scores_are_sure_of(tmp_path):
    cells = rows()
    lines = [f"{row[0]},{row[3]},{round(1 - row[3], 2)}" for row in cells]
    (tmp_path / "scores.csv").write_text("\n".join(["row,p_spam,p_ham", *lines]))
    folder = made(
        tmp_path,
        "  - {name: old, model_votes: {file: scores.csv, least: 0.9, least_of: {ham: 0.7}}}\n"
        "  - {name: live, model_votes: {probabilities: {spam: score}, least: 0.9}}\n",
    )
    found = open_project(folder).label()
    wanted = {
        row[0]: "spam" if row[3] >= 0.9 else "ham"
        for row in cells
        if row[1] != "test" and (row[3] >= 0.9 or round(1 - row[3], 2) >= 0.7)
    }
    assert said(found, "old") == wanted
    assert said(found, "live") == {row: name for row, name in wanted.items() if name == "spam"}
    (tmp_path / "scores.csv").write_text("\n".join(["row,p_spam,p_ham", "c0,0.1,0.9"]))
    changed = open_project(folder).label()
    assert said(changed, "old") == {"c0": "ham"}
    assert [run.cast for run in changed.cast.runs] == [0, VOTED, 0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("row,a,b\nc0,1,0\n", "one of probabilities per class"),
        ("x,p_spam\nc0,1\n", "a column of row ids"),
        ("row,p_spam\nc0,high\n", "holds what is no number"),
    ],
)
def test_files_of_scores_that_are_refused(tmp_path, text, words):
    (tmp_path / "scores.csv").write_text(text)
    folder = made(tmp_path, "  - {name: old, model_votes: {file: scores.csv}}\n")
    with pytest.raises(ConfigError, match=words):
        open_project(folder).label()
