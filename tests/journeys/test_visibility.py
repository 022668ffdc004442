"""Cells of hidden and aggregate columns appear in no output."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from journey_worlds import answered, done, made, people, rows_of, tilth, write_csv

import tilth as python

MARKER = "MARKER"
HIDDEN = {"pid": "hidden", "house": "hidden", "note": "hidden", "grade": "aggregate", "pay": "hidden"}


def marked() -> dict[str, list[object]]:
    """Return a table whose private cells all hold the marker, with faults in them that detectors look for."""
    rng = np.random.default_rng(5)
    table = {name: list(column) for name, column in people(320).items() if name != "part"}
    n = len(table["pid"])
    table["pid"] = [f"{MARKER}id{row}" for row in range(n)]
    table["house"] = [f"{MARKER}house{row // 3}" for row in range(n)]
    table["note"] = [f"{MARKER}note {rng.integers(9)} and words of row {row}" for row in range(n)]
    table["grade"] = [f"{MARKER}grade{rng.integers(2)}" for _ in range(n)]
    table["pay"] = [f"{MARKER}junk" if row % 50 == 7 else f"{rng.normal(50, 9):.1f}" for row in range(n)]
    for name in ("age", "city", "note", "grade", "pay"):
        table[name][3] = table[name][0]  # a copy
    return table


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("private")
    source = write_csv(home / "people.csv", marked())
    folder = made(home / "p", source, "--label", "outcome", "--id", "pid", "--group", "house", "--text", "note")
    path = folder / "tilth.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        for name, visibility in HIDDEN.items():
            if line.startswith(f"  {name}: {{type:"):
                lines[number] = line.split("}", 1)[0] + f", visibility: {visibility}}}"
    text = "\n".join(lines).replace("guards: []", "guards: [grade, note, city]")
    path.write_text(text, encoding="utf-8")
    assert python.open(folder).file.schema.column("grade").visibility == "aggregate"
    done("run", "--dir", folder)
    done("ask", "--top", 6, "-o", folder / "q.csv", "--dir", folder)
    done("answer", answered(folder / "q.csv", lambda row: "yes"), "--dir", folder)
    done("run", "--dir", folder)
    return folder


def test_no_command_shows_a_hidden_cell(private: Path) -> None:
    row = rows_of(private / "q.csv")[0]["row_id"]
    source = done("log", "--json", "--dir", private).json["versions"][-1]["version"]
    commands = [
        ["run"],
        ["run", "--json"],
        ["find"],
        ["find", "--json"],
        ["ask"],
        ["ask", "--split", "test"],
        ["log"],
        ["log", "--json"],
        ["show", "--json"],
        ["diff", source, "latest"],
        ["diff", source, "latest", "--json"],
        ["blame", row],
        ["blame", row, "--json"],
        ["blame", "no-such-row"],
    ]
    for command in commands:
        result = tilth(*command, "--dir", private)
        assert MARKER not in result.out + result.err, command


def test_guards_on_private_columns_are_there_without_their_values(private: Path) -> None:
    summary = done("run", "--json", "--dir", private).json
    names = {one["name"] for one in summary["slices"]}
    assert {"grade = (hidden) 1", "grade = (hidden) 2"} <= names
    assert any(name.startswith("city = ") and "hidden" not in name for name in names)


def test_no_file_holds_a_hidden_cell(private: Path, tmp_path: Path) -> None:
    done("report", "-o", tmp_path / "report.html", "--dir", private)
    done("export", "latest", tmp_path / "clean.csv", "--dir", private)
    done("export", "latest", tmp_path / "clean.parquet", "--dir", private)
    done("predict", private.parent / "people.csv", "-o", tmp_path / "predicted.csv", "--dir", private)
    for path in sorted(tmp_path.iterdir()):
        assert MARKER.encode() not in path.read_bytes(), path.name
    assert MARKER not in (private / "q.csv").read_text(encoding="utf-8")
    names = pq.read_schema(tmp_path / "clean.parquet").names
    assert names == ["row_id", "split", "age", "city", "outcome"]


def test_notebooks_show_no_hidden_cell(private: Path) -> None:
    project = python.open(private)
    row = rows_of(private / "q.csv")[0]["row_id"]
    shown = [project, project.run(), project.blame(row), project.diff("latest", "latest")]
    assert all(one._repr_html_() and MARKER not in one._repr_html_() for one in shown)
    assert MARKER not in repr(project)


def test_a_hidden_label_is_told_by_no_history(tmp_path: Path) -> None:
    folder = made(tmp_path / "p", write_csv(tmp_path / "people.csv", people()), "--label", "outcome", "--id", "pid")
    path = folder / "tilth.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("role: label,", "role: label, visibility: hidden,"), encoding="utf-8")
    done("find", "--dir", folder)
    questions = folder / "q.csv"
    done("ask", "--top", 3, "-o", questions, "--dir", folder)
    done("answer", answered(questions, lambda row: "yes"), "--dir", folder)
    row = rows_of(questions)[0]["row_id"]
    changes = done("blame", row, "--json", "--dir", folder).json["edits"][0]["changes"]
    assert changes["outcome"] == {"old": "(hidden)", "new": "(hidden)"}
    source = done("log", "--json", "--dir", folder).json["versions"][-1]["version"]
    assert done("diff", source, "latest", "--json", "--dir", folder).json["labels_changed"] == []
    done("export", "latest", folder / "clean.csv", "--dir", folder)
    assert {line["new"] for line in rows_of(folder / "clean.changes.csv") if line["column"] == "outcome"} == {
        "(hidden)"
    }
    assert "outcome" not in rows_of(folder / "clean.csv")[0]
