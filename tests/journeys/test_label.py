"""tilth label, by the command line and by Python: every form of votes, what it writes, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from journey_worlds import done, tilth

import tilth as python

RNG = np.random.default_rng(0)
TRUTH = (RNG.random(240) < 0.4).astype(int)
RIGHT = RNG.random((240, 5)) < (0.9, 0.8, 0.75, 0.7, 0.65)
MATRIX = np.where(RNG.random((240, 5)) < 0.6, np.where(RIGHT, TRUTH[:, None], 1 - TRUTH[:, None]), -1)
NAMES = tuple(f"lf{j}" for j in range(5))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the same votes in every form."""
    folder = tmp_path_factory.mktemp("votes")
    ids = pa.array([f"r{i}" for i in range(240)])
    matrix = pa.table({"row_id": ids} | {name: pa.array(MATRIX[:, j]) for j, name in enumerate(NAMES)})
    np.save(folder / "v.npy", MATRIX)
    np.save(folder / "y.npy", TRUTH)
    pacsv.write_csv(matrix, folder / "v.csv")
    pq.write_table(matrix, folder / "v.parquet")
    pacsv.write_csv(pa.table({"row_id": ids, "truth": TRUTH}), folder / "y.csv")
    wrench = {f"r{i}": {"label": int(TRUTH[i]), "weak_labels": MATRIX[i].tolist(), "data": {}} for i in range(240)}
    (folder / "wrench").mkdir()
    (folder / "wrench" / "train.json").write_text(json.dumps(wrench))
    (folder / "wrench" / "label.json").write_text('{"0": "ham", "1": "spam"}')
    rows, sources = np.nonzero(MATRIX >= 0)
    answers = [f"r{i},lf{j},{MATRIX[i, j]}" for i, j in zip(rows, sources, strict=True)]
    (folder / "long.csv").write_text("\n".join(["row,worker,answer", *answers]))
    return folder


@pytest.mark.parametrize(
    ("votes", "truth"),
    [
        ("v.npy", "y.npy"),
        ("v.csv", "y.csv"),
        ("v.parquet", "y.csv:truth"),
        ("wrench/train.json", None),
        ("long.csv", "y.csv"),
    ],
)
def test_every_form_comes_to_the_same(home: Path, votes: str, truth: str | None) -> None:
    option = () if truth is None else ("--truth", home / truth)
    said = done("label", home / votes, *option, "--json").json
    assert list(said) == ["rows", "covered", "classes", "model", "prior", "labelers", "metrics", "warnings"]
    covered = int((MATRIX >= 0).any(axis=1).sum())
    assert said["covered"] == covered
    assert said["rows"] == (covered if votes == "long.csv" else 240)
    assert said["classes"] == (["ham", "spam"] if "wrench" in votes else ["0", "1"])
    assert len(said["labelers"]) == 5
    reference = python.label(MATRIX, truth=TRUTH).to_dict()
    assert said["metrics"]["accuracy"] == pytest.approx(reference["metrics"]["accuracy"], abs=0.03)
    if votes != "long.csv":  # which does not know of rows without a vote
        assert said["metrics"] == pytest.approx(reference["metrics"])
        assert said["prior"] == pytest.approx(reference["prior"])


@pytest.mark.parametrize("suffix", ["csv", "parquet", "json", "jsonl"])
def test_labels_are_written(home: Path, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "new folder" / f"labels.{suffix}"
    result = done("label", home / "v.csv", "-o", path)
    assert result.out.splitlines()[-1].startswith(f"wrote {path}: 240 rows")
    summary = python.label(str(home / "v.csv"))
    if suffix == "csv":
        rows = pacsv.read_csv(
            path, convert_options=pacsv.ConvertOptions(column_types={"label": pa.string()})
        ).to_pylist()
    elif suffix == "parquet":
        rows = pq.read_table(path).to_pylist()
    else:
        text = path.read_text()
        rows = json.loads(text) if suffix == "json" else [json.loads(line) for line in text.splitlines()]
    assert list(rows[0]) == ["row", "label", "p_0", "p_1"]
    assert [row["row"] for row in rows] == [f"r{i}" for i in range(240)]
    assert [row["p_1"] for row in rows] == pytest.approx(summary.pred_probs[:, 1].tolist())
    assert [row["label"] or None for row in rows] == summary.to_table()["label"].to_pylist()


def test_json_is_the_only_thing_on_stdout(home: Path, tmp_path: Path) -> None:
    result = done("label", home / "v.npy", "--json", "-o", tmp_path / "l.csv")
    assert result.json["metrics"] is None
    assert "reading votes" in result.err


def test_twice_the_same(home: Path) -> None:
    first, second = (done("label", home / "long.csv", "--truth", home / "y.csv").out for _ in range(2))
    assert first == second


def test_the_screen_shows_model_majority_and_labelers(home: Path) -> None:
    screen = done("label", home / "v.csv", "--truth", home / "y.csv").out
    for words in (
        "a matrix of 240 rows and 5 labelers",
        "have a vote",
        "Krippendorff's α",
        "majority",
        "lf0",
        "measured",
    ):
        assert words in screen
    assert "-o labels.csv" in screen
    assert max(map(len, screen.splitlines())) <= 100


def test_a_row_is_explained(home: Path) -> None:
    screen = done("label", home / "v.csv", "--explain", "r0").out
    assert "row r0: " in screen
    assert "without it" in screen
    told = done("label", home / "v.csv", "--explain", "r0", "--json").json["explanation"]
    assert told["row"] == "r0"
    assert len(told["votes"]) == int((MATRIX[0] >= 0).sum())


def test_what_is_read_is_never_overwritten(home: Path) -> None:
    before = (home / "v.csv").read_bytes()
    for arguments in (("v.csv",), ("v.npy", "--truth", f"{home / 'v.csv'}:lf0")):
        result = tilth("label", home / arguments[0], *arguments[1:], "-o", home / "v.csv")
        assert result.code == 2
        assert "never overwritten" in result.err
    assert (home / "v.csv").read_bytes() == before


def test_options_reach_the_reader(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_text("q,who,said,note\n1,a,x,hm\n1,b,y,\n2,a,y,\n2,b,y,\n")
    said = done("label", path, "--columns", "q,who,said", "--classes", "y,x", "--abstain", "none", "--json").json
    assert said["classes"] == ["y", "x"]
    path.write_text("text,a,b\n" + "\n".join(f"text {i},{i % 2},{i // 2 % 2}" for i in range(80)))
    assert tilth("label", path).code == 2
    assert len(done("label", path, "--ignore", "text", "--json").json["labelers"]) == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("missing.csv",), "no such file"),
        (("{home}/v.npy", "--truth", "gold"), "there is no file 'gold'"),
        (("{home}/v.csv", "--truth", "gold"), "no column 'gold'"),
        (("{home}/v.csv", "--model", "majorty"), "Did you mean 'majority'"),
        (("{home}/v.csv", "-o", "labels.xlsx"), "not a format of labels"),
        (("{home}/v.csv", "--explain", "nowhere"), "no row 'nowhere'"),
        (("{home}/y.npy",), "votes are a matrix"),
    ],
)
def test_refusals_say_what_and_what_to_do(home: Path, arguments: tuple[str, ...], says: str) -> None:
    result = tilth("label", *(one.replace("{home}", str(home)) for one in arguments))
    assert result.code == 2
    assert result.out == ""
    assert result.err.strip().splitlines()[-1].startswith("TILTH-E")
    assert says in result.err
    assert "→" in result.err


def test_python_shows_labels_in_a_notebook(home: Path) -> None:
    summary = python.label(str(home / "v.parquet"), truth=str(home / "y.csv"), model="majority")
    assert isinstance(summary, python.LabelSummary)
    page = summary._repr_html_()
    assert page is not None
    assert "<script" not in page
    assert "lf0" in page


def test_batches_by_a_file_of_state(home: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", MATRIX[:100])
    np.save(tmp_path / "b.npy", MATRIX[100:])
    screen = done("label", tmp_path / "a.npy", "--keep", tmp_path / "state").out
    assert screen.splitlines()[-1].startswith(f"kept what was learnt in {tmp_path / 'state'}")
    said = done("label", tmp_path / "b.npy", "--update", tmp_path / "state", "--json").json
    whole = done("label", home / "v.npy", "--json").json
    assert said["rows"] == 140
    assert said["prior"] == pytest.approx(whole["prior"])
    assert [one["accuracy"] for one in said["labelers"]] == pytest.approx(
        [one["accuracy"] for one in whole["labelers"]]
    )
    again = tilth("label", tmp_path / "b.npy", "--update", tmp_path / "state")
    assert again.code == 2
    assert "in the state already" in again.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--multilabel", "--keep", "state"), "--multilabel and --keep do not go together"),
        (("--people", "--update", "state"), "--people and --update do not go together"),
    ],
)
def test_a_state_goes_with_one_class_per_row(home: Path, options: tuple[str, ...], words: str) -> None:
    result = tilth("label", home / "v.npy", *options)
    assert result.code == 2
    assert words in result.err


def test_votes_are_not_overwritten_by_a_state(home: Path) -> None:
    result = tilth("label", home / "v.csv", "--keep", home / "v.csv")
    assert result.code == 2
    assert "never overwritten" in result.err
