"""The expected score of new rows, through the project's doors."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from typer.testing import CliRunner

import tilth
from tilth.cli.app import app
from tilth.core.errors import NotApplicable, SchemaChangedError
from tilth.loop.project import Project

ROWS = 600


def people(n: int, seed: int, *, moved: float = 0.0, regression: bool = False) -> pa.Table:
    """Rows whose label follows from two numbers, or a number with noise that grows; the first may be moved."""
    rng = np.random.default_rng(seed)
    age, pay = rng.standard_normal(n) + moved, rng.standard_normal(n)
    columns = {"age": age, "pay": pay, "town": rng.choice(["oslo", "rome"], n)}
    if regression:
        return pa.table(columns | {"label": 3 * age + (0.5 + (pay > 0)) * rng.standard_normal(n)})
    sure = 1 / (1 + np.exp(-3 * age - pay))
    return pa.table(columns | {"label": np.where(rng.random(n) < sure, "yes", "no")})


def made(folder: Path, table: pa.Table, learner: str = "linear") -> Project:
    """Return a project with a quick learner, whose model is held."""
    folder.mkdir(exist_ok=True)
    pacsv.write_csv(table, folder / "people.csv")
    tilth.init(str(folder / "people.csv"), label="label", folder=folder)
    path = folder / "tilth.yaml"
    text = re.sub(r"^learner: .*$", f"learner: {learner}", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8")
    project = tilth.open(folder)
    project.find()
    return project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory):
    return made(tmp_path_factory.mktemp("people"), people(ROWS, 0))


@pytest.fixture(scope="module")
def usual(project):
    """What is said of rows that nothing has moved."""
    return project.estimate(people(400, 1))


def truth_of(found, table: pa.Table) -> float:
    predicted = np.asarray(found.predicted.table.column("prediction"))
    return float((predicted == np.asarray(table.column("label"))).mean())


@pytest.mark.parametrize("moved", [0.0, 0.7])
def test_the_truth_lies_within_the_interval(project, usual, moved):
    new = people(400, 1, moved=moved)
    found = project.estimate(new.drop_columns(["label"])) if moved else usual
    score = found.score
    assert score.expected.low <= truth_of(found, new) <= score.expected.high
    assert score.rows == 400
    assert score.known_rows == ROWS // 5
    assert {"atc", "cbpe", "doc"} <= set(score.parts)
    assert score.expected.high - score.expected.low < 0.3
    json.dumps(score.to_dict())


def test_labels_of_the_new_rows_are_not_read(project, usual):
    assert project.estimate(people(400, 1).drop_columns(["label"])).score.expected == usual.score.expected


def test_predictions_are_those_of_predict(project, usual):
    assert usual.predicted.table.equals(project.predict(people(400, 1)).table)


def test_foreign_rows_are_counted_and_named(project, usual):
    assert usual.score.foreign_share < 0.15
    found = project.estimate(pa.concat_tables([people(180, 4), people(20, 5, moved=-30.0)])).score
    assert 0.1 <= found.foreign_share < 0.25
    assert sum(int(one.row) > 180 for one in found.foreign) >= 7
    assert len(found.foreign) == 10


def test_the_door_says_one_paragraph(project, tmp_path):
    pacsv.write_csv(people(200, 6).drop_columns(["label"]), tmp_path / "new.csv")
    command = ["predict", str(tmp_path / "new.csv"), "-o", str(tmp_path / "out.csv"), "--dir", str(project.folder)]
    said = CliRunner().invoke(app, [*command, "--estimate"])
    assert said.exit_code == 0
    assert pacsv.read_csv(tmp_path / "out.csv").num_rows == 200
    last = said.stdout.strip().splitlines()[-1]
    for words in (
        "Expected accuracy on these 200 rows",
        f"{ROWS // 5} labelled dev rows",
        "cbpe",
        "5 % is usual",
        "Only labels show",
    ):
        assert words in last
    plain = CliRunner().invoke(app, command)
    assert "Expected" not in plain.stdout


def test_too_few_dev_rows_are_refused_and_predictions_written_all_the_same(tmp_path):
    small = made(tmp_path / "small", people(200, 7))
    with pytest.raises(NotApplicable, match="40 labelled rows are too few"):
        small.estimate(people(50, 8))
    pacsv.write_csv(people(50, 8), tmp_path / "new.csv")
    out = tmp_path / "out.csv"
    said = CliRunner().invoke(
        app, ["predict", str(tmp_path / "new.csv"), "-o", str(out), "--dir", str(tmp_path / "small"), "--estimate"]
    )
    assert said.exit_code == 0
    assert out.exists()
    assert "no expected score: 40 labelled rows are too few" in said.stderr


def test_of_many_rows_some_are_drawn(project, usual, monkeypatch):
    monkeypatch.setattr("tilth.loop.unlabelled_score._MOST_ROWS", 300)
    found = project.estimate(people(400, 1))
    assert found.predicted.table.num_rows == found.score.rows == 400
    assert any("goes by 300 of 400" in warning for warning in found.score.warnings)
    assert found.score.expected.value == pytest.approx(usual.score.expected.value, abs=0.03)


def test_a_missing_column_is_refused(project):
    with pytest.raises(SchemaChangedError, match="lacks 'pay'"):
        project.estimate(people(20, 9).drop_columns(["pay"]))


def test_numbers_are_expected_by_weights_alone(tmp_path):
    prices = made(tmp_path, people(ROWS, 10, regression=True), "ridge")
    new = people(300, 11, regression=True)
    found = prices.estimate(new)
    error = np.abs(np.asarray(found.predicted.table.column("prediction")) - np.asarray(new.column("label"))).mean()
    assert set(found.score.parts) <= {"domain_weights", "mandoline"}
    assert found.score.expected.low <= -error <= found.score.expected.high <= 0.0


def test_a_mean_over_classes_is_replaced_by_accuracy(tmp_path):
    rare = people(2 * ROWS, 12)
    kept = np.flatnonzero((np.asarray(rare.column("label")) == "no") | (np.arange(2 * ROWS) % 12 == 0))
    project = made(tmp_path, rare.take(pa.array(kept)))
    assert project.file.schema.task.metric == "balanced_accuracy"
    score = project.estimate(people(100, 13)).score
    assert score.metric == "accuracy"
    assert any("shares of classes" in warning for warning in score.warnings)
