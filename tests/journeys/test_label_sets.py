"""Journeys: a label set that changes: what is kept, asked, carried over, taken back."""

from __future__ import annotations

import csv
import json

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from typer.testing import CliRunner

import tilth
from tilth.cli.app import app
from tilth.core.errors import ConfigError, TaxonomyError, UsageError
from tilth.core.migration import Change, Migration
from tilth.core.names import ROW_ID, SPLIT, TARGET, TRUSTED, WEIGHT
from tilth.loop.reports import html_report
from tilth.testing.label_sets import merge, rename, split

N = 600


def write_source(path, rows=N):
    """Cars, trucks and bikes; cars of more than four doors are vans, the others limousines, two numbers tell which."""
    rng = np.random.default_rng(5)
    kind, is_van = rng.integers(0, 3, N), rng.random(N) < 0.5
    doors = np.where(is_van, 5, rng.integers(2, 5, N))
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "x", "y", "z", "doors", "label"])
        for i in range(rows):
            spot = np.eye(3)[kind[i]] * 3 + rng.normal(0, 0.3, 3) + (kind[i] == 0) * is_van[i] * np.array([0, 0, 2.0])
            writer.writerow([f"v{i}", *spot.round(3), doors[i], ["car", "truck", "bike"][kind[i]]])
    return {f"v{i}": ("van" if is_van[i] else "limo") if kind[i] == 0 else None for i in range(N)}


@pytest.fixture
def project(tmp_path):
    truth = write_source(tmp_path / "source.csv")
    made = tilth.init(tmp_path / "source.csv", label="label", id="name", folder=tmp_path)
    made.run(only=("remove",))
    made.truth = truth
    return made


def answer(project, answers, annotator="person"):
    path = project.folder / "answers.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("row_id", "answer"), *answers])
    return project.answer(path, annotator=annotator)


def labels(project, version="latest"):
    table = project.dataset(version).read(ROW_ID, "label")
    return dict(zip(table.column(ROW_ID).to_pylist(), table.column("label").to_pylist(), strict=True))


def cells(project, column, version="latest"):
    table = project.dataset(version).read(ROW_ID, column)
    return dict(zip(table.column(ROW_ID).to_pylist(), table.column(column).to_pylist(), strict=True))


def test_a_rename_and_a_merge_lose_nothing_and_are_taken_back(project):
    first = project.dataset()
    plan = project.migrate(rename("bike", "cycle"))
    assert (plan.rows, plan.kept, plan.questions) == (N, N, 0)
    project.migrate(merge("car", "truck", into="motor"))
    now = labels(project)
    assert set(now.values()) == {"motor", "cycle"}
    assert cells(project, SPLIT) == cells(project, SPLIT, first.version_id)
    project.take_back_migration()
    project.take_back_migration()
    assert project.dataset().content_id == first.content_id
    assert project.dataset().version_id == first.version_id


def test_a_dry_run_says_what_comes_of_it_and_changes_nothing(project):
    before = (project.folder / "tilth.yaml").read_text(), len(project.repository().log.records())
    step = split("car", "van", "limo", van="doors > 4")
    plan = project.migrate(step, dry_run=True)
    assert before == ((project.folder / "tilth.yaml").read_text(), len(project.repository().log.records()))
    made = project.migrate(step)
    assert plan.to_dict() | {"version": None} == made.to_dict() | {"version": None}
    state = project.taxonomy()
    assert state.opened == plan.opened
    assert state.labelled["van"] == plan.by_rule["van"] > 0
    assert state.possible["limo"] == state.possible["van"] == plan.questions


def test_a_split_keeps_what_rules_settle_and_opens_the_rest(project):
    former, splits = labels(project), cells(project, SPLIT)
    project.migrate(split("car", "van", "limo", van="doors > 4"))
    now, targets, weights = labels(project), cells(project, TARGET), cells(project, WEIGHT)
    doors = cells(project, "doors")
    for row, was in former.items():
        if was != "car":
            assert now[row] == was
        elif int(doors[row]) > 4:
            assert now[row] == "van"
        else:
            assert now[row] is None
            assert sorted(targets[row]) == [0, 0, 0.5, 0.5]
            assert weights[row] == 0
    assert cells(project, SPLIT) == splits


def test_open_rows_are_asked_in_turn_and_answers_close_them(project):
    plan = project.migrate(split("car", "van", "limo", van="doors > 4"))
    asked = project.ask(top=12).to_pylist()
    assert [one["reason"].split(" ")[0] for one in asked[:3]] == ["checks", "label", "label"]
    assert [one["split"] for one in asked[1:3]] == ["dev", "train"]
    assert {one["suggestion"] for one in asked} == {"van", "van or limo"}
    given = answer(project, [(one["row_id"], project.truth[one["row_id"]]) for one in asked])
    assert given.answers == 12
    state = project.taxonomy()
    n_checks = sum(one["reason"].startswith("checks") for one in asked)
    assert sum(state.opened.values()) == plan.questions - (12 - n_checks)
    (check,) = state.checks
    assert check.checked == n_checks
    assert check.right.value == 1.0
    closed = {one["row_id"] for one in asked}
    assert closed.isdisjoint(one["row_id"] for one in project.ask(top=30).to_pylist())
    weights = cells(project, WEIGHT)
    assert all(weights[row] is None for row in closed)


def test_a_run_tries_what_the_known_rows_say_of_the_open_ones(project):
    project.migrate(split("car", "van", "limo"))
    asked = project.ask(top=40).to_pylist()
    answer(project, [(one["row_id"], project.truth[one["row_id"]]) for one in asked])
    found = project.run(only=("relabel",))
    assert not found.failures
    assert found.taxonomy == 2
    tried = {trial.operator.name: trial for trial in found.trials}
    assert tried["label_within_sets"].gain.value >= 0
    assert any("leaves the labels of" in warning and "test rows open" in warning for warning in found.warnings)


def test_answers_and_edits_are_carried_over_and_back(project):
    cars = [row for row, label in labels(project).items() if label == "car"][:20]
    answer(project, [(row, "truck") for row in cars[:5]] + [(row, "car") for row in cars[5:10]])
    project.migrate(rename("truck", "lorry"))
    assert [labels(project)[row] for row in cars[:10]] == ["lorry"] * 5 + ["car"] * 5
    project.migrate(split("car", "van", "limo"))
    now, trusted = labels(project), cells(project, TRUSTED)
    assert [now[row] for row in cars[:10]] == ["lorry"] * 5 + [None] * 5
    assert [bool(trusted[row]) for row in cars[:10]] == [True] * 5 + [False] * 5
    answer(project, [(cars[5], "van"), (cars[12], "limo")])
    project.take_back_migration()
    now, trusted = labels(project), cells(project, TRUSTED)
    assert [now[row] for row in cars[:13]] == ["lorry"] * 5 + ["car"] * 8
    assert [bool(trusted[row]) for row in cars[:13]] == [True] * 10 + [False, False, True]
    project.take_back_migration()
    assert [labels(project)[row] for row in cars[:5]] == ["truck"] * 5


def test_labels_given_to_a_merged_class_do_not_survive_its_undoing_and_the_command_says_so(project):
    was = labels(project)
    bike, car = (next(row for row, label in was.items() if label == name) for name in ("bike", "car"))
    project.migrate(merge("car", "truck", into="motor"))
    answer(project, [(bike, "motor"), (car, "bike")])
    plan = project.take_back_migration()
    now = labels(project)
    assert now[bike] == "bike"
    assert now[car] == "bike"
    assert (plan.rows, plan.kept) == (N, N)
    assert any("1 rows mean no one class of label set 1" in note for note in plan.notes)


def test_what_several_people_said_counts_under_the_new_names(project):
    cars = [row for row, label in labels(project).items() if label == "car"][:12]
    for name in ("anna", "ben", "cem"):
        answer(project, [(row, "truck" if name == "ben" and row == cars[0] else "car") for row in cars], name)
    project.migrate(rename("car", "auto"))
    assert {one.name: one.answers for one in project.people().people} == {"anna": 12, "ben": 12, "cem": 12}
    again = answer(project, [(row, "auto") for row in cars[1:]], "anna")
    assert (again.answers, again.skipped) == (0, 11)
    project.migrate(split("auto", "van", "limo"))
    assert {one.name: one.answers for one in project.people().people} == {"ben": 1}


def test_the_same_steps_make_the_same_versions(project, tmp_path):
    steps = (rename("bike", "cycle"), split("car", "van", "limo", van="doors > 4"))
    for step in steps:
        project.migrate(step)
    folder = tmp_path / "other"
    folder.mkdir()
    text = (project.folder / "tilth.yaml").read_text().replace("source: source.csv", "source: ../source.csv")
    (folder / "tilth.yaml").write_text(text)
    other = tilth.open(folder)
    other.find()
    assert other.dataset().version_id == project.dataset().version_id


def test_a_source_that_grows_is_read_by_the_earliest_meaning_of_its_names(tmp_path):
    truth = write_source(tmp_path / "source.csv", rows=N - 40)
    made = tilth.init(tmp_path / "source.csv", label="label", id="name", folder=tmp_path)
    made.run(only=("remove",))
    made.migrate(rename("bike", "cycle"))
    made.migrate(split("car", "van", "limo"))
    write_source(tmp_path / "source.csv")
    path = tmp_path / "source.csv"
    lines = path.read_text().splitlines()
    lines[-1] = ",".join([*lines[-1].split(",")[:-1], "limo"])
    path.write_text("\n".join(lines) + "\n")
    made.find()
    now = labels(made)
    assert len(now) == N
    assert now[f"v{N - 1}"] == "limo"
    assert {now[f"v{i}"] for i in range(N - 40, N - 1)} <= {"cycle", "truck", None}
    assert all(now[row] is None for row, of in truth.items() if of and row != f"v{N - 1}")


def test_what_does_not_fit_is_refused_and_nothing_changes(project):
    before = (project.folder / "tilth.yaml").read_text(), project.dataset().version_id
    with pytest.raises(TaxonomyError, match=r"no class 'cat' then\. Did you mean 'car'"):
        project.migrate(rename("cat", "dog"))
    with pytest.raises(ConfigError, match="names no column of the data: 'wheels'"):
        project.migrate(split("car", "van", "limo", van="wheels > 4"))
    with pytest.raises(ConfigError):
        project.migrate(split("car", "van", "limo", van="doors >"))
    with pytest.raises(UsageError, match="no migration to take back"):
        project.take_back_migration()
    assert before == ((project.folder / "tilth.yaml").read_text(), project.dataset().version_id)


def test_a_class_that_is_retired_sends_train_rows_to_the_pool(project):
    was = labels(project)
    project.migrate(Migration(change=Change.RETIRE, classes=("bike",)))
    now, splits = labels(project), cells(project, SPLIT)
    bikes = [row for row, label in was.items() if label == "bike"]
    assert all(now[row] is None for row in bikes)
    assert {splits[row] for row in bikes} == {"pool", "dev", "test"}
    project.take_back_migration()
    assert labels(project) == was


def test_the_command_line(project):
    runner = CliRunner()

    def said(*words, code=0):
        result = runner.invoke(app, ["taxonomy", *words, "--dir", str(project.folder)])
        assert result.exit_code == code, result.output
        return result.stdout

    assert "label set 1 · 3 classes" in said()
    dry = said("split", "car", "--into", "van,limo", "--rule", "van=doors > 4", "--dry-run")
    assert "to ask, about" in dry
    assert "nothing is changed" in dry
    made = said("split", "car", "--into", "van", "--into", "limo", "--rule", "van=doors > 4")
    assert "tilth taxonomy undo takes it back" in made
    state = json.loads(said("--json"))
    assert [one["name"] for one in state["classes"]] == ["bike", "van", "limo", "truck"]
    assert state["rules"][0]["rule"] == "doors > 4"
    assert "rule for van" in said()
    said("rename", "bike", "cycle")
    said("merge", "cycle", "truck", "--into", "other")
    said("add", "bus", "--among", "van")
    said("retire", "bus", "--to", "van")
    said("redefine", "limo", "--guideline", "2", "--affects", "van", "--where", "doors = 4")
    assert "label set 7" in said()
    for _ in range(6):
        said("undo")
    assert "label set 1 · 3 classes" in said()
    log = runner.invoke(app, ["log", "--dir", str(project.folder)]).stdout
    assert "in label set" in log


def test_the_report_tells_the_history_newest_first(project):
    first = project.dataset().version_id
    project.migrate(rename("bike", "cycle"))
    project.run(only=("remove",))
    page = html_report(project)
    history = page[page.index("Versions of the data, the newest first") :]
    assert 0 < history.index(project.dataset().version_id) < history.index(first)


def test_a_number_has_no_taxonomy(tmp_path):
    path = tmp_path / "n.csv"
    rng = np.random.default_rng(0)
    pa.csv.write_csv(pa.table({"x": rng.normal(size=200), "y": rng.normal(size=200)}), path)
    made = tilth.init(path, label="y", folder=tmp_path)
    with pytest.raises(UsageError, match="the label is a number"):
        made.migrate(rename("a", "b"))
