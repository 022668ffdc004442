"""Stress tests through the doors: command line and Python, on texts, tables, numbers and images; declared ones gate."""

from __future__ import annotations

import json
import shutil

import pytest
from journey_worlds import done, made, people, prices, tilth, write_csv, write_images

import tilth as python
from tilth.core.errors import NotApplicable

FUNCTIONS = """\
import tilth

@tilth.transform(columns=["review"])
def praise(row, random):
    return row.review + " " + " ".join(random.choice(["good", "great", "lovely", "superb"], 8))

@tilth.transform(columns=["review"])
def fails(row):
    raise ValueError("secret " + row.review)
"""


@pytest.fixture
def project(run_project, tmp_path):
    folder = tmp_path / "project"
    shutil.copytree(run_project, folder)
    shutil.copy(run_project.parent / "reviews.csv", tmp_path)
    return folder


def declare(folder, *lines, python=True):
    path = folder / "tilth.yaml"
    (folder / "functions.py").write_text(FUNCTIONS)
    text = path.read_text().replace("python: null", "python: functions.py" if python else "python: null")
    path.write_text(text + "\nstress:\n" + "".join(f"  - {line}\n" for line in lines))


def test_the_usual_tests_and_the_same_from_python(project):
    told = done("stress", "--dir", project, "--json").json
    assert [line["name"] for line in told["lines"]][:3] == ["typo", "case_change", "word_dropout"]
    assert told["passed"] is True
    summary = python.open(project).stress()
    assert summary.to_dict()["lines"][0]["failing"] == told["lines"][0]["failing"]
    said = done("stress", "--dir", project).out
    assert "none against a bound" in said
    assert "typo 2" in said


def test_nothing_is_written(project):
    before = sorted(str(path) for path in (project / ".tilth").rglob("*"))
    done("stress", "--dir", project, "--transform", "typo")
    assert sorted(str(path) for path in (project / ".tilth").rglob("*")) == before


def test_declared_tests_gate(project):
    declare(project, "{transform: typo, severity: 1, at_most: 0.9}", "{transform: praise, expect: up pos}")
    fine = done("stress", "--dir", project, "--json").json
    assert [line["outcome"] for line in fine["lines"]] == ["passed", "measured"]
    assert fine["lines"][1]["failing"]["value"] < 0.1
    declare_path = project / "tilth.yaml"
    declare_path.write_text(declare_path.read_text().replace("expect: up pos", "expect: down pos, at_most: 0.1"))
    failed = tilth("stress", "--dir", project)
    assert failed.code == 1
    assert failed.out.startswith("FAILED: 1 failed")


def test_a_transform_that_fails_loses_its_own_test_only(project):
    declare(project, "fails", "typo")
    failed = tilth("stress", "--dir", project, "--json")
    assert failed.code == 1
    first, second = failed.json["lines"]
    assert (first["outcome"], first["note"], second["outcome"]) == (
        "not run",
        "it changes none of the rows",
        "measured",
    )
    assert first["failures"] == first["tried"]
    assert first["error"].startswith("ValueError: secret")


def test_what_functions_raise_is_kept_back_where_a_column_is_hidden(project):
    declare(project, "fails", "typo")
    path = project / "tilth.yaml"
    path.write_text(path.read_text().replace("{type: text}", "{type: text, visibility: hidden}"))
    told = tilth("stress", "--dir", project, "--json")
    assert "secret" not in told.out
    assert "secret" not in told.err
    assert told.json["lines"][0]["error"] == "ValueError"


def test_a_run_goes_on_with_a_python_file_that_holds_transforms_only(project):
    declare(project)
    (project / "tilth.yaml").write_text((project / "tilth.yaml").read_text().replace("\nstress:\n", "\n"))
    assert done("run", "--dry-run", "--dir", project).code == 0


def test_tables_slices_and_a_function_of_slices(tmp_path):
    folder = made(
        tmp_path / "p",
        write_csv(tmp_path / "a.csv", people(240)),
        "--label",
        "outcome",
        "--id",
        "pid",
        "--group",
        "house",
    )
    path = folder / "tilth.yaml"
    path.write_text(path.read_text().replace("guards: []", "guards: [city]"))
    done("run", "--dry-run", "--dir", folder)
    told = done("stress", "--dir", folder, "--json").json
    assert [line["name"] for line in told["lines"]] == ["jitter", "missingness", "category_swap"]
    assert any(one["name"].startswith("outcome = ") for line in told["lines"] for one in line["slices"])
    own = python.open(folder).stress(
        slices=lambda dataset, positions: {"all": positions >= 0}, transforms=["missingness"], severity=5
    )
    assert [one.name for one in own.lines[0].slices] == ["all"]


def test_pairs(tmp_path):
    rows = people(240)
    rows["twin"] = [f"t{number // 2}" for number in range(240)]
    folder = made(
        tmp_path / "p", write_csv(tmp_path / "a.csv", rows), "--label", "outcome", "--id", "pid", "--split", "part"
    )
    done("run", "--dry-run", "--dir", folder)
    told = done("stress", "--dir", folder, "--pairs", "twin", "--json").json
    (pair,) = told["pairs"]
    assert told["lines"] == []
    assert pair["pairs"] > 20
    assert pair["both_right"]["value"] <= min(pair["first"]["value"], pair["second"]["value"])
    assert tilth("stress", "--dir", folder, "--pairs", "twins").code == 1


def test_numbers(tmp_path):
    folder = made(tmp_path / "p", write_csv(tmp_path / "a.csv", prices()), "--label", "price")
    done("run", "--dry-run", "--dir", folder)
    told = done("stress", "--dir", folder, "--transform", "jitter", "--severity", "5", "--json").json
    (line,) = told["lines"]
    assert line["failing"]["value"] > 0.3, "half a deviation moves the price by more than a tenth of one"
    assert line["change"]["value"] < 0
    assert done("stress", "--dir", folder).code == 0


def test_images(tmp_path):
    folder = made(tmp_path / "p", write_images(tmp_path / "images", n=60), "--label", "label")
    done("run", "--dry-run", "--dir", folder)
    told = done("stress", "--dir", folder, "--json", "--rows", 12).json
    assert told["rows"] == 12
    assert {one["name"] for one in told["corruptions"]} >= {"blur", "gaussian_noise", "jpeg_quality"}
    assert all(len(one["scores"]) == 5 for one in told["corruptions"])


def test_what_it_refuses(project, tmp_path):
    assert "Did you mean 'typo'" in tilth("stress", "--dir", project, "--transform", "typos").err
    assert tilth("stress", "--dir", project, "--transform", "typo", "--expect", "up pso").code == 1
    assert tilth("stress", "--dir", project, "--transform", "negation").code == 2
    unrun = made(tmp_path / "new", tmp_path / "reviews.csv", "--label", "sentiment")
    refused = tilth("stress", "--dir", unrun)
    assert refused.code == 2
    assert "has not run yet" in refused.err


def test_no_transform_for_vectors(tmp_path):
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 200)
    table = pd.DataFrame(
        {
            "v": list((rng.normal(size=(200, 3)) + labels[:, None]).astype(np.float32)),
            "y": [f"c{one}" for one in labels],
        }
    )
    project = python.init(table, label="y", embedding=["v"], folder=tmp_path)
    project.run(dry_run=True)
    with pytest.raises(NotApplicable, match="which are of type embedding"):
        project.stress()


def asked(project, *lines, tests=""):
    """Return what the gate says of stress tests that are declared, and its exit code."""
    declare(project, *lines)
    if tests:
        path = project / "tilth.yaml"
        path.write_text(path.read_text() + f"\ntests: {tests}\n")
    found = tilth("test", "--dir", project, "--json")
    return {one["name"]: one for one in json.loads(found.out)["stress"]}, found.code


def test_the_gate_judges_stress_tests_that_have_a_bound(project, tmp_path):
    bounds = ["{transform: case_change, at_most: 0.5}", "{transform: praise, expect: same, at_most: 0.01}", "typo"]
    found, code = asked(project, *bounds)
    assert set(found) == {"case_change 2", "praise"}
    assert found["case_change 2"]["verdict"] == "pass"
    assert found["praise"]["verdict"] == "fail"
    assert found["praise"]["low"] > 0.01
    assert code == 1
    markdown = tmp_path / "gate.md"
    assert tilth("test", "--dir", project, "--markdown", markdown).code == 1
    text = markdown.read_text()
    assert text.startswith("**FAIL")
    assert "failed: praise" in text.splitlines()[0]
    assert "stress test, on dev" in text
    assert not any(word in text for word in ("great", "lovely", "superb"))


def test_a_gate_of_stress_tests_alone_passes_where_they_keep_to_their_bounds(project):
    found, code = asked(project, "{transform: case_change, at_most: 0.5}")
    assert code == 0
    assert found["case_change 2"]["failing"] <= found["case_change 2"]["high"] <= 0.5


def test_what_the_interval_leaves_open_is_undecided_and_a_higher_reliability_asks_for_more(project):
    declare(project, "{transform: praise, at_most: 0.5}")
    line = python.open(project).test().stress[0]
    assert line.low is not None
    middle = round((line.failing + line.low) / 2, 4)
    path = project / "tilth.yaml"
    text = path.read_text()
    path.write_text(text.replace("at_most: 0.5", f"at_most: {middle}"))
    near = tilth("test", "--dir", project, "--json")
    assert json.loads(near.out)["stress"][0]["verdict"] == "undecided"
    assert near.code == 1
    path.write_text(path.read_text() + "\ntests: {reliability: 0.999, undecided: pass}\n")
    far = tilth("test", "--dir", project, "--json")
    assert far.code == 0
    assert json.loads(far.out)["stress"][0]["low"] < line.low


def test_a_stress_test_that_breaks_down_fails_the_gate_and_quotes_no_row(project):
    found, code = asked(project, "{transform: fails, at_most: 0.5}", tests="{undecided: pass}")
    assert code == 1
    assert "secret" not in json.dumps(found)
    unknown = tilth("stress", "--dir", project, "--transform", "nothing")
    assert unknown.code == 2


def test_without_bounds_the_gate_has_nothing_to_ask_of_stress_tests(project):
    declare(project, "typo")
    found = tilth("test", "--dir", project)
    assert found.code == 2
    assert "asks nothing" in found.err
