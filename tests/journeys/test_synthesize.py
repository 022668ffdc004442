"""Made rows through the doors of a project: tried, adopted, logged, blamed, exported, reverted, and gone with their parents."""

from __future__ import annotations

import csv

import numpy as np
import pyarrow.parquet as pq
import pytest
from journey_worlds import done, made, write_csv

from tilth.core.names import PARENTS, ROW_ID
from tilth.loop.project import open_project


def rare(n=500, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.1
    a, b = rng.normal(size=(2, n)) + 1.2 * y
    colour = np.where(rng.random(n) < 0.3 + 0.4 * y, "red", "green").tolist()
    label = np.where(y, "yes", "no").tolist()
    names = [f"p{i}" for i in range(n)]
    return {"pid": names, "a": a.round(4).tolist(), "b": b.round(4).tolist(), "colour": colour, "y": label}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project that has run, and whose best made rows were adopted."""
    home = tmp_path_factory.mktemp("rare")
    folder = made(home / "project", write_csv(home / "rows.csv", rare()), "--label", "y", "--id", "pid")
    run = done("run", "--dir", folder, "--json", "--budget", "30s", "--only", "synthesize").json
    best = max(run["trials"], key=lambda trial: trial["rows"])
    done("adopt", best["edit"], "--dir", folder)
    return folder, run, best


def exported(folder, path):
    done("export", "latest", path, "--dir", folder)
    return {row["row_id"]: row for row in pq.read_table(path).to_pylist()}


def parents_of(folder):
    version = open_project(folder).dataset("latest")
    table = version.read(ROW_ID, PARENTS)
    return {row[ROW_ID]: row[PARENTS] for row in table.to_pylist() if row[PARENTS]}


def test_made_rows_are_tried_against_duplicates_of_their_parents(project):
    _, run, best = project
    assert {trial["verb"] for trial in run["trials"]} == {"synthesize"}
    for trial in run["trials"]:
        low, high = trial["over_placebo_interval"]
        assert low <= trial["gain"] - trial["placebo"] + 1e-9
        assert trial["gain"] - trial["placebo"] <= high + 1e-9
    assert best["placebo"] != 0, "duplicates of rare rows move the decision too"


def test_every_trial_says_how_steep_the_learning_curve_is(project, tmp_path):
    folder, run, _ = project
    slopes = [trial["slopes"] for trial in run["trials"]]
    assert len({slope["before"] for slope in slopes if slope}) == 1, "without made rows there is one curve"
    for slope in slopes:
        for when in ("before", "after"):
            low, high = slope[f"{when}_interval"]
            assert low <= slope[when] <= high
    done("report", "--dir", folder, "-o", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "Learning curve" in page
    assert "the last doubling of train rows brought" in page


def test_they_are_logged_blamed_and_exported(project, tmp_path):
    folder, run, best = project
    log = done("log", "--dir", folder, "--json").out
    assert "synthesize" in log
    assert best["edit"] in log
    rows = exported(folder, tmp_path / "out.parquet")
    fresh = [row for row in rows if row.startswith("m")]
    assert len(fresh) == best["rows"]
    assert {rows[row]["y"] for row in fresh} == {"yes"}
    assert {rows[row]["split"] for row in fresh} == {"train"}
    assert "the row was added" in done("blame", fresh[0], "--dir", folder).out
    assert f"{best['rows']}:" in done("diff", run["version"]["before"], "latest", "--dir", folder).out


def test_a_rerun_of_the_same_proposals_shows_the_record(project):
    folder, _, best = project
    first = done("run", "--dir", folder, "--json", "--budget", "30s", "--only", "synthesize").json
    again = done("run", "--dir", folder, "--json", "--budget", "30s", "--only", "synthesize").json
    assert best["edit"] not in {trial["edit"] for trial in first["trials"]}
    assert again["trials"] == first["trials"]
    assert again["alpha_left"] == first["alpha_left"]


def test_they_go_with_their_parents_when_the_source_loses_one(project, tmp_path):
    folder, _, best = project
    families = parents_of(folder)
    assert len(families) == best["rows"]
    gone = next(iter(families.values()))[0]
    orphans = {row for row, parents in families.items() if gone in parents}
    source = folder.parent / "rows.csv"
    whole = source.read_text()
    with source.open(newline="") as file:
        lines = list(csv.DictReader(file))
    known = exported(folder, tmp_path / "before.parquet")
    with source.open("w", newline="") as file:
        out = csv.DictWriter(file, lines[0])
        out.writeheader()
        out.writerows(line for line in lines if line["pid"] != known[gone]["pid"])
    try:
        done("run", "--dir", folder, "--budget", "10s", "--only", "remove")
        rows = exported(folder, tmp_path / "after.parquet")
    finally:
        source.write_text(whole)
    assert gone not in rows
    assert not orphans & set(rows)
    assert set(families) - orphans <= set(rows)


def test_a_revert_takes_them_away(project, tmp_path):
    folder, _, best = project
    done("revert", best["edit"], "--dir", folder)
    assert not [row for row in exported(folder, tmp_path / "out.parquet") if row.startswith("m")]
