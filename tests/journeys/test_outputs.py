"""What commands print: the object of `tilth run --json` key by key, the header of questions, and what goes to which stream."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from journey_worlds import done, made, rows_of, tilth

NUMBER, TEXT, COUNT = (int, float), str, int
PAIR = [NUMBER, NUMBER]
SCHEMA: dict[str, Any] = {
    "dataset": {
        "rows": COUNT,
        "source": TEXT,
        "splits": {"train": COUNT, "dev": COUNT, "test": COUNT, "unused": COUNT, "pool": COUNT},
    },
    "task": {"type": TEXT, "label": TEXT, "classes": [TEXT, TEXT], "metric": TEXT},
    "version": {"before": TEXT, "after": TEXT},
    "baseline": {
        "dev": {"value": NUMBER, "interval": PAIR},
        "ceiling": {"value": NUMBER, "interval": PAIR, "method": TEXT},
        "least_detectable_gain": NUMBER,
    },
    "test": {
        "before": NUMBER,
        "before_interval": PAIR,
        "after": NUMBER,
        "after_interval": PAIR,
        "gain": NUMBER,
        "interval": PAIR,
        "corrected_gain": (int, float, type(None)),
        "looks": COUNT,
    },
    "alpha_left": NUMBER,
    "questions": COUNT,
    "seed": COUNT,
    "seconds": NUMBER,
}
FINDING = {"kind": TEXT, "rows": COUNT, "severity": NUMBER, "operator": TEXT}
TRIAL = {
    "edit": TEXT,
    "verb": TEXT,
    "operator": TEXT,
    "rows": COUNT,
    "forecast": NUMBER,
    "gain": NUMBER,
    "interval": PAIR,
    "placebo": NUMBER,
    "p_value": NUMBER,
    "verdict": TEXT,
    "seconds": NUMBER,
}
SLICE = {"name": TEXT, "rows": COUNT, "before": NUMBER, "after": NUMBER, "interval": PAIR}


def check(value: Any, schema: Any, where: str = "") -> None:
    """Fail where a value lacks a key of the schema or holds another type."""
    if isinstance(schema, dict):
        missing = schema.keys() - value.keys()
        assert not missing, f"{where}: no {sorted(missing)}"
        for name, inner in schema.items():
            check(value[name], inner, f"{where}.{name}")
    elif isinstance(schema, list):
        assert len(value) == len(schema), where
        for number, inner in enumerate(schema):
            check(value[number], inner, f"{where}[{number}]")
    else:
        assert isinstance(value, schema), f"{where}: {value!r}"
        assert not isinstance(value, bool), where


@pytest.fixture(scope="module")
def summary(run_project: Path) -> dict[str, Any]:
    found: dict[str, Any] = done("run", "--dir", run_project, "--json").json
    return found


def test_run_json_has_every_key(summary: dict[str, Any]) -> None:
    check(summary, SCHEMA)
    assert summary["findings"]
    assert summary["trials"]
    assert summary["slices"]
    for name, schema in (("findings", FINDING), ("trials", TRIAL), ("slices", SLICE)):
        for one in summary[name]:
            check(one, schema, name)
    assert all(isinstance(warning, str) for warning in summary["warnings"])


def test_run_json_makes_sense(summary: dict[str, Any]) -> None:
    low, high = summary["baseline"]["dev"]["interval"]
    assert low <= summary["baseline"]["dev"]["value"] <= high
    assert {trial["verdict"] for trial in summary["trials"]} <= {"kept", "refused", "undecided"}
    assert {trial["verb"] for trial in summary["trials"]} <= {"add", "synthesize", "remove", "modify", "relabel"}
    assert all(0 <= finding["severity"] <= 1 for finding in summary["findings"])
    assert all(0 < trial["p_value"] <= 1 for trial in summary["trials"])
    assert 0 < summary["alpha_left"] < 0.05


def test_an_unchanged_rerun_spends_nothing(run_project: Path, summary: dict[str, Any]) -> None:
    log = sorted((run_project / ".tilth" / "log").iterdir())
    again = done("run", "--dir", run_project, "--json")
    assert again.json == summary
    assert sorted((run_project / ".tilth" / "log").iterdir()) == log


def test_results_on_stdout_progress_on_stderr(run_project: Path) -> None:
    found = done("find", "--dir", run_project, "--json")
    assert found.json["findings"][0]["flagged"]
    assert re.search(r"\[ *\d+\.\d s\] (read|find)", found.err)
    asked = done("ask", "--top", 3, "--dir", run_project)
    assert len(asked.out.splitlines()) == 4
    assert "read" in asked.err


def test_questions_have_the_header_that_answer_reads(run_project: Path, tmp_path: Path) -> None:
    done("ask", "--top", 5, "-o", tmp_path / "deep" / "q.csv", "--dir", run_project)
    rows = rows_of(tmp_path / "deep" / "q.csv")
    assert list(rows[0]) == ["row_id", "split", "given", "suggestion", "reason", "answer", "review"]
    assert len({row["row_id"] for row in rows}) == 5
    assert {row["answer"] for row in rows} == {""}
    assert all(row["reason"] for row in rows)


@pytest.mark.parametrize(
    "command", [["log"], ["show"], ["find"], ["run"], ["operators"], ["doctor"], ["diff", "latest", "latest"]]
)
def test_reading_commands_print_text_and_json(command: list[str], run_project: Path) -> None:
    where = [] if command == ["operators"] else ["--dir", str(run_project)]
    assert done(*command, *where).out.strip()
    assert done(*command, *where, "--json").json


def test_operators_say_what_they_are() -> None:
    found = done("operators", "detection", "--json").json
    assert {"room", "name", "verb", "summary", "source", "parameters"} <= found[0].keys()
    refused = tilth("operators", "detecton")
    assert refused.code == 2
    assert "Did you mean 'detection'?" in refused.err


def test_every_command_has_help() -> None:
    listing = done("--help").out
    commands = re.findall(r"^  ([a-z]+) {2,}(\S.*)$", listing.split("Commands:")[1], re.MULTILINE)
    assert {"init", "run", "ask", "answer", "adopt", "veto", "find", "report", "predict", "log"} <= {
        c for c, _ in commands
    }
    for command, said in commands:
        page = done(command, "--help").out
        assert said[:20] in page
        bare = [line for line in page.splitlines() if re.match(r"^ +(--?|[A-Z_]+\b)[^ ]*( [A-Z]+)?$", line)]
        assert not bare, f"{command}: no help for {bare}"


def test_tilth_alone_says_what_to_type_next(tmp_path: Path, run_project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert done().out.strip().endswith("Next: tilth init SOURCE --label COLUMN")
    monkeypatch.chdir(run_project)
    assert "tilth run" in done().out.splitlines()[-1]


def test_messages_say_what_to_type_next(run_project: Path, tmp_path: Path) -> None:
    made_now = done("init", run_project.parent / "reviews.csv", "--label", "sentiment", "--dir", tmp_path / "p")
    assert made_now.out.splitlines()[-1] == f"look it over, then: tilth run --dir {tmp_path / 'p'}"
    asked = done("ask", "-o", tmp_path / "q.csv", "--dir", run_project)
    assert f"tilth answer {tmp_path / 'q.csv'}" in asked.out
    empty = done("answer", tmp_path / "q.csv", "--dir", run_project)
    assert "the column `answer`" in empty.out


def test_importing_and_helping_are_light() -> None:
    code = (
        "import sys, tilth\n"
        "from tilth.cli.app import app\n"
        "sys.argv = ['tilth', '--help']\n"
        "try:\n    app()\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'pyarrow', 'lance', 'sklearn', 'scipy', 'pandas'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done_so = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done_so.returncode == 0, done_so.stderr


def test_the_console_script_ends_quietly_when_its_reader_goes(run_project: Path) -> None:
    line = f"{Path(sys.executable).parent / 'tilth'} operators --json | head -1"
    done_so = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True, check=False)
    assert (done_so.returncode, done_so.stderr) == (0, "")


def test_one_off_find_looks_into_every_row(run_project: Path, tmp_path: Path) -> None:
    source = run_project.parent / "reviews.csv"
    found = done("find", source, "--label", "sentiment", "--json").json["findings"]
    errors = next(finding for finding in found if finding["kind"] == "label_error")
    assert len({row["position"] for row in errors["flagged"]}) == errors["rows"]
    assert max(row["position"] for row in errors["flagged"]) > 100
    labels = rows_of(source)
    assert all(labels[row["position"]]["sentiment"] == row["given"] for row in errors["flagged"])
    refused = tilth("find", source)
    assert refused.code == 2
    assert "--label" in refused.err


def test_a_table_named_by_commas_has_given_probabilities(tmp_path: Path) -> None:
    rows = ["x,y,p_a,p_b", *(f"{n % 7}.{n},{'ab'[n % 2]},{0.3 + 0.4 * (n % 3 == 0):.2f},0.5" for n in range(60))]
    (tmp_path / "t.csv").write_text("\n".join(rows), encoding="utf-8")
    found = done("find", tmp_path / "t.csv", "--label", "y", "--pred-probs", "p_a,p_b", "--json")
    assert isinstance(found.json["findings"], list)
    folder = made(tmp_path / "p", tmp_path / "t.csv", "--label", "y", "--pred-probs", "p_a", "--pred-probs", "p_b")
    assert "role: pred_probs" in (folder / "tilth.yaml").read_text(encoding="utf-8")
