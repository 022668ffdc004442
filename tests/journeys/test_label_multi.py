"""tilth label --multilabel, by the command line and by Python: every form of votes, what it writes, what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from journey_worlds import done, tilth

import tilth as python

RNG = np.random.default_rng(1)
NAMES = np.array(["joy", "love", "fear"])
TRUTH = RNG.random((100, 3)) < (0.5, 0.3, 0.2)
SAID = [TRUTH ^ (RNG.random(TRUTH.shape) < rate) for rate in (0.05, 0.15, 0.2, 0.25)]
IDS = [f"r{i}" for i in range(100)]


def cells(flags, sign="|"):
    return [sign.join(NAMES[row]) or sign for row in flags]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the same votes in every form."""
    folder = tmp_path_factory.mktemp("multi")
    people = {f"ann{j}": pa.array(cells(said)) for j, said in enumerate(SAID)}
    pacsv.write_csv(pa.table({"row_id": IDS, **people}), folder / "cells.csv")
    other = {f"ann{j}": pa.array(cells(said, ";")) for j, said in enumerate(SAID)}
    pacsv.write_csv(pa.table({"row_id": IDS, **other}), folder / "semicolons.csv")
    lines = [
        f"{row},ann{j},{name}"
        for j, said in enumerate(SAID)
        for row, own in zip(IDS, said, strict=True)
        for name in (NAMES[own].tolist() or ["|"])
    ]
    (folder / "long.csv").write_text("\n".join(["row,worker,answer", *lines]))
    flags = {
        f"ann{j}|{name}": pa.array(said[:, c].astype(int))
        for j, said in enumerate(SAID)
        for c, name in enumerate(NAMES)
    }
    pacsv.write_csv(pa.table({"row_id": IDS, **flags}), folder / "flags.csv")
    np.save(folder / "block.npy", np.stack(SAID, axis=1).astype(int))
    pacsv.write_csv(pa.table({"row_id": IDS, "truth": cells(TRUTH)}), folder / "y.csv")
    np.save(folder / "y.npy", TRUTH.astype(int))
    return folder


@pytest.fixture(scope="module")
def reference(home: Path) -> dict[str, object]:
    """What the cells come to, by Python."""
    truth = TRUTH.astype(int)
    return python.label(str(home / "cells.csv"), truth=truth, classes=NAMES.tolist(), multilabel=True).to_dict()


@pytest.mark.parametrize(
    ("votes", "truth"),
    [("cells.csv", "y.csv"), ("long.csv", "y.csv"), ("flags.csv", "y.csv:truth"), ("block.npy", "y.npy")],
)
def test_every_form_comes_to_the_same(home: Path, reference: dict[str, object], votes: str, truth: str) -> None:
    options = ("--classes", ",".join(NAMES), "--multilabel", "--truth", home / truth, "--json")
    said = done("label", home / votes, *options).json
    assert list(said)[:7] == ["rows", "covered", "classes", "model", "prior", "labelers", "metrics"]
    assert list(said)[7:] == ["per_class", "warnings"]
    assert (said["rows"], said["covered"], said["classes"]) == (100, 100, NAMES.tolist())
    assert said["metrics"] == pytest.approx(reference["metrics"])
    assert said["prior"] == pytest.approx(reference["prior"])
    for one, other in zip(said["per_class"], reference["per_class"], strict=True):
        assert one["metrics"] == pytest.approx(other["metrics"])
        assert len(one["labelers"]) == 4
    assert said["metrics"]["subset_accuracy"] > 0.7


def test_labels_are_written(home: Path, tmp_path: Path) -> None:
    result = done("label", home / "cells.csv", "--multilabel", "-o", tmp_path / "l.csv", "--explain", "r0")
    assert result.out.splitlines()[-1].startswith(f"wrote {tmp_path / 'l.csv'}: 100 rows")
    assert "row r0: " in result.out
    rows = pacsv.read_csv(tmp_path / "l.csv").to_pylist()
    assert list(rows[0]) == ["row", "label", "p_fear", "p_joy", "p_love"]
    for row in rows:
        named = [name for name in ("fear", "joy", "love") if row[f"p_{name}"] >= 0.5]
        assert row["label"] == "|".join(named)
    assert any(row["label"] == "" for row in rows)


def test_the_screen(home: Path) -> None:
    screen = done("label", home / "cells.csv", "--multilabel", "--truth", home / "y.csv").out
    for words in ("a question of yes and no", "whole set right", "majority", "says no to", "measured"):
        assert words in screen
    assert max(map(len, screen.splitlines())) <= 100


def test_a_notebook_shows_it(home: Path) -> None:
    shown = python.label(str(home / "cells.csv"), truth=str(home / "y.csv"), multilabel=True)._repr_html_()
    assert "ann0" in shown
    assert "<script" not in shown


def test_another_separator(home: Path) -> None:
    said = done("label", home / "semicolons.csv", "--multilabel", "--separator", ";", "--json").json
    assert said["classes"] == ["fear", "joy", "love"]
    result = tilth("label", home / "semicolons.csv", "--multilabel")
    assert result.code == 2
    assert "--separator ';'" in result.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("cells.csv", "--separator", ";"), "add --multilabel"),
        (("cells.csv", "--multilabel", "--people"), "--people and --multilabel"),
        (("cells.csv", "--multilabel", "--model", "nonesuch"), "no label model is called 'nonesuch'"),
        (("cells.csv", "--multilabel", "--classes", "joy,love"), "fear"),
        (("cells.csv", "--multilabel", "--separator", ""), "empty separator"),
    ],
)
def test_what_is_refused(home: Path, arguments: tuple[str, ...], words: str) -> None:
    result = tilth("label", home / arguments[0], *arguments[1:])
    assert result.code == 2
    assert words in result.err


def test_a_project_has_one_class_per_row() -> None:
    result = tilth("label", "--multilabel")
    assert result.code == 2
    assert "--multilabel is for a votes file" in result.err
