"""Readers never wait: what reads a project works while another writes, and where it must choose a model anew, says who holds it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.csv as pacsv
import pytest
from journey_worlds import Done, done, made, reviews, tilth, write_csv

import tilth as python


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has run with another seed than its file names."""
    home = tmp_path_factory.mktemp("seeded")
    folder = made(home / "p", write_csv(home / "reviews.csv", reviews(160)), "--label", "sentiment")
    done("run", "--seed", 7, "--dir", folder)
    return folder


@pytest.fixture
def changed(seeded: Path, tmp_path: Path) -> Path:
    """The project, its file naming another model since."""
    folder = Path(shutil.copytree(seeded, tmp_path / "p"))
    path = folder / "tilth.yaml"
    text = path.read_text(encoding="utf-8").replace("learner: linear", "learner: {name: linear, params: {penalty: 2}}")
    path.write_text(text, encoding="utf-8")
    write_csv(tmp_path / "reviews.csv", reviews(160))
    assert python.open(folder).file.learner.params == {"penalty": 2}
    return folder


@contextmanager
def another_writer(folder: Path) -> Iterator[None]:
    with python.open(folder).repository().lease:
        yield


def readings(folder: Path, out: Path) -> dict[str, Done]:
    new = out / "new.csv"
    pacsv.write_csv(pacsv.read_csv(folder.parent / "reviews.csv").select(["review"]).slice(0, 9), new)
    source = done("log", "--json", "--dir", folder).json["versions"][-1]["version"]
    commands: list[tuple[object, ...]] = [
        ("predict", new, "-o", out / "said.csv"),
        ("diff", source, "latest", "--json"),
        ("report", "-o", out / "report.html"),
        ("show", "--json"),
        ("export", "latest", out / "clean.csv"),
    ]
    return {str(command[0]): tilth(*command, "--dir", folder) for command in commands}


def records(folder: Path) -> int:
    return len(list(python.open(folder).repository().log.records()))


def test_readers_need_no_right_to_write_after_a_run_with_any_seed(seeded: Path, tmp_path: Path) -> None:
    before = records(seeded)
    with another_writer(seeded):
        found = readings(seeded, tmp_path)
    assert {name: (one.code, one.err if one.code else "") for name, one in found.items()} == dict.fromkeys(
        found, (0, "")
    )
    assert records(seeded) == before
    assert len(pacsv.read_csv(tmp_path / "said.csv")) == 9


@pytest.mark.parametrize(
    ("words", "spared"),
    [
        (["log"], {"scipy", "sklearn", "pandas", "lance", "PIL"}),
        (["tag", "first"], {"scipy", "sklearn", "pandas", "lance", "PIL"}),
        (["show"], {"scipy", "sklearn", "PIL"}),
        (["blame", "no-such-row"], {"scipy", "sklearn", "PIL"}),
        (["doctor"], {"scipy", "sklearn", "PIL"}),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_who_looks_back_does_not_wait_for_what_fits_models(words: list[str], spared: set[str], seeded: Path) -> None:
    """pyarrow imports pandas, where it is there, for its data sets, which Lance needs."""
    code = (
        "import sys; from tilth.cli import main; sys.argv = ['tilth', *sys.argv[1:]]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    print(end.code or 0)\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    command = [sys.executable, "-c", code, *words, "--dir", str(seeded)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert set(said[-1].split()) & spared == set()
    assert said[-2] == "2" if words[0] == "blame" else True


def test_the_model_that_was_measured_predicts(seeded: Path, tmp_path: Path) -> None:
    readings(seeded, tmp_path)
    text = (seeded / "tilth.yaml").read_text(encoding="utf-8")
    folder = Path(shutil.copytree(seeded, tmp_path / "p"))
    (folder / "tilth.yaml").write_text(text.replace("seed: 0", "seed: 7"), encoding="utf-8")
    same = done("predict", tmp_path / "new.csv", "-o", tmp_path / "same.csv", "--dir", folder)
    assert same.code == 0
    assert (tmp_path / "same.csv").read_bytes() == (tmp_path / "said.csv").read_bytes()


def test_a_model_that_the_file_names_since_is_chosen_where_nobody_writes(changed: Path, tmp_path: Path) -> None:
    before = records(changed)
    assert {name: one.code for name, one in readings(changed, tmp_path).items()} == dict.fromkeys(
        ("predict", "diff", "report", "show", "export"), 0
    )
    held = records(changed)
    assert held > before
    readings(changed, tmp_path)
    assert records(changed) == held


def test_else_it_says_who_writes(changed: Path, tmp_path: Path) -> None:
    with another_writer(changed):
        found = readings(changed, tmp_path)
    assert {name: one.code for name, one in found.items()} == {
        "predict": 3,
        "diff": 3,
        "report": 3,
        "show": 0,
        "export": 0,
    }
    for name in ("predict", "diff", "report"):
        assert "TILTH-E050 another writer holds this project: this very process, process" in found[name].err
        assert "wait until it has finished" in found[name].err
