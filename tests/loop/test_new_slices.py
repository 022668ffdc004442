"""Slices among new rows: their shares beside those of train rows, and the score to be expected on each."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from typer.testing import CliRunner

import tilth
from tilth.cli.app import app
from tilth.loop.declared_rows import plain_memberships

SLICES = """\
slices:
  - {name: old, where: "age > 0"}
  - {name: rare, where: "age > 2.2"}
  - {name: sure, where: "tilth_confidence >= 0.5"}
  - {name: town of, each: town}
  - {name: wrong, where: "NOT tilth_correct"}
  - {name: says yes, where: "label = 'yes'"}
"""


def people(n, seed, *, moved=0.0):
    """Rows whose label follows from age for those below 0, and from nothing above."""
    rng = np.random.default_rng(seed)
    age = rng.standard_normal(n) + moved
    label = np.where(rng.random(n) < np.where(age > 0, 0.5, 0.95), "yes", "no")
    return pa.table({"age": age, "town": rng.choice(["oslo", "rome"], n), "label": label})


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = Path(tmp_path_factory.mktemp("people"))
    pacsv.write_csv(people(900, 0), folder / "people.csv")
    tilth.init(str(folder / "people.csv"), label="label", folder=folder)
    path = folder / "tilth.yaml"
    text = re.sub(r"^learner: .*$", "learner: linear", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    text = text.replace("python: null", "python: own.py")
    (folder / "own.py").write_text(
        "import tilth\n\n\n@tilth.slice(columns=['town'])\ndef roman(row):\n    return row.town == 'rome'\n"
    )
    path.write_text(re.sub(r"^slices: .*$", SLICES.rstrip(), text, flags=re.MULTILINE), encoding="utf-8")
    made = tilth.open(folder)
    made.find()
    return made


@pytest.fixture(scope="module")
def moved():
    return people(500, 1, moved=1.0)


@pytest.fixture(scope="module")
def told(project, moved):
    return project.estimate(moved.drop_columns(["label"]))


def test_shares_of_new_rows_stand_beside_those_of_train_rows(project, moved):
    found = project.predict(moved)
    lines = {one.name: one for one in found.slices}
    assert set(lines) == {"old", "rare", "sure", "town = oslo", "town = rome", "roman"}
    age = np.asarray(moved.column("age"))
    assert lines["old"].rows == int((age > 0).sum())
    assert lines["old"].share == pytest.approx((age > 0).mean())
    assert 0.4 < lines["old"].train_share < 0.6
    assert lines["roman"].rows == lines["town = rome"].rows
    assert lines["sure"].share == 1
    assert all(one.is_declared and one.expected is None for one in found.slices)
    said = " ".join(found.warnings)
    assert "slice 'wrong' is left out: nobody knows 'tilth_correct' of new rows" in said
    assert "slice 'says yes' is left out: nobody knows 'label' of new rows" in said


def test_each_slice_with_enough_dev_rows_has_an_expected_score(told):
    lines = {one.name: one for one in told.predicted.slices}
    assert "are needed" in lines["rare"].reason
    whole = lines["sure"]
    assert whole.expected is not None
    assert whole.known is not None
    assert whole.expected.low < whole.expected.value < whole.expected.high


def test_mandoline_weighs_by_declared_slices(told, moved):
    """Among moved rows the hard slice is more frequent: weighed by slices the expected score falls below that of dev."""
    parts = told.score.parts
    assert "mandoline" in parts
    assert parts["mandoline"].value < told.score.known.value - 0.02
    right = np.asarray(told.predicted.table.column("prediction")) == np.asarray(moved.column("label"))
    assert told.score.expected.low - 0.02 <= right.mean() <= told.score.expected.high + 0.02


def test_new_rows_without_a_column_that_only_slices_read_are_predicted(project, moved):
    bare = project.predict(moved.select(["age", "town"]))
    assert {one.name for one in bare.slices} >= {"old", "roman"}


def test_the_command_prints_a_table(project, moved, tmp_path):
    pacsv.write_csv(moved.drop_columns(["label"]), tmp_path / "new.csv")
    out = tmp_path / "out.csv"
    command = ["predict", str(tmp_path / "new.csv"), "-o", str(out), "--dir", str(project.folder)]
    found = CliRunner().invoke(app, command)
    assert found.exit_code == 0, found.output
    assert "of train" in found.output
    assert "expected" not in found.output
    assert "expected" in CliRunner().invoke(app, [*command, "--estimate"]).output


def test_a_python_file_that_is_broken_does_not_stop_predictions(project, moved):
    path = project.folder / "own.py"
    kept = path.read_text()
    path.write_text("import nothing_of_that_name")
    try:
        found = project.predict(moved)
    finally:
        path.write_text(kept)
    assert found.table.num_rows == 500
    assert not found.slices
    assert any("slices are not told" in said for said in found.warnings)


def test_detectors_see_declared_slices_that_read_neither_the_label_nor_a_model(project):
    seen = project.find().workshop
    version = seen.repository.latest
    memberships = plain_memberships(seen, version)
    assert set(memberships) == {"old", "rare", "town = oslo", "town = rome", "roman"}
    assert set(seen.evidence(version).sliced()) == set(memberships)
