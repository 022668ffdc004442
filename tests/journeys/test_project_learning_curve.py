"""What more labelled rows would bring, through the Python door and the command line: for classes, numbers, and a pool."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from journey_worlds import done, make_quick, tilth

import tilth as python
from tilth.core.errors import LabelError
from tilth.core.learning_curve import LearningCurve


def table_of(n: int, pool: int = 0, *, numbers: bool = False, classes: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, classes, n + pool)
    x = rng.normal(size=(n + pool, 3)) + 1.5 * truth[:, None] * np.array([1, -1, 1])
    table = pd.DataFrame(x, columns=["a", "b", "c"])
    table.insert(0, "id", [f"r{i}" for i in range(n + pool)])
    names = [f"class{c}" for c in truth]
    labels = (x.sum(axis=1) + rng.normal(size=n + pool)).tolist() if numbers else names
    return table.assign(y=[*labels[:n], *[None] * pool])


def project_of(folder, table):
    python.init(table, label="y", id="id", folder=folder)
    make_quick(folder)
    project = python.open(folder)
    project.run(dry_run=True)
    return project


@pytest.fixture(scope="module")
def pooled(tmp_path_factory):
    """A project with 400 labelled rows and 200 in the pool; its source lies in the folder, so that the command line reads it."""
    folder = tmp_path_factory.mktemp("curve")
    path = folder / "rows.csv"
    table_of(400, 200).to_csv(path, index=False)
    done("init", path, "--label", "y", "--id", "id", "--dir", folder)
    make_quick(folder)
    project = python.open(folder)
    project.run(dry_run=True)
    return folder, project


def check(curve: LearningCurve) -> None:
    rows = [point.rows for point in curve.points]
    assert len(rows) == 6
    assert rows == sorted(rows)
    assert [one.what for one in curve.forecasts][:3] == ["1.25×", "2×", "4×"]
    gains = [one.gain.value for one in curve.forecasts[:3]]
    assert 0 <= gains[0] <= gains[1] <= gains[2], "a forecast does not fall as rows are added"
    assert curve.now.value <= curve.reachable.value
    assert all(sentence.endswith(".") for sentence in curve.sentences)


def test_a_curve_has_points_forecasts_and_words(pooled):
    _, project = pooled
    curve = project.learning_curve()
    check(curve)
    assert (curve.labelled, curve.pool) == (240, 200)
    assert curve.forecast("2×").rows == 480
    assert curve.forecast("pool").rows == 440
    assert curve.forecast("8×") is None
    assert curve.bounds[0].encoding == "all features"


def test_a_curve_is_measured_once(pooled):
    _, project = pooled
    first, said = project.learning_curve(), []
    second = project.learning_curve(progress=lambda stage, *_: said.append(stage))
    assert first == second
    assert "curve" not in said


def test_nothing_of_the_error_budget_is_spent(pooled):
    _, project = pooled
    before = len(list(project.repository().log.records()))
    project.learning_curve()
    assert len(list(project.repository().log.records())) == before


def test_the_command_line_says_the_same(pooled):
    folder, project = pooled
    said = done("curve", "--dir", folder)
    assert "2×" in said.out
    assert project.learning_curve().sentences[0][:40] in said.out
    found = done("curve", "--dir", folder, "--json").json
    assert found["labelled"] == 240
    assert [one["rows"] for one in found["forecasts"]] == [300, 480, 960, 440]
    assert {"value", "low", "high", "standard_error"} == set(found["reachable"])


def test_ask_says_what_the_pool_may_be_worth_once_the_curve_is_known(pooled, tmp_path):
    folder, project = pooled
    project.learning_curve()
    asked = done("ask", "--top", 5, "-o", tmp_path / "q.csv", "--dir", folder)
    assert "200 pool rows" in asked.err
    about_dev = done("ask", "--top", 5, "--split", "dev", "-o", tmp_path / "d.csv", "--dir", folder)
    assert "pool rows" not in about_dev.err


@pytest.mark.parametrize("kind", ["numbers", "classes"])
def test_other_tasks(kind, tmp_path):
    table = table_of(260, numbers=True) if kind == "numbers" else table_of(260, classes=4)
    curve = project_of(tmp_path, table).learning_curve()
    check(curve)
    assert curve.metric == ("mae" if kind == "numbers" else "accuracy")
    assert curve.pool == 0
    assert curve.forecast("pool") is None


def test_too_few_labelled_rows_are_refused(tmp_path):
    project = project_of(tmp_path, table_of(80))
    with pytest.raises(LabelError, match="label about 150 train rows"):
        project.learning_curve()
    refused = tilth("curve", "--dir", tmp_path)
    assert refused.code == 2
