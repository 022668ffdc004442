"""tilth test: the gate passes, fails, stays open; its looks are counted; what is wrong with the question is said with its place."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from journey_worlds import done, made, people, prices, rows_of, tilth, write_csv

import tilth as package
from tilth.core.gate_summary import Passing
from tilth.loop.bench import Bench
from tilth.loop.checks import NamedCheck
from tilth.loop.gate import run_gate
from tilth.loop.gate_pair import version_before


@pytest.fixture(scope="session")
def two_versions(tmp_path_factory) -> Path:
    """A project with two versions: people answered a few train labels."""
    home = tmp_path_factory.mktemp("gate")
    source = write_csv(home / "people.csv", people(400))
    folder = made(home / "project", source, "--label", "outcome", "--id", "pid", "--group", "house", "--split", "part")
    done("run", "--dir", folder, "--dry-run")
    train = [row for row in rows_of(source) if row["part"] == "train"][:12]
    lines = [f"{row['pid']},{'no' if row['outcome'] == 'yes' else 'yes'}" for row in train]
    answers = home / "answers.csv"
    answers.write_text("row_id,answer\n" + "\n".join(lines) + "\n", encoding="utf-8")
    done("answer", answers, "--dir", folder)
    return folder


@pytest.fixture
def project(two_versions, tmp_path) -> Path:
    folder = tmp_path / "project"
    shutil.copytree(two_versions, folder)
    text = (folder / "tilth.yaml").read_text(encoding="utf-8")
    source = two_versions.parent / "people.csv"
    (tmp_path / "people.csv").write_bytes(source.read_bytes())
    (folder / "tilth.yaml").write_text(text, encoding="utf-8")
    return folder


def asks(folder: Path, block: str) -> None:
    """Write the block `tests:`, in place of the one that is there."""
    path = folder / "tilth.yaml"
    text = path.read_text(encoding="utf-8").partition("\ntests:")[0]
    path.write_text(text.rstrip() + "\ntests:\n" + block, encoding="utf-8")


PASSING = """\
  conditions:
    - n > 0.5
    - d < 0.5 and n - o > -0.3
  checks:
    - {name: age_is_human, where: age BETWEEN 0 AND 120}
    - {name: says_something, where: confidence >= 0.5}
    - {where: city <> 'paris', at_least: 0.9, on: test}
"""


def test_a_version_passes_and_is_not_asked_twice(project, tmp_path):
    asks(project, PASSING)
    found = tilth("test", "--dir", project, "--markdown", tmp_path / "gate.md", "--json")
    assert found.code == 0, found.out
    first = found.json
    assert (first["verdict"], first["passed"], first["recorded"]) == ("pass", True, False)
    assert first["budget"] == {"looks": 10, "spent": 1, "adaptivity": "none", "left": 9}
    assert [one["on"] for one in first["checks"]] == ["rows", "predictions", "test"]
    assert first["conditions"][0]["clauses"][0]["method"] == "guarded t over groups"
    text = (tmp_path / "gate.md").read_text(encoding="utf-8")
    assert text.startswith("**PASS: v-")
    again = tilth("test", "--dir", project, "--json").json
    assert again["recorded"] and again["budget"]["spent"] == 1
    assert again["conditions"] == first["conditions"]
    assert again["comparison"] == first["comparison"]
    assert "no look was spent" in tilth("test", "--dir", project).out


def test_nothing_of_a_row_is_in_any_output(project, tmp_path):
    asks(project, PASSING)
    said = tilth("test", "--dir", project, "--markdown", tmp_path / "gate.md", "--json").out
    said += (tmp_path / "gate.md").read_text(encoding="utf-8") + tilth("test", "--dir", project).out
    for cell in ("p0003", "h001", "berlin", "oslo", "rome"):
        assert cell not in said


@pytest.mark.parametrize(
    ("block", "code", "word"),
    [
        ("  conditions: [n > 0.999]\n", 1, "FAIL"),
        ("  conditions: ['n - o > 0 at 0.999']\n", 1, "UNDECIDED"),
        ("  conditions: ['n - o > 0 at 0.999']\n  undecided: pass\n", 0, "PASS"),
        ("  conditions: [n > 0.999]\n  undecided: pass\n", 1, "FAIL"),
        ("  checks: [{where: age > 40}]\n", 1, "FAIL"),
        ("  checks: [{where: age > 40, at_least: 0.1}]\n", 0, "PASS"),
    ],
)
def test_the_exit_code_is_the_signal(project, block, code, word):
    asks(project, block)
    found = tilth("test", "--dir", project)
    assert (found.code, found.out.split(":")[0]) == (code, word)


def test_an_undecided_condition_says_what_it_takes(project):
    asks(project, "  conditions: ['n - o > 0 +/- 0.005 at 0.999']\n")
    assert "its tolerance takes about" in tilth("test", "--dir", project).out.replace("\n", " ")


def test_against_a_version_of_ones_own(project):
    asks(project, "  conditions: [d < 0.001 +/- 0.001]\n")
    latest = package.open(project).dataset().version_id
    found = tilth("test", "--dir", project, "--against", latest, "--json").json
    assert found["against"] == latest
    assert found["conditions"][0]["clauses"][0]["value"] == 0


def test_a_budget_that_is_spent(project):
    asks(project, "  conditions: [n > 0.5]\n  looks: 1\n  undecided: pass\n")
    assert tilth("test", "--dir", project).code == 0
    asks(project, "  conditions: [n > 0.4]\n  looks: 1\n  undecided: pass\n")
    found = tilth("test", "--dir", project)
    assert found.code == 1
    assert "asked 1 times, as often as tests.looks allows" in found.out.replace("\n", " ")
    assert "not asked" in found.out


def test_the_first_change_ends_the_test_rows(project):
    asks(project, "  conditions: [n > 0.5]\n  adaptivity: first_change\n")
    assert tilth("test", "--dir", project).code == 0
    asks(project, "  conditions: [n > 0.4]\n  adaptivity: first_change\n")
    assert "a version has passed" in tilth("test", "--dir", project).out


def test_full_adaptivity_withholds_figures(project):
    asks(project, "  conditions: [n > 0.5]\n  adaptivity: full\n  looks: 3\n")
    found = tilth("test", "--dir", project, "--json").json
    assert found["comparison"] is None and found["withheld"]
    assert found["conditions"][0]["clauses"][0]["value"] is None
    assert found["verdict"] == "pass"


def test_rows_that_conditions_need(project):
    asks(project, "  conditions: ['n - o > 0.02 +/- 0.01 and d < 0.1 +/- 0.01 at 0.999', f1(n) > 0.5]\n  looks: 1\n")
    found = tilth("test", "--dir", project, "--plan", "--json").json
    first, second, third = found["clauses"]
    assert first["rows"]["exact"] < first["rows"]["Bennett"] < first["rows"]["Hoeffding"]
    assert second["labels"]["exact"] == 0
    assert third["rows"] == {} and "tolerance" in third["reason"]
    assert "Bennett" in tilth("test", "--dir", project, "--plan").out
    assert not package.open(project).repository().records("gate")


@pytest.mark.parametrize(
    ("block", "parts"),
    [
        ("  conditions: [n >]\n", ("a number to compare with is missing", "sign 4", "line")),
        ("  conditions: [f2(n) > 1]\n", ("no metric 'f2'",)),
        ("  conditions: ['recall(n, yse) > 1']\n", ("Did you mean 'yes'",)),
        ("  conditions: ['n[agee > 3] > 1']\n", ("agee", "it may name")),
        ("  conditions: ['n[age > ] > 1']\n", ("the predicate cannot be read", "⟨here⟩")),
        ("  checks: [{where: agee > 3}]\n", ("no column of the data: 'agee'", "Did you mean 'age'", "sign 1", "line")),
        ("  checks: [{where: age >}]\n", ("the predicate cannot be read", "⟨here⟩", "line")),
        ("  checks: [{where: prediction = outcome}]\n", ("may not read", "write a condition")),
        ("  checks: [{where: age > 3, at_least: 7}]\n", ("a share above 0 and at most 1",)),
        ("  checks: [{where: age > 3}, {where: age > 3}]\n", ("two checks are called",)),
        ("  looks: 0\n", ("a whole number, 1 or more",)),
        ("  looks: 3\n", ("asks nothing of a version",)),
    ],
)
def test_what_cannot_be_meant_is_said_with_its_place(project, block, parts):
    asks(project, block)
    found = tilth("test", "--dir", project)
    assert found.code == 2, found.out
    for part in parts:
        assert part in found.err
    if project.exists():
        assert "Traceback" not in found.err


def test_no_look_is_spent_on_what_cannot_be_meant(project):
    asks(project, "  conditions: [n > 0.5, f2(n) > 1]\n")
    assert tilth("test", "--dir", project).code == 2
    assert not package.open(project).repository().records("gate")


def test_slices_without_rows_are_undecided(project):
    asks(project, "  conditions: ['n[age > 500] > 0.5', 'f1(n[age > 500]) > 0.5']\n")
    found = tilth("test", "--dir", project, "--json")
    assert found.code == 1
    clauses = [one["clauses"][0] for one in found.json["conditions"]]
    assert [one["reason"] for one in clauses] == ["no test row is in the slice"] * 2


def test_an_unknown_version_is_refused(project):
    asks(project, PASSING)
    found = tilth("test", "--dir", project, "--against", "v-nothing")
    assert found.code == 2 and "TILTH-E013" in found.err


def test_a_project_without_a_run_or_a_question(tmp_path, project):
    folder = made(tmp_path / "new", write_csv(tmp_path / "new.csv", people(60)), "--label", "outcome")
    found = tilth("test", "--dir", folder)
    assert found.code == 2 and "has not run yet" in found.err
    found = tilth("test", "--dir", project)
    assert found.code == 2 and "there is no block tests:" in found.err


def test_without_a_version_before(tmp_path):
    folder = made(tmp_path / "one", write_csv(tmp_path / "prices.csv", prices()), "--label", "price")
    done("run", "--dir", folder, "--dry-run")
    asks(folder, "  conditions: [n < 2, rmse(n) < 2, r_squared(n) > 0.5, n - o < 0.1]\n")
    found = tilth("test", "--dir", folder, "--json").json
    verdicts = [one["verdict"] for one in found["conditions"]]
    assert verdicts == ["pass", "pass", "pass", "undecided"]
    assert found["against"] is None and found["comparison"] is None
    assert 0 < found["conditions"][0]["clauses"][0]["value"] < 2  # an error without a sign
    assert any("no version before" in one for one in found["warnings"])


def test_no_labelled_test_row(project, monkeypatch):
    asks(project, PASSING)
    judged = Bench.judged
    monkeypatch.setattr(Bench, "judged", lambda self, split: judged(self, split).only(np.zeros(100, dtype=bool)))
    found = tilth("test", "--dir", project)
    assert found.code == 2 and "no test row has a label" in found.err


def test_a_hidden_label_names_no_class(project):
    path = project / "tilth.yaml"
    text = path.read_text(encoding="utf-8")
    assert "role: label" in text
    path.write_text(text.replace("role: label", "role: label, visibility: aggregate"), encoding="utf-8")
    done("run", "--dir", project, "--dry-run")
    asks(project, "  conditions: [n > 0.5]\n")
    latest = package.open(project).dataset().version_id
    found = tilth("test", "--dir", project, "--against", latest, "--json").json
    assert {one["name"] for one in found["comparison"]["classes"]} == {"(hidden) 1", "(hidden) 2"}


def test_checks_that_are_functions(project):
    asks(project, "  conditions: [n > 0.5]\n")
    opened = package.open(project)
    repository = opened.repository()
    version = repository.latest

    def odd(batch):
        return [value is not None and value > 40 for value in batch.column("age").to_pylist()]

    check = NamedCheck(name="old", rule="old(row)", columns=("age",), holds=lambda b: np.array(odd(b)), at_least=0.2)
    found = run_gate(
        opened.file, repository, version, version_before(repository, version), lambda *_, **__: None, [check]
    )
    assert [one.verdict for one in found.checks] == [Passing.PASS]
    assert 0 < found.checks[0].holds < found.checks[0].rows


def test_python_and_terminal_say_the_same(project):
    asks(project, PASSING)
    found = package.open(project).test()
    assert (
        json.loads(json.dumps(found.to_dict()))["conditions"]
        == tilth("test", "--dir", project, "--json").json["conditions"]
    )
    assert "gate of v-" in found._repr_html_()
    assert "<table" in found.comparison._repr_html_()
