"""Killed at any named point of a commit, the store reopens whole, and the same commits give the same versions."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import store_world as world

from tilth.store.maintenance import collect_garbage, examine
from tilth.store.repository import Repository
from tilth.store.version import Version
from tilth.store.write_points import KILL_AT, WRITE_POINTS

SCRIPT = Path(__file__).parent / "store_world.py"
PASSAGES = {
    "lease.before_claim": 1,
    "lease.after_claim": 1,
    "table.before_write": 6,  # the source; two columns; a column, rows dropped, rows added
    "table.before_index": 1,
    "table.after_write": 6,
    "log.before_record": 7,  # a version and a head, three times; a fact
    "log.after_record": 7,
    "evidence.before_put": 6,  # the tables of two edits
    "evidence.after_put": 6,
}
LAST = [f"{point}:{n}" for point, n in PASSAGES.items()]
OTHERS = [f"{point}:{n}" for point, last in PASSAGES.items() for n in range(1, last)]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[Version]:
    return world.commit_all(tmp_path_factory.mktemp("undisturbed"))


def facts(version: Version) -> dict[str, object]:
    """What must not depend on a kill: all but the number that Lance gave."""
    return {name: value for name, value in version.to_dict().items() if name != "table_version"}


def killed_at(folder: Path, point: str) -> None:
    env = os.environ | {KILL_AT: point}
    done = subprocess.run([sys.executable, str(SCRIPT), str(folder)], env=env, check=False, capture_output=True)
    assert (done.returncode, done.stderr) == (-signal.SIGKILL, b"")


def see_it_whole(folder: Path) -> None:
    repository = Repository(folder)
    assert [check for check in examine(repository) if not check.ok] == []
    for version in repository.versions():
        assert repository.dataset(version).read().num_rows == version.rows


def see_it_resumed(folder: Path, undisturbed: list[Version]) -> None:
    assert [facts(version) for version in world.commit_all(folder)] == [facts(version) for version in undisturbed]
    repository = Repository(folder)
    kinds = [record.kind for record in repository.log.records()]
    assert [kind for kind in kinds if kind != "head"] == ["version", "version", "version", "done"]
    assert repository.version("latest").version == undisturbed[-1].version
    see_it_whole(folder)
    collect_garbage(repository)
    assert [version.version for version in repository.versions()] == [version.version for version in undisturbed]
    see_it_whole(folder)


def test_every_point_is_walked_through() -> None:
    assert tuple(PASSAGES) == WRITE_POINTS


@pytest.mark.parametrize("point", LAST)
def test_a_killed_commit_leaves_a_whole_store_and_resumes(
    tmp_path: Path, undisturbed: list[Version], point: str
) -> None:
    killed_at(tmp_path, point)
    see_it_whole(tmp_path)
    see_it_resumed(tmp_path, undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("point", OTHERS)
def test_so_it_does_at_every_earlier_passage(tmp_path: Path, undisturbed: list[Version], point: str) -> None:
    killed_at(tmp_path, point)
    see_it_whole(tmp_path)
    see_it_resumed(tmp_path, undisturbed)
