"""A run that was killed, or stopped by Ctrl-C, leaves a whole store; the same run again comes to the same result."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

from tilth.store.maintenance import examine
from tilth.store.repository import Repository
from tilth.store.write_points import KILL_AT, WRITE_POINTS

TILTH = "from tilth.cli import main; main()"
INTERRUPTIBLE = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); " + TILTH
PASSAGES = {
    "lease.before_claim": [1],
    "lease.after_claim": [1],
    "table.before_write": [1, 2],  # the source, the edit that is kept
    "table.before_index": [1],
    "table.after_write": [1, 2],
    "log.before_record": [1, 2, 5, 12, 15],
    "log.after_record": [1, 2, 3, 4, 5, 6, 8, 11, 12, 13, 14, 15],
    "evidence.before_put": [1, 2, 3, 9],
    "evidence.after_put": [1, 2, 3, 9],
}
POINTS = [f"{point}:{n}" for point, passages in PASSAGES.items() for n in passages]
THREE = ["evidence.after_put:3", "table.after_write:2", "log.after_record:13"]
"""While evidence is computed; when the edit's rows are written and no record names them; between commit and report."""


def plant(path: Path) -> None:
    """Write 730 rows of two classes; in train, half of the labels `yes` are wrongly `no`."""
    rng = np.random.default_rng(0)
    split = np.repeat(["train", "dev", "test"], [120, 600, 10])
    truth = rng.random(730) < 0.5
    near = rng.normal(np.where(truth, 1.5, -1.5))
    noise = rng.normal(size=730)
    wrong = (split == "train") & truth & (rng.random(730) < 0.5)
    columns = {"near": near, "noise": noise, "split": split, "y": np.where(truth ^ wrong, "yes", "no")}
    csv.write_csv(pa.table(columns), path)


def tilth(folder: Path, *arguments: str, kill_at: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", TILTH, *arguments, "--dir", str(folder)]
    env = os.environ | {KILL_AT: kill_at, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def finish(folder: Path) -> None:
    done = tilth(folder, "run", "--json")
    assert done.returncode == 0, done.stderr


def timeless(value: Any) -> Any:
    """Return a JSON value without what no rerun can repeat: seconds, and the numbers of Lance's versions."""
    if isinstance(value, dict):
        return {k: timeless(v) for k, v in value.items() if k not in {"seconds", "table_version"}}
    return [timeless(one) for one in value] if isinstance(value, list) else value


def story(folder: Path) -> list[tuple[str, Any]]:
    """Return the whole log as kinds and facts."""
    repository = Repository(folder / ".tilth")
    return [(record.kind, timeless(dict(record.body))) for record in repository.log.records()]


def see_it_whole(folder: Path) -> None:
    repository = Repository(folder / ".tilth")
    assert [check for check in examine(repository) if not check.ok] == []
    for version in repository.versions():
        assert repository.dataset(version).read().num_rows == version.rows


def see_it_resumed(folder: Path, undisturbed: Path) -> None:
    finish(folder)
    found, expected = story(folder), story(undisturbed)
    assert [kind for kind, _ in found] == [kind for kind, _ in expected]
    assert found == expected
    see_it_whole(folder)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has not run yet."""
    folder = tmp_path_factory.mktemp("project")
    plant(folder / "data.csv")
    done = tilth(folder, "init", str(folder / "data.csv"), "--label", "y", "--split", "split")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def undisturbed(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    shutil.copytree(project, folder, dirs_exist_ok=True)
    finish(folder)
    return folder


def kill_and_resume(project: Path, undisturbed: Path, folder: Path, point: str) -> None:
    shutil.copytree(project, folder, dirs_exist_ok=True)
    killed = tilth(folder, "run", kill_at=point)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert killed.stdout == ""
    see_it_whole(folder)
    see_it_resumed(folder, undisturbed)


def test_the_undisturbed_run_commits_an_edit(undisturbed: Path) -> None:
    kinds = [kind for kind, _ in story(undisturbed)]
    assert kinds.count("version") >= 2
    assert kinds.count("trial") >= 3
    assert kinds[-1] == "run"
    see_it_whole(undisturbed)


def test_a_run_again_writes_nothing_and_says_the_same(undisturbed: Path, tmp_path: Path) -> None:
    shutil.copytree(undisturbed, tmp_path, dirs_exist_ok=True)
    before = story(tmp_path)
    done = tilth(tmp_path, "run", "--json")
    assert story(tmp_path) == before
    assert json.loads(done.stdout)["version"]["after"] == before[-1][1]["after"]


@pytest.mark.parametrize("point", THREE)
def test_a_killed_run_resumes_to_the_same_log(project: Path, undisturbed: Path, tmp_path: Path, point: str) -> None:
    kill_and_resume(project, undisturbed, tmp_path, point)


def test_every_point_is_walked_through() -> None:
    assert tuple(PASSAGES) == WRITE_POINTS
    assert set(THREE) <= set(POINTS)


@pytest.mark.slow
@pytest.mark.parametrize("point", [point for point in POINTS if point not in THREE])
def test_so_it_does_at_every_point(project: Path, undisturbed: Path, tmp_path: Path, point: str) -> None:
    kill_and_resume(project, undisturbed, tmp_path, point)


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_comes_to_the_same(
    project: Path, undisturbed: Path, tmp_path: Path
) -> None:
    shutil.copytree(project, tmp_path, dirs_exist_ok=True)
    for _ in range(
        len(story(undisturbed))
    ):  # each time it commits two records, the second of which it does not survive
        if tilth(tmp_path, "run", kill_at="log.after_record:2").returncode == 0:
            break
        see_it_whole(tmp_path)
    see_it_resumed(tmp_path, undisturbed)


def test_ctrl_c_leaves_a_whole_store_and_a_free_lease(project: Path, undisturbed: Path, tmp_path: Path) -> None:
    shutil.copytree(project, tmp_path, dirs_exist_ok=True)
    command = [sys.executable, "-c", INTERRUPTIBLE, "run", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        for line in child.stderr:  # progress
            if "find" in line:
                break
        child.send_signal(signal.SIGINT)
        said = child.stderr.read()
    assert child.returncode == 130, said
    assert "the next run resumes" in said
    assert "Traceback" not in said
    assert Repository(tmp_path / ".tilth").lease.holder() is None
    see_it_whole(tmp_path)
    see_it_resumed(tmp_path, undisturbed)
