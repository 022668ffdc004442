"""A person's generator in a project: off unless declared, asked once per row, capped, failures told, taken up again."""

from __future__ import annotations

import pytest
from journey_worlds import done, made, reviews, tilth, write_csv

FUNCTIONS = """
import tilth

CALLS = __file__ + ".calls"


@tilth.generator(columns=["review"], most_calls=40)
def shuffled(row):
    with open(CALLS, "a") as file:
        file.write("x")
    words = row.review.split()
    if "happy" in words:
        raise ValueError("no happy words")
    return " ".join(words[2:] + words[:1] + ["indeed"])
"""


@pytest.fixture
def project(tmp_path):
    folder = made(tmp_path / "project", write_csv(tmp_path / "r.csv", reviews(160)), "--label", "sentiment")
    (folder / "functions.py").write_text(FUNCTIONS)
    path = folder / "tilth.yaml"
    path.write_text(path.read_text().replace("python: null", "python: functions.py"))
    return folder


def run(folder):
    return done("run", "--dir", folder, "--json", "--budget", "20s", "--only", "synthesize").json


def calls(folder):
    path = folder / "functions.py.calls"
    return len(path.read_text()) if path.exists() else 0


def declare(folder, text="generators: [shuffled]"):
    path = folder / "tilth.yaml"
    path.write_text(path.read_text() + f"\n{text}\n")


def test_it_is_off_unless_declared_and_asked_once_per_row(project):
    run(project)
    assert calls(project) == 0
    declare(project)
    first = run(project)
    asked = calls(project)
    assert 0 < asked <= 40
    failed = [line for line in first["warnings"] if "shuffled" in line]
    assert failed
    assert "of 40 rows: ValueError: no happy words" in failed[0]
    n_failed = int(failed[0].split("failed on ")[1].split()[0])
    again = run(project)
    assert again["trials"] == first["trials"]
    functions = project / "functions.py"
    functions.write_text("# a comment is no change\n" + functions.read_text())
    done("run", "--dir", project, "--json", "--budget", "20s", "--only", "synthesize", "--seed", "0")
    assert calls(project) - asked in (0, n_failed), "what it answered is kept; what it failed on may be asked again"


def test_an_unknown_generator_is_a_mistake_in_the_file(project):
    declare(project, "generators: [shufled]")
    result = tilth("run", "--dir", project, "--budget", "5s")
    assert result.code == 2
    assert "no generator 'shufled'" in result.err
    assert "Did you mean 'shuffled'" in result.err
