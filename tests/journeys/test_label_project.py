"""tilth label in a project, by the command line: from no labels at all to labels in a file, and what it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from journey_worlds import BAD, GOOD, done, reviews, tilth, write_csv

import tilth as python

FUNCTIONS = f"""\
import tilth

GOOD = {set(GOOD[:5])!r}


@tilth.labeler(columns=["review"])
def praises(row):
    return "pos" if GOOD & set(row.review.split()) else None


@tilth.labeler(columns=["review"])
def breaks(row):
    return "neg" if row.review.index("{BAD[0]}") >= 0 else None
"""
LABELERS = f"""\
python: labelers.py
labelers:
  - {{name: scolds, keyword: {{words: [{", ".join(BAD[:5])}], says: neg}}}}
  - {{name: warm, regex: {{expression: "happy|bright|warm", says: pos}}}}
  - {{name: cool, sql: {{where: "review LIKE '%cold%' OR review LIKE '%dull%'", says: neg}}}}
"""


def project(folder: Path, *, labels: bool = True) -> Path:
    rows = reviews(240)
    source = write_csv(folder / "rows.csv", rows if labels else {"review": rows["review"]})
    option = ("--label", "sentiment") if labels else ("--classes", "neg,pos")
    done("init", source, *option, "--dir", folder / "p")
    path = folder / "p" / "tilth.yaml"
    head = path.read_text(encoding="utf-8").partition("python: null")[0]
    path.write_text(head + LABELERS, encoding="utf-8")
    (folder / "p" / "labelers.py").write_text(FUNCTIONS, encoding="utf-8")
    return folder / "p"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with labels and labelers."""
    return project(tmp_path_factory.mktemp("label"))


def test_the_screen(home: Path) -> None:
    said = " ".join(done("label", "--dir", home, "--next", "--wrong", "praises").out.split())
    assert "Votes against labels of train and pool rows" in said
    assert "labeler breaks failed on" in said and "ValueError: substring not found" in said
    assert "which no model saw" in said, "dev labels measure"
    assert "rows whose label is not what praises says" in said
    assert "Where the next labeler should look" in said and "rows without a vote" in said
    assert "--truth" not in said, "an option for files"


def test_the_object_has_the_keys_of_a_votes_file_and_more(home: Path) -> None:
    told = done("label", "--dir", home, "--next", "--wrong", "praises", "--json").json
    assert {"rows", "covered", "classes", "model", "prior", "labelers", "metrics", "warnings"} <= told.keys()
    assert {"name", "coverage", "accuracy", "interval", "measured", "failures", "wrong"} <= told["labelers"][0].keys()
    assert [one["name"] for one in told["labelers"]] == ["scolds", "warm", "cool", "praises", "breaks"]
    assert told["wrong"]["labeler"] == "praises" and told["wrong"]["rows"][0]["says"] == "pos"
    assert {place["kind"] for place in told["next"]} >= {"no vote"}


def test_labels_are_written_and_explained(home: Path, tmp_path: Path) -> None:
    done("label", "--dir", home, "-o", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows[0].keys() == {"row", "label", "p_neg", "p_pos"}
    assert {row["label"] for row in rows} == {"neg", "pos"}, "rows without a vote are labelled by rows nearby"
    said = done("label", "--dir", home, "--explain", rows[0]["row"]).out
    assert f"row {rows[0]['row']}" in said


def test_python_says_the_same(home: Path) -> None:
    found = python.open(home).label()
    told = done("label", "--dir", home, "--json").json
    assert json.loads(json.dumps(found.summary.to_dict())) == told
    assert "Votes against labels" in found.summary._repr_html_()


def test_from_no_labels_at_all(tmp_path: Path) -> None:
    folder = project(tmp_path, labels=False)
    told = done("label", "--dir", folder, "--json").json
    assert told["metrics"] is None and told["covered"] > 150
    assert told["classes"] == ["neg", "pos"]


def test_refusals(home: Path, tmp_path: Path) -> None:
    for options, says in (
        (("--truth", "x.csv"), "--truth is for a votes file"),
        (("--abstain", "0"), "--abstain is for a votes file"),
        (("--wrong", "prases"), "Did you mean 'praises'"),
        (("--model", "majorty"), "no label model is called 'majorty'. Did you mean 'majority'"),
        (("-o", home / "rows.xlsx"), "not a format of labels"),
    ):
        refused = tilth("label", "--dir", home, *options)
        assert refused.code == 2 and says in refused.err, refused.err
    refused = tilth("label", "--dir", tmp_path)
    assert refused.code == 2 and "tilth label VOTES" in refused.err
    (tmp_path / "v.csv").write_text("a,b\n0,1\n1,1\n")
    assert "need the rows of a project" in tilth("label", tmp_path / "v.csv", "--next").err


def test_no_vote_at_all(tmp_path: Path) -> None:
    folder = project(tmp_path)
    path = folder / "tilth.yaml"
    head = path.read_text(encoding="utf-8").partition("python:")[0]
    path.write_text(f"{head}labelers:\n  - {{keyword: {{words: [neverthere], says: neg}}}}\n", encoding="utf-8")
    refused = tilth("label", "--dir", folder)
    assert refused.code == 2 and "vote" in refused.err
