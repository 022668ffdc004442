"""A slice that a run discovered becomes declared by one command: a predicate as a line of tilth.yaml, a region as a file beside it."""

from __future__ import annotations

import csv
import json
import random

import pytest
from journey_worlds import done, made, tilth

from tilth.core.errors import ConfigError, UsageError
from tilth.loop.project import open_project
from tilth.loop.region_files import read_region

WORDS = [f"word{i}" for i in range(30)]


def write_rows(path, n=900, seed=4):
    """Texts of four words with a sentiment; texts about ships, and those of site `b`, have many wrong labels."""
    draw = random.Random(seed)
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["row", "text", "site", "y"])
        for i in range(n):
            good, site, ship = draw.random() < 0.5, draw.choice("aaab"), draw.random() < 0.2
            words = [*draw.sample(WORDS, 3), *(["good", "fine"] if good else ["bad", "poor"])]
            words += ["ship", "harbour", "sail"] if ship else []
            draw.shuffle(words)
            wrong = draw.random() < (0.45 if ship else 0.35 if site == "b" else 0.02)
            out.writerow([f"r{i}", " ".join(words), site, "yes" if good != wrong else "no"])
    return path


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    home = tmp_path_factory.mktemp("declaring")
    folder = made(home / "project", write_rows(home / "rows.csv"), "--label", "y", "--id", "row")
    done("run", "--dir", folder, "--budget", "5s")
    return folder


def test_slices_without_a_file_lists_those_of_the_project(project):
    found = {one["name"]: one for one in done("slices", "--dir", project, "--json").json["slices"]}
    assert found["torso of site"]["rule"] == "site IN ('b')"
    assert found["harbour, sail, ship"]["rule"] == "near harbour, sail, ship"
    assert not any(one["declared"] for one in found.values())
    assert "--declare NAME" in done("slices", "--dir", project).out


def test_what_cannot_be_declared_is_refused_and_changes_nothing(project):
    text = (project / "tilth.yaml").read_text()
    unknown = tilth("slices", "--declare", "torso of sit", "--dir", project)
    assert unknown.code == 2
    assert "Did you mean 'torso of site'" in unknown.err
    assert "discovered" in unknown.err
    with pytest.raises(UsageError, match="a slice needs a name"):
        open_project(project).declare_slice("torso of site", as_=" ")
    for wrong in (["rows.csv", "--declare", "x"], ["--label", "y"], ["--as", "x"], ["rows.csv"]):
        assert tilth("slices", *wrong, "--dir", project).code == 2
    assert (project / "tilth.yaml").read_text() == text


def test_a_predicate_becomes_a_line_and_a_region_a_file(project):
    path = project / "tilth.yaml"
    path.write_text("# mine\n" + path.read_text() + "\n# the end\n")
    before = path.read_text().splitlines()
    said = done("slices", "--declare", "torso of site", "--as", "site b", "--dir", project).out
    assert "declared 'site b' in" in said
    told = open_project(project).declare_slice("harbour, sail, ship")
    assert told.is_declared
    assert "slices/harbour-sail-ship.json" in told.rule
    after = path.read_text().splitlines()
    new = [line for line in after if line not in before]
    assert new[1:] == [
        "  - {name: site b, where: \"site IN ('b')\"}",
        '  - {name: "harbour, sail, ship", region: slices/harbour-sail-ship.json}',
    ]
    assert new[0].startswith("slices:")
    assert "# - {name: NAME, where: SQL}" in new[0]
    assert [line for line in after if line not in new] == [line for line in before if not line.startswith("slices:")]
    region, _ = read_region(project / "slices" / "harbour-sail-ship.json", "here")
    assert region.title == "harbour, sail, ship"
    assert region.features


def test_a_name_that_is_taken_is_refused(project):
    assert "declared already" in tilth("slices", "--declare", "harbour, sail, ship", "--dir", project).err
    found = tilth("slices", "--declare", "length of text is 45 or more", "--as", "site b", "--dir", project)
    assert found.code == 2
    assert "a slice called 'site b' is declared already" in found.err


def test_declared_slices_are_evaluated_guarded_and_named_in_conditions_and_stress_tests(project):
    path = project / "tilth.yaml"
    path.write_text(
        path.read_text() + "tests:\n  conditions:\n    - n[harbour, sail, ship] > 0.1\n    - n[site b] > 0.1\n"
    )
    run = done("run", "--dir", project, "--json", "--budget", "5s").json
    lines = {one["name"]: one for one in run["slices"]}
    assert lines["site b"]["q_value"] is None
    assert "harbour, sail, ship (2)" not in lines
    listed = {one["name"]: one for one in done("slices", "--dir", project, "--json").json["slices"]}
    assert listed["harbour, sail, ship"]["declared"]
    assert listed["site b"]["declared"]
    assert "torso of site" not in listed
    gate = json.loads(tilth("test", "--dir", project, "--json").out)
    assert [one["clauses"][0]["rows"] > 10 for one in gate["conditions"]] == [True, True]
    assert "site b" in done("stress", "--dir", project, "--json").out


def test_a_region_found_with_other_encoders_is_left_out_and_told(project):
    file = project / "slices" / "harbour-sail-ship.json"
    kept = file.read_text()
    features = json.loads(kept)["features"]
    file.write_text(kept.replace(features, "0" * 8))
    try:
        run = done("run", "--dir", project, "--json", "--budget", "5s", "--dry-run").json
        assert any("'harbour, sail, ship' is left out" in said for said in run["warnings"])
        gate = tilth("test", "--dir", project)
        assert gate.code == 2
        assert "says nothing of this version" in gate.err
        file.write_text(kept[:50])
        with pytest.raises(ConfigError, match="holds no region"):
            open_project(project).slices()
    finally:
        file.write_text(kept)


def test_without_its_line_it_is_declared_no_more(project):
    path = project / "tilth.yaml"
    path.write_text("\n".join(line for line in path.read_text().splitlines() if "{name: site b" not in line) + "\n")
    assert "site b" not in {one.name for one in open_project(project).slices()}


def test_the_brief_of_a_slice_says_what_to_gather(project):
    said = done("slices", "--brief", "harbour, sail, ship", "--dir", project).out
    assert "Gather rows like: harbour, sail, ship" in said
    found = done("slices", "--brief", "length of text is 45 or more", "--gain", "0.05", "--dir", project, "--json").json
    assert found["rule"].startswith("where ")
    assert found["wanted"] == 0.05
    assert [one["what"] for one in found["forecasts"]] == ["1.5×", "2×", "4×"]
    assert all(one["gain"]["low"] <= one["gain"]["value"] <= one["gain"]["high"] for one in found["forecasts"])
    assert found["rows"] is None or found["rows"] > 0
    assert found == open_project(project).brief("length of text is 45 or more", gain=0.05).to_dict() | {
        key: found[key] for key in ("points", "forecasts", "sentences")
    }


def test_a_brief_that_cannot_be_given_is_refused(project):
    unknown = tilth("slices", "--brief", "harbour", "--dir", project)
    assert unknown.code == 2
    assert "no slice is called 'harbour'" in unknown.err
    assert tilth("slices", "--gain", "0.1", "--dir", project).code == 2
    assert tilth("slices", "--brief", "a", "--declare", "b", "--dir", project).code == 2
    few = tilth("slices", "--brief", "sail ship, bad harbour", "--dir", project)
    assert few.code == 2
    assert "its learning curve needs 60" in few.err


def test_new_rows_are_told_by_slice_a_region_and_discovered_ones_too(project, tmp_path):
    write_rows(tmp_path / "new.csv", 200, seed=9)
    said = done("predict", tmp_path / "new.csv", "-o", tmp_path / "out.csv", "--dir", project).out
    assert "harbour, sail, ship" in said
    lines = {one.name: one for one in open_project(project).predict(str(tmp_path / "new.csv")).slices}
    assert lines["harbour, sail, ship"].is_declared
    assert lines["harbour, sail, ship"].rows > 0
    assert not lines["length of text is 45 or more"].is_declared


def test_before_any_run_there_is_nothing_to_declare(tmp_path):
    folder = made(tmp_path / "project", write_rows(tmp_path / "rows.csv", 60), "--label", "y", "--id", "row")
    assert "has not run yet" in tilth("slices", "--declare", "x", "--dir", folder).err
    assert "has not run yet" in tilth("slices", "--dir", folder).err
