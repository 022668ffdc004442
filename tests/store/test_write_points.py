"""Killed at any named point of a commit, the project reopens whole and the next writer goes on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from tilth.store.commit_log import CommitLog
from tilth.store.evidence import EvidenceCache
from tilth.store.lease import Lease
from tilth.store.objects import ObjectStore
from tilth.store.tables import RowTable
from tilth.store.write_points import KILL_AT, WRITE_POINTS, reach

if TYPE_CHECKING:
    from pathlib import Path

KEY = "0123456789abcdef"
TABLE_POINTS = [point for point in WRITE_POINTS if point.startswith("table.")]
OTHER_POINTS = [point for point in WRITE_POINTS if point.split(".")[0] in {"lease", "evidence", "log"}]

COMMIT = """
import sys
import pyarrow as pa
from tilth.store.commit_log import CommitLog
from tilth.store.evidence import EvidenceCache
from tilth.store.lease import Lease
from tilth.store.objects import ObjectStore

store = ObjectStore(sys.argv[1])
with Lease(store, renews=False):
    log = CommitLog(store)
    n = len(log.records())
    EvidenceCache(store).put("0123456789abcdef", pa.table({"n": [n]}))
    log.append("step", {"n": n})
"""
COMMIT_ROWS = """
import sys
import pyarrow as pa
from tilth.store.commit_log import CommitLog
from tilth.store.objects import ObjectStore
from tilth.store.tables import RowTable

store = ObjectStore(sys.argv[1])
log, table = CommitLog(store), RowTable(store.uri("rows.lance"), "id")
last = log.last()
if last is None:
    version = table.create(pa.table({"id": ["a", "b"], "n": [0, 0]}))
else:
    version = table.update(pa.table({"id": ["a", "b"], "n": [1, 1]}), last.body["rows"])
log.append("version", {"rows": version})
"""


def child(code: str, folder: Path, kill_at: str = "") -> int:
    env = os.environ | {KILL_AT: kill_at, "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, "-W", "error", "-c", code, str(folder)], env=env, check=False).returncode


@pytest.fixture(scope="module")
def once_committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("once")
    assert child(COMMIT, folder) == 0
    return folder


@pytest.mark.parametrize("point", OTHER_POINTS)
def test_a_killed_commit_is_there_or_not(tmp_path: Path, once_committed: Path, point: str) -> None:
    shutil.copytree(once_committed, tmp_path, dirs_exist_ok=True)
    assert child(COMMIT, tmp_path, point) == -signal.SIGKILL
    store = ObjectStore(tmp_path)
    n_committed = 2 if point == "log.after_record" else 1
    assert [record.body["n"] for record in CommitLog(store).records()] == list(range(n_committed))
    kept = EvidenceCache(store).get(KEY)
    assert kept is not None
    n_evidence = 1 if point.startswith("log.") or point == "evidence.after_put" else 0
    assert kept["n"].to_pylist() == [n_evidence]
    with Lease(store, renews=False):  # the dead writer holds nobody up
        assert CommitLog(store).append("step", {"n": n_committed}).number == n_committed + 1


@pytest.fixture(scope="module")
def rows_committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("once")
    assert child(COMMIT_ROWS, folder) == 0
    return folder


@pytest.mark.parametrize("point", TABLE_POINTS)
def test_a_killed_table_write_leaves_what_was_committed(tmp_path: Path, rows_committed: Path, point: str) -> None:
    is_creation = point == "table.before_index"  # passed only when a table is created
    if not is_creation:
        shutil.copytree(rows_committed, tmp_path, dirs_exist_ok=True)
    assert child(COMMIT_ROWS, tmp_path, point) == -signal.SIGKILL
    store = ObjectStore(tmp_path)
    log, table = CommitLog(store), RowTable(store.uri("rows.lance"), "id")
    last = log.last()
    if is_creation:
        assert last is None
        version = table.create(pa.table({"id": ["a"], "n": [7]}))
        assert table.read(version)["n"].to_pylist() == [7]
        return
    assert last is not None
    assert table.read(last.body["rows"])["n"].to_pylist() == [0, 0]
    version = table.update(pa.table({"id": ["b"], "n": [7]}), last.body["rows"])
    log.append("version", {"rows": version})
    table.cleanup([last.body["rows"], version])
    assert table.read(last.body["rows"])["n"].to_pylist() == [0, 0]
    assert table.read(version)["n"].to_pylist() == [0, 7]


def test_points_have_one_name_each_and_do_nothing_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(set(WRITE_POINTS)) == len(WRITE_POINTS)
    monkeypatch.delenv(KILL_AT, raising=False)
    for point in WRITE_POINTS:
        reach(point)
    with pytest.raises(AssertionError):
        reach("nowhere")


def test_the_n_th_passage_can_be_named(tmp_path: Path) -> None:
    code = (
        "from tilth.store.write_points import reach\n"
        "for n in range(5): reach('log.before_record'); reach('log.after_record'); open(f'{n}', 'w').close()"
    )
    env = os.environ | {KILL_AT: "log.after_record:3"}
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=tmp_path, check=False)
    assert done.returncode == -signal.SIGKILL
    assert sorted(file.name for file in tmp_path.iterdir()) == ["0", "1"]
