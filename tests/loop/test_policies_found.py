"""Policies found: composition leaves out what destroys the label, a search prefers what helps, and both end in a file."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest
import yaml

import tilth
from tilth.core.errors import ConfigError, NotApplicable, UsageError
from tilth.core.policy import Policy
from tilth.loop.finding_policies import policy_text
from tilth.loop.project import Project, open_project
from tilth.loop.variations import read_policy

NOISE = 8
FUNCTIONS = f"""import tilth

OTHERS = [f"z{{j}}" for j in range({NOISE})]


@tilth.transform(columns=OTHERS)
def other_numbers(row, random):
    return {{name: float(random.normal()) for name in OTHERS}}


@tilth.transform(columns=["x"])
def other_side(row):
    return -row.x
"""


def made(home: Path, n_train: int, extra: str) -> Project:
    """The label follows x alone; one transform draws the other numbers anew, one turns x around and with it the label."""
    draw = random.Random(2)
    with (home / "rows.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["row", "split", "x", *(f"z{j}" for j in range(NOISE)), "y"])
        for i in range(n_train + 200):
            x = draw.gauss(0, 1)
            rest = [round(draw.gauss(0, 1), 3) for _ in range(NOISE)]
            split = "train" if i < n_train else ("dev", "test")[i % 2]
            out.writerow([f"r{i}", split, round(x, 3), *rest, "yes" if x + draw.gauss(0, 0.3) > 0 else "no"])
    folder = home / "project"
    tilth.init(home / "rows.csv", label="y", id="row", split="split", folder=folder)
    (folder / "functions.py").write_text(FUNCTIONS)
    text = (folder / "tilth.yaml").read_text().replace("python: null", "python: functions.py")
    (folder / "tilth.yaml").write_text(text.replace("learner: auto", "learner: linear") + extra)
    project = open_project(folder)
    project.run(budget="5s", dry_run=True)
    return project


BOTH = "\naugment:\n  transforms: [other_numbers, other_side]\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return made(tmp_path_factory.mktemp("policies"), 120, BOTH)


def test_composition_leaves_out_what_makes_another_class(project: Project) -> None:
    report = project.policy("compose")
    assert report.policy.transforms == ("other_numbers",)
    harmful = [line for line in report.lines if line.steps == ("other_side",)]
    kept = [line for line in report.lines if line.share]
    assert all(line.agreement > 0.8 for line in kept)
    assert all(line.agreement < 0.4 and line.share == 0 for line in harmful)


def test_a_search_prefers_what_helps(project: Project) -> None:
    report = project.policy("search", arms=4)
    best = report.lines[0]
    assert "other_numbers" in best.steps
    assert best.rounds == 3
    assert report.baseline is not None
    assert best.score > report.baseline
    assert "other_side" not in report.policy.sequences[0].steps


def test_the_same_seed_finds_the_same(project: Project) -> None:
    assert project.policy("compose").to_dict() == project.policy("compose").to_dict()


def test_usual_policies_are_over_all_that_is_listed(project: Project) -> None:
    assert project.policy("trivial").policy.transforms == ("other_numbers", "other_side")
    assert len(project.policy("rand").policy.sequences[0].steps) == 2


def test_a_file_is_read_as_it_was_written(project: Project, tmp_path: Path) -> None:
    policy = project.policy("compose").policy
    path = tmp_path / "policy.yaml"
    path.write_text(policy_text(policy))
    assert read_policy(path) == policy
    assert Policy.from_plain(yaml.safe_load(policy_text(policy))) == policy


@pytest.mark.parametrize(("text", "said"), [("sequences: 3", "list of sequences"), ("{", "cannot be read")])
def test_a_file_that_is_no_policy_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "policy.yaml").write_text(text)
    with pytest.raises(ConfigError, match=said) as found:
        read_policy(tmp_path / "policy.yaml")
    assert "policy.yaml" in found.value.where


def test_an_edit_that_sets_no_policy_is_refused(project: Project) -> None:
    with pytest.raises(UsageError):
        project.policy("e-nothing")


def test_a_number_as_label_has_no_composition(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("x,y\n" + "\n".join(f"{i % 17 + 0.5},{i * 0.37 + i % 5}" for i in range(120)))
    tilth.init(tmp_path / "rows.csv", label="y", folder=tmp_path / "project")
    project = open_project(tmp_path / "project")
    project.run(budget="5s", dry_run=True)
    with pytest.raises(NotApplicable, match="number"):
        project.policy("compose")
