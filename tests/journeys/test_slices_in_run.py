"""Slices through the doors of a project: what the run, the report, the gate and stress tests say of them."""

from __future__ import annotations

import csv
import json
import random

import pytest
from journey_worlds import done, made, tilth

from tilth.loop.sliced import free_name


def write_rows(path, n=700, seed=4):
    """Two numbers and a site; at site `b` a third of the labels are wrong."""
    draw = random.Random(seed)
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["row", "x", "z", "site", "y"])
        for i in range(n):
            x, site = draw.gauss(0, 1), draw.choice("aab")
            wrong = draw.random() < (0.35 if site == "b" else 0.02)
            out.writerow([f"r{i}", round(x, 3), round(draw.gauss(0, 1), 3), site, "yes" if (x > 0) != wrong else "no"])
    return path


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    home = tmp_path_factory.mktemp("sliced")
    folder = made(home / "project", write_rows(home / "rows.csv"), "--label", "y", "--id", "row")
    (folder / "functions.py").write_text(
        "import tilth\n\n\n@tilth.slice(columns=['z'])\ndef high(row):\n    return row.z > 0.5\n\n\n"
        "@tilth.check(columns=['x'])\ndef x_is_small(row):\n    return abs(row.x) < 10\n"
    )
    text = (folder / "tilth.yaml").read_text()
    text = text.replace("python: null", "python: functions.py")
    text = text.replace(
        "slices: []",
        "slices: [{name: by site, each: site}, {name: unsure, where: 'tilth_confidence < 0.9'}, {name: far, where: 'x > 99'}]",
    )
    text += "\ntests:\n  conditions:\n    - n[site = a] > 0.5\n    - n[high] > 0.3\n"
    (folder / "tilth.yaml").write_text(text)
    run = done("run", "--dir", folder, "--json", "--budget", "30s").json
    return folder, run


def test_the_run_tells_how_each_slice_stands(project):
    _, run = project
    lines = {line["name"]: line for line in run["slices"]}
    assert {"site = a", "site = b", "unsure", "high"} <= set(lines)
    assert lines["site = b"]["before"] < lines["site = a"]["before"] - 0.1
    low, high = lines["site = b"]["before_interval"]
    assert low < lines["site = b"]["before"] < high
    assert lines["site = b"]["rule"] == "\"site\" = 'b'"
    assert lines["site = b"]["aimed"]
    assert lines["high"]["rule"] == "high(row)"


def test_what_a_reader_must_know_of_slices_is_a_warning(project):
    _, run = project
    assert "slice 'far' has no row" in run["warnings"]


def test_no_two_slices_have_one_name(project):
    _, run = project
    names = [line["name"] for line in run["slices"]]
    assert len(set(names)) == len(names)
    assert free_name("a", {"a", "a (2)"}) == "a (3)"
    assert free_name("b", {"a"}) == "b"


def test_what_aims_at_a_slice_is_tried_for_it(project):
    _, run = project
    aimed = [trial for trial in run["trials"] if trial["goal"]]
    assert aimed
    names = {line["name"] for line in run["slices"] if line["aimed"]}
    assert {trial["goal"] for trial in aimed} <= names


def test_the_run_shows_its_record_until_a_slice_changes(project):
    folder, run = project
    again = done("run", "--dir", folder, "--json", "--budget", "30s").json
    assert again["trials"] == run["trials"]
    assert again["slices"] == run["slices"]


def test_the_report_names_the_worst_slices(project, tmp_path):
    folder, _ = project
    done("report", "--dir", folder, "-o", tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert 'id="standing"' in page
    assert "site = b" in page


def test_conditions_and_checks_of_the_gate_know_them(project):
    folder, _ = project
    found = tilth("test", "--dir", folder, "--json")
    assert found.code in (0, 1), found.err
    gate = json.loads(found.out)
    assert [one["text"] for one in gate["conditions"]] == ["n[site = a] > 0.5", "n[high] > 0.3"]
    assert {"name": "x_is_small", "verdict": "pass"}.items() <= gate["checks"][0].items()


def test_stress_tests_are_told_by_slice(project):
    folder, _ = project
    facts = done("stress", "--dir", folder, "--json").json
    assert "site = b" in json.dumps(facts)
