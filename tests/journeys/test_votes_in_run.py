"""From labelers to a model: few labels, many rows without one, and a run that brings them in where that helps."""

from __future__ import annotations

import csv

import numpy as np
import pytest

import tilth
from tilth.core.names import SPLIT

LABELERS = """
import tilth

@tilth.labeler(columns=["visits"])
def often(row):
    return "buys" if row["visits"] > 0.8 else None

@tilth.labeler(columns=["visits"])
def seldom(row):
    return "leaves" if row["visits"] < -0.8 else None

@tilth.labeler(columns=["minutes"])
def long(row):
    return "buys" if row["minutes"] > 0.7 else None

@tilth.labeler(columns=["age"])
def young(row):
    return "leaves" if row["age"] < -0.5 else None
"""
NAMES = ("visits", "minutes", "age", "a", "b", "c", "d", "e", "f", "g")


def write_source(path, *, labelled=24, pool=1500, dev=600, seed=0):
    """Rows of two classes half a standard deviation from the middle along three columns; most train rows have no label."""
    rng = np.random.default_rng(seed)
    rows = []
    for split, count in (("train", labelled + pool), ("dev", dev), ("test", 300)):
        buys = rng.random(count) < 0.5
        x = rng.normal(size=(count, len(NAMES)))
        x[:, :3] += np.where(buys, 0.7, -0.7)[:, None]
        labels = np.where(buys, "buys", "leaves")
        hidden = (np.arange(count) >= labelled) & (split == "train")
        rows += [(split, *np.round(x[i], 3), "" if hidden[i] else labels[i]) for i in range(count)]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("split", *NAMES, "label"), *rows])


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("votes")
    write_source(folder / "shop.csv")
    (folder / "labelers.py").write_text(LABELERS)
    tilth.init(folder / "shop.csv", label="label", split="split", folder=folder)
    path = folder / "tilth.yaml"
    path.write_text(path.read_text().replace("python: null ", "python: labelers.py "))
    return tilth.open(folder)


@pytest.fixture(scope="module")
def summary(project):
    return project.run(only=("add",))


def test_votes_are_tried_by_the_label_model_and_by_majority_and_kept(project, summary):
    tried = {t.operator.parameters["by"]: t for t in summary.trials if t.operator.name == "label_from_votes"}
    assert set(tried) == {"model", "majority"}
    assert all(trial.verb == "add" and trial.rows > 200 for trial in tried.values())
    assert "kept" in {str(trial.verdict) for trial in tried.values()}
    assert summary.test.gain.value > 0.02
    before, after = (project.dataset(v).splits for v in (summary.version_before, summary.version_after))
    assert (after == "train").sum() > (before == "train").sum() + 200
    assert (after == "dev").sum() == (before == "dev").sum()


def test_labels_of_a_labeler_that_was_edited_since_are_told_of(project, summary):
    kept = next(t for t in summary.trials if t.operator.name == "label_from_votes" and str(t.verdict) == "kept")
    path = project.folder / "labelers.py"
    text = path.read_text()
    assert not any("not what they were" in said for said in project.find().warnings)
    try:
        path.write_text(text.replace("> 0.8", "> 0.9").replace("def young", "def aged"))
        said = [one for one in project.find().warnings if "not what they were" in one]
    finally:
        path.write_text(text)
    assert len(said) == 1
    assert "'often', 'young' (gone)" in said[0]
    assert f"tilth revert {kept.edit}" in said[0]


def test_a_row_that_came_in_says_why_and_is_taken_back(project, summary):
    dataset = project.dataset()
    kept = next(t for t in summary.trials if t.operator.name == "label_from_votes" and str(t.verdict) == "kept")
    moved = np.flatnonzero((project.dataset(summary.version_before).splits == "pool") & (dataset.splits == "train"))
    blame = project.blame(dataset.row_ids[int(moved[0])].as_py())
    assert any("votes" in touch.reason for touch in blame.touches)
    back = project.revert(kept.edit)
    splits = project.repository().dataset(back).read(SPLIT).column(0).to_pylist()
    assert splits.count("pool") == (project.dataset(summary.version_before).splits == "pool").sum()
    assert not any("not what they were" in said for said in project.find().warnings)


def test_the_same_run_shows_its_record_and_an_edited_labeler_runs_anew(project, summary):
    path = project.folder / "labelers.py"
    first = len(project.repository().records("run"))
    path.write_text(path.read_text().replace("> 0.7", "> 0.6"))
    project.run(only=("add",))
    assert len(project.repository().records("run")) == first + 1
    project.run(only=("add",))
    assert len(project.repository().records("run")) == first + 1


def test_a_labeler_that_fails_is_a_warning_and_no_lost_run(tmp_path):
    write_source(tmp_path / "shop.csv", pool=200, dev=200)
    broken = (
        '\n@tilth.labeler(columns=["age"])\ndef broken(row):\n    return None if 1 / (row["age"] < 2) else "buys"\n'
    )
    (tmp_path / "labelers.py").write_text(LABELERS + broken)
    tilth.init(tmp_path / "shop.csv", label="label", split="split", folder=tmp_path)
    path = tmp_path / "tilth.yaml"
    path.write_text(path.read_text().replace("python: null ", "python: labelers.py "))
    found = tilth.open(tmp_path).run(only=("add",))
    assert any("'broken' failed on" in warning for warning in found.warnings)
    assert any(trial.operator.name == "label_from_votes" for trial in found.trials)


def test_a_labeler_that_names_no_class_fails_its_step_once_and_the_run_goes_on(tmp_path):
    write_source(tmp_path / "shop.csv", pool=200, dev=200)
    wrong = (
        '\n@tilth.labeler(columns=["age"])\ndef wrong(row):\n'
        '    with open(LOG, "a") as log:\n        log.write("called\\n")\n    return "bogus"\n'
    )
    (tmp_path / "labelers.py").write_text(LABELERS + wrong.replace("LOG", repr(str(tmp_path / "calls.txt"))))
    tilth.init(tmp_path / "shop.csv", label="label", split="split", folder=tmp_path)
    path = tmp_path / "tilth.yaml"
    path.write_text(path.read_text().replace("python: null ", "python: labelers.py "))
    found = tilth.open(tmp_path).run(only=("add",))
    assert found.version_after == found.version_before
    assert {step.step.split("(")[0] for step in found.failures} == {"propose label_from_votes"}
    assert all("'wrong' says 'bogus', which is no class" in step.error for step in found.failures)
    assert len((tmp_path / "calls.txt").read_text().splitlines()) == 24 + 200


def test_where_labels_by_hand_cannot_be_counted_the_report_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr("tilth.loop.by_hand.MOST_ROWS", 10)
    write_source(tmp_path / "shop.csv", pool=200, dev=200)
    (tmp_path / "labelers.py").write_text(LABELERS)
    tilth.init(tmp_path / "shop.csv", label="label", split="split", folder=tmp_path)
    path = tmp_path / "tilth.yaml"
    path.write_text(path.read_text().replace("python: null ", "python: labelers.py "))
    found = tilth.open(tmp_path).run(only=("add",))
    assert any(trial.gain.value > 0 for trial in found.trials)
    assert not found.by_hand
    assert "too many to measure a learning curve" in found.refusals["labels by hand"]
