"""Bad input is refused with what, where and what to do, by the right exit status; the store stays as it was."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from journey_worlds import answered, contents, done, made, people, reviews, rows_of, tilth, write_csv

import tilth as python

COUNTED = "\n".join(f"{row * 0.7:.1f},{'ab'[row % 2]}" for row in range(40))


def refused(*args: object, says: tuple[str, ...], code: int = 2) -> str:
    """Run a command that must be refused; its message holds a code, what it says, and what to do."""
    result = tilth(*args)
    assert result.code == code, result.err
    message = result.err.strip().splitlines()[-1]
    assert message.startswith("TILTH-E"), result.err
    assert "→" in message
    for words in says:
        assert words in message
    return message


SOURCES = {
    "missing.csv": (None, ("no such file",)),
    "empty.csv": ("", ("empty", "empty.csv")),
    "header.csv": ("x,y\n", ("no rows", "header.csv")),
    "ragged.csv": ("x,y\n1,a\n1,b,3\n4\n", ("2 cells expected", "line 3 has 3", "line 4 has 1")),
    "one.csv": ("x,y\n" + COUNTED.replace(",b", ",a"), ("only one class", "'a'", "column 'y'")),
    "latin.csv": ("x,y\nmüde,a\nfroh,b\n", ("line 2 is not utf-8", "0xfc", "iconv -f cp1252")),
    "other.csv": ("x,why\n" + COUNTED, ("no column 'y'", "x, why")),
    "near.csv": ("x,yy\n" + COUNTED, ("no column 'y'",)),
    "open.csv": ('x,y\n1,a\n2,"b\n3,a\n', ("never closed", "line 3")),
    "twice.csv": ("y,y\na,b\n", ("two columns are called 'y'",)),
    "free.csv": ("x,y\n" + "\n".join(f"{row},text {row} of its own" for row in range(40)), ("too many for classes",)),
    "nan.csv": (
        "x,y\n"
        + "\n".join(f"{row * 0.7:.1f},{'inf' if row == 5 else 'nan' if row == 7 else row * 0.31}" for row in range(60)),
        ("2 labels are NaN or infinite", "rows 6, 8", "column 'y'"),
    ),
}


@pytest.mark.parametrize("name", SOURCES)
def test_sources_that_cannot_be_learnt_from(name: str, tmp_path: Path) -> None:
    text, says = SOURCES[name]
    if text is not None:
        (tmp_path / name).write_bytes(text.encode("latin-1"))
    refused("init", tmp_path / name, "--label", "y", "--dir", tmp_path / "p", says=says)
    assert not (tmp_path / "p").exists()


def test_a_label_that_is_nearly_named(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "reviews.csv", reviews(40))
    refused("init", source, "--label", "sentimnt", says=("Did you mean 'sentiment'?", "review, sentiment"))
    refused("init", source, says=("no label column", "--label COLUMN"))


def test_duplicate_ids(tmp_path: Path) -> None:
    table = people(40)
    table["pid"][7] = table["pid"][3]
    source = write_csv(tmp_path / "people.csv", table)
    says = ("column 'pid'", "'p0003'", "rows 4, 8", "leave out --id")
    refused("init", source, "--label", "outcome", "--id", "pid", "--dir", tmp_path / "p", says=says)
    assert not (tmp_path / "p").exists()


def test_mixed_types_are_read_as_missing_with_a_warning(tmp_path: Path) -> None:
    table = people(120)
    table["age"] = ["about 40" if row % 40 == 9 else str(age) for row, age in enumerate(table["age"])]
    folder = made(tmp_path / "p", write_csv(tmp_path / "people.csv", table), "--label", "outcome", "--id", "pid")
    warnings = done("run", "--dry-run", "--json", "--dir", folder).json["warnings"]
    said = next(warning for warning in warnings if "'age'" in warning)
    assert "3 of 120 cells are no number" in said
    assert "'about 40' in row p0009" in said


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("seed: 0", "seeed: 0", ("unknown key 'seeed'", "Did you mean 'seed'?", "line 25")),
        ("seed: 0", "seed: soon", ("seed cannot be 'soon'", "line 25", "whole number")),
        ("type: text", "type: txt", ("'txt'", "Did you mean 'text'?", "line 15")),
        ("guards: []", "guards: [sex]", ("no column 'sex'", "line 27")),
        ("learner: linear", "learner: lineer", ("'lineer'", "Did you mean 'linear'?")),
        ("columns:", "columns: [", ("YAML", "line")),
    ],
)
def test_a_project_file_that_says_something_impossible(
    old: str, new: str, says: tuple[str, ...], tmp_path: Path
) -> None:
    folder = made(tmp_path / "p", write_csv(tmp_path / "reviews.csv", reviews(60)), "--label", "sentiment")
    path = folder / "tilth.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    refused("run", "--dir", folder, says=says)
    path.write_bytes(b"\xff\xfe\x00")
    refused("run", "--dir", folder, says=("not UTF-8",))


# -- a project that has run ---------------------------------------------------------------------------------------------


@pytest.fixture
def project(run_project: Path, tmp_path: Path) -> Path:
    """A copy of a project that has run, with its source."""
    shutil.copytree(run_project.parent, tmp_path / "home", ignore=shutil.ignore_patterns("lease"))
    return tmp_path / "home" / "project"


def test_a_project_that_has_not_run_is_told_to_run_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("x,y\n" + COUNTED)
    done("init", tmp_path / "data.csv", "--label", "y", "--dir", tmp_path / "mine")
    refused("curve", "--dir", tmp_path / "mine", says=("has not run yet", f"tilth run --dir {tmp_path / 'mine'}"))


def test_what_is_not_there_is_named(project: Path, tmp_path: Path) -> None:
    before = contents(project)
    (tmp_path / "none").mkdir()
    refused("log", "--dir", tmp_path / "none", says=("no tilth.yaml here", "tilth init"))
    refused("export", "v-nope", tmp_path / "x.csv", "--dir", project, says=("no version or tag 'v-nope'", "tilth log"))
    refused("export", "latest", tmp_path / "x.json", "--dir", project, says=("'.json'", ".parquet"))
    refused("blame", "nobody", "--dir", project, says=("no row 'nobody'",))
    for command in ("adopt", "veto", "revert"):
        refused(command, "e-0", "--dir", project, says=("no edit 'e-0'", "tilth log"))
    refused("tag", "latest", "--dir", project, says=("'latest'",))
    refused("ask", "--split", "tset", "--dir", project, says=("Did you mean 'test'?",))
    refused("run", "--only", "relable", "--dir", project, says=("Did you mean 'relabel'?",))
    refused("run", "--budget", "soon", "--dir", project, says=("budget 'soon'", "10m"))
    assert contents(project) == before


def test_results_never_overwrite_the_project(project: Path) -> None:
    source = project.parent / "reviews.csv"
    kept = source.read_bytes()
    refused("export", "latest", source, "--dir", project, says=("part of the source",))
    refused("ask", "-o", source, "--dir", project, says=("part of the source",))
    refused("predict", source, "-o", source, "--dir", project, says=("part of the source",))
    refused("report", "-o", project / "tilth.yaml", "--dir", project, says=("the project's file",))
    refused("export", "latest", project / ".tilth" / "x.csv", "--dir", project, says=("inside the project's store",))
    refused("ask", "-o", project, "--dir", project, says=("is a folder",))
    refused("init", source, "--label", "sentiment", "--dir", project, says=("tilth.yaml already", "--dir"))
    refused("init", source, "--label", "sentiment", "--dir", source, says=("a file is where a folder is needed",))
    assert source.read_bytes() == kept


def test_answers_that_cannot_be_meant(project: Path, tmp_path: Path) -> None:
    done("ask", "--top", 2, "-o", tmp_path / "q.csv", "--dir", project)
    row = rows_of(tmp_path / "q.csv")[0]["row_id"]
    before = contents(project)
    cases = {
        "row_id,answer\nstranger,pos\n": ("unknown rows", "stranger", "row_id"),
        f"row_id,answer\n{row},positive\n": ("'positive' is not a class", row, "neg, pos"),
        f"row,answer\n{row},pos\n": ("no column 'row_id'", "header"),
        f"row_id,answer\n{row},pos\n{row},neg\n": ("two different answers", row),
    }
    for text, says in cases.items():
        (tmp_path / "a.csv").write_text(text, encoding="utf-8")
        refused("answer", tmp_path / "a.csv", "--dir", project, says=says)
    refused("answer", tmp_path / "none.csv", "--dir", project, says=("none.csv", "tilth ask"))
    assert contents(project) == before


def test_new_data_that_lacks_a_column(project: Path, tmp_path: Path) -> None:
    new = write_csv(tmp_path / "new.csv", {"reviews": ["a fine day"]})
    says = ("lacks 'review'", "Did you mean 'reviews'?", "bring the column")
    refused("predict", new, "-o", tmp_path / "out.csv", "--dir", project, says=says)
    refused("predict", new, "-o", tmp_path / "out.txt", "--dir", project, says=("'.txt'", ".csv"))
    refused("predict", tmp_path / "gone.csv", "-o", tmp_path / "out.csv", "--dir", project, says=("no such file",))
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(("gone", "says"), [("review", "no longer has review"), ("sentiment", "'sentiment'")])
def test_a_source_that_lost_a_column(gone: str, says: str, project: Path) -> None:
    source = project.parent / "reviews.csv"
    lines = rows_of(source)
    write_csv(
        source,
        {name: [line[name] for line in lines] for name in lines[0] if name != gone} | {"spare": ["x"] * len(lines)},
    )
    before = contents(project)
    for command in ("run", "ask", "find"):
        refused(command, "--dir", project, says=(says, "tilth.yaml"))
    assert contents(project) == before


def test_commands_that_need_a_run_say_so(tmp_path: Path) -> None:
    folder = made(tmp_path / "p", write_csv(tmp_path / "reviews.csv", reviews(60)), "--label", "sentiment")
    for command in (["log"], ["show"], ["report"], ["gc"], ["doctor"], ["tag", "a"], ["adopt", "e-1"]):
        refused(*command, "--dir", folder, says=("not run yet", "→ tilth run"))
    refused("predict", tmp_path / "reviews.csv", "-o", tmp_path / "o.csv", "--dir", folder, says=("tilth run",))
    assert not (folder / ".tilth").exists()


# -- the machine ---------------------------------------------------------------------------------------------------------


def test_a_store_of_a_newer_version(project: Path) -> None:
    newest = max((project / ".tilth" / "log").glob("*.json"))
    record = json.loads(newest.read_text())
    newest.write_text(json.dumps(record | {"format": record["format"] + 1}))
    before = contents(project)
    for command in (["run"], ["log"], ["export", "latest", project / "x.csv"]):
        refused(*command, "--dir", project, code=3, says=("reads up to", "pip install --upgrade tilth"))
    assert contents(project) == before


def test_two_writers_one_works_and_the_other_is_told_who(project: Path) -> None:
    before = contents(project)
    code = "import sys, tilth\nwith tilth.open(sys.argv[1]).repository().lease:\n print('held', flush=True)\n input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(project)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        refused("run", "--dir", project, code=3, says=(f"process {holder.pid}",))
        assert done("log", "--dir", project).out
        assert done("export", "latest", project / "x.csv", "--dir", project).out
        assert done("report", "--dir", project).out
        holder.communicate("\n")
    assert contents(project) == before
    done("run", "--dir", project)


@pytest.fixture
def nobody() -> Iterator[Path]:
    """A folder that a user without rights may read and not write; tests that run as root become that user."""
    if os.name != "posix":
        pytest.skip("needs users and rights")
    with tempfile.TemporaryDirectory(prefix="tilth-") as name:
        home = Path(name)
        home.chmod(0o755)
        is_root = os.geteuid() == 0

        yield home
        if is_root:
            os.seteuid(0)
        for path in home.rglob("*"):
            path.chmod(0o755)


def lock(home: Path) -> None:
    """Take away every right to write below a folder, also from root."""
    for path in home.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    home.chmod(0o555)
    if os.geteuid() == 0:
        os.seteuid(65534)


def test_a_read_only_folder_can_be_read(run_project: Path, nobody: Path, tmp_path: Path) -> None:
    shutil.copytree(run_project.parent, nobody / "home", ignore=shutil.ignore_patterns("lease"))
    folder = nobody / "home" / "project"
    source = nobody / "home" / "reviews.csv"
    lock(nobody)
    refused("run", "--dir", folder, code=3, says=("read-only",))
    refused("init", source, "--label", "sentiment", "--dir", nobody / "new", code=3, says=("read-only", "--dir"))
    refused("export", "latest", folder / "x.csv", "--dir", folder, code=3, says=("read-only",))
    assert done("log", "--dir", folder).out
    assert done("show", "--dir", folder).out
    assert python.open(folder).predict(str(source)).table.num_rows == 240


def test_an_unexpected_failure_is_a_sentence_and_a_file(run_project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*args: object, **kwargs: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("tilth.loop.reports.log_lines", breaks)
    result = tilth("log", "--dir", run_project)
    assert result.code == 3
    assert "tilth itself failed: RuntimeError: a bug" in result.err
    path = Path(result.err.split("[", 1)[1].split("]", 1)[0])
    assert "RuntimeError" in path.read_text(encoding="utf-8")
    path.unlink()


def test_ctrl_c_ends_with_a_sentence(run_project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stops(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tilth.loop.project.Project.run", stops)
    result = tilth("run", "--dir", run_project)
    assert result.code == 130
    assert "the next run resumes" in result.err


def test_the_same_answers_are_taken_once(project: Path, tmp_path: Path) -> None:
    done("ask", "--top", 3, "-o", tmp_path / "q.csv", "--dir", project)
    filled = answered(tmp_path / "q.csv", lambda row: "pos")
    first = done("answer", filled, "--dir", project, "--json").json
    second = done("answer", filled, "--dir", project, "--json").json
    assert (first["answers"], second["answers"], second["skipped"]) == (3, 0, 3)
    assert second["version"] == first["version"]


USAGE = textwrap.dedent(
    """
    frobnicate
    ask --top 0
    run --seed x
    predict table.csv
    """
).split("\n")[1:-1]


@pytest.mark.parametrize("line", USAGE)
def test_wrong_usage_is_exit_2(line: str) -> None:
    result = tilth(*line.split())
    assert result.code == 2
    assert "Error" in result.err
