"""Refusals of the repository: each says what happened and what to do next, and nothing that was committed is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
import store_world as world

from tilth.core.apply import apply
from tilth.core.errors import (
    ProjectNotFoundError,
    StoreCorruptError,
    StoreLockedError,
    StoreNotWritableError,
    StoreTooNewError,
    StoreTooOldError,
)
from tilth.store.maintenance import examine
from tilth.store.repository import Repository
from tilth.store.version import Version

FACTS = world.FACTS
SOURCE = world.source()
RELABEL = world.relabel(SOURCE, ["r4", "r7"])
ALL = world.replacing(["r2"], world.rows(["n0", "n1"], start=50))


def test_writing_without_the_lease_is_refused(tmp_path: Path) -> None:
    base, *_ = world.commit_all(tmp_path)
    repository = Repository(tmp_path)
    before = [record.number for record in repository.log.records()], world.folder_bytes(repository)
    for write in (
        lambda: repository.record("look", {}),
        lambda: repository.commit_source(SOURCE, world.SCHEMA, FACTS),
        lambda: repository.commit_edit(base, world.weigh(["r6"])),
        lambda: repository.save_edit(world.weigh(["r6"])),
    ):
        with pytest.raises(StoreLockedError, match="right to write"):
            write()
    assert ([record.number for record in repository.log.records()], world.folder_bytes(repository)) == before


def test_a_lease_lost_on_the_way_stops_the_commit(
    repository: Repository, base: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = repository.table.update

    def slept(cells: pa.Table, base: int | None = None) -> int:
        number = inner(cells, base)
        repository.lease.release()
        return number

    monkeypatch.setattr(repository.table, "update", slept)
    with pytest.raises(StoreLockedError):
        repository.commit_edit(base, RELABEL)
    assert repository.latest == base
    monkeypatch.undo()
    with repository.lease:
        version = repository.commit_edit(base, RELABEL)
        expected = apply(SOURCE, RELABEL)
        assert repository.dataset(version).read(*SOURCE.column_names).to_pylist() == expected.to_pylist()


def test_of_two_writers_one_works_and_the_other_is_told_who(tmp_path: Path) -> None:
    code = (
        "import sys; import store_world as world; from tilth.store.repository import Repository\n"
        "repository = Repository(sys.argv[1], make=True)\n"
        "with repository.lease:\n"
        "    print('mine', flush=True); sys.stdin.readline()\n"
        "    repository.commit_source(world.source(), world.SCHEMA, {})\n"
    )
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdin=pipe, stdout=pipe, env=env) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        child.stdout.readline()
        repository = Repository(tmp_path)
        with pytest.raises(StoreLockedError, match=f"process {child.pid} on"), repository.lease:
            pass
        assert repository.versions() == []  # readers never wait
        child.stdin.write(b"go on\n")
        child.stdin.close()
        assert child.wait() == 0
    assert len(repository.versions()) == 1
    with repository.lease:
        repository.record("look", {})


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    world.commit_all(tmp_path)
    last = max((tmp_path / "log").iterdir())
    body = json.loads(last.read_text())
    last.write_text(json.dumps(body | {"format": 3}))
    for read in (Repository.versions, lambda one: one.latest, lambda one: one.records("tag")):
        with pytest.raises(StoreTooNewError, match="pip install --upgrade"):
            read(Repository(tmp_path))
    repository = Repository(tmp_path)
    with repository.lease, pytest.raises(StoreTooNewError):
        repository.record("look", {})


def test_an_older_format_is_refused_with_what_to_do(tmp_path: Path) -> None:
    world.commit_all(tmp_path)
    last = max((tmp_path / "log").iterdir())
    last.write_text(json.dumps(json.loads(last.read_text()) | {"format": 1}))
    with pytest.raises(StoreTooOldError, match="start anew with tilth init"):
        Repository(tmp_path).versions()


def test_a_folder_without_a_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectNotFoundError):
        Repository(tmp_path / "none")


def damage_nothing_else(repository: Repository, file: str, data: bytes | None) -> None:
    path = Path(repository.objects.root) / file
    path.unlink()
    if data is not None:
        path.write_bytes(data)


@pytest.mark.parametrize("file", ["0.arrows", "edit.json"])
@pytest.mark.parametrize("data", [b"", b"{}", b"not what it was" * 20])
def test_a_damaged_edit_is_named_and_mended_by_committing_again(
    repository: Repository, base: Version, file: str, data: bytes
) -> None:
    edit = RELABEL
    version = repository.commit_edit(base, edit)
    damage_nothing_else(repository, f"edits/{edit.edit_id}/{file}", data)
    with pytest.raises(StoreCorruptError, match=edit.edit_id):
        repository.recipe(version)
    assert repository.dataset(version).read().num_rows == 20
    repository.save_edit(edit)
    assert repository.recipe(version).edits[0].edit_id == edit.edit_id


def test_a_lost_table_of_an_edit_is_named(repository: Repository, base: Version) -> None:
    edit = RELABEL
    repository.commit_edit(base, edit)
    damage_nothing_else(repository, f"edits/{edit.edit_id}/1.arrows", None)
    with pytest.raises(StoreCorruptError, match=f"edit {edit.edit_id} has lost its table 1"):
        repository.edit(edit.edit_id)


def test_another_edit_under_the_name_is_noticed(repository: Repository, base: Version) -> None:
    one, other = world.weigh(["r3", "r19"]), world.weigh(["r6"])
    repository.commit_edit(base, one)
    repository.save_edit(other)
    folder = Path(repository.objects.root) / "edits"
    data = (folder / other.edit_id / "0.arrows").read_bytes()
    damage_nothing_else(repository, f"edits/{one.edit_id}/0.arrows", data)
    with pytest.raises(StoreCorruptError, match="is not what was kept"):
        repository.edit(one.edit_id)


def test_a_head_of_which_the_log_says_nothing_is_corrupt(repository: Repository, base: Version) -> None:
    repository.record("head", {"version": "v-nothing"})
    with pytest.raises(StoreCorruptError, match="v-nothing"):
        _ = repository.latest


def test_a_read_only_folder_is_read_and_not_written(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    versions = world.commit_all(folder)
    paths = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    for path in paths:
        path.chmod(0o555)
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(path.stat().st_mode | 0o011)
    try:
        with world.as_nobody():
            repository = Repository(folder)
            with pytest.raises(StoreNotWritableError, match="read-only"), repository.lease:
                pass
            assert repository.versions() == versions
            assert repository.dataset(versions[-1]).read().num_rows == versions[-1].rows
    finally:
        for path in paths:
            path.chmod(0o755)


def test_on_a_full_disk_what_was_committed_is_whole_and_the_rest_comes_later(tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(full)]
    if subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.skip("may not mount a small disk here")
    try:
        repository = Repository(full / "store", make=True)
        with repository.lease:
            base = repository.commit_source(SOURCE, world.SCHEMA, FACTS)
            filler = full / "filler"
            with pytest.raises(OSError, match="No space"):
                filler.write_bytes(b"x" * 2_000_000)
            with pytest.raises(StoreNotWritableError, match="disk is full"):
                repository.commit_edit(base, ALL)
            assert Repository(full / "store").latest == base
            assert all(check.ok for check in examine(Repository(full / "store")))
            filler.unlink()
            version = repository.commit_edit(base, ALL)
        expected = apply(SOURCE, ALL)
        assert repository.dataset(version).read(*SOURCE.column_names).to_pylist() == expected.to_pylist()
        assert all(check.ok for check in examine(repository))
    finally:
        subprocess.run(["umount", str(full)], check=True)


def test_nothing_is_said_on_stderr(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if name != "LANCE_LOG"}
    script = Path(__file__).parent / "store_world.py"
    done = subprocess.run([sys.executable, str(script), str(tmp_path)], env=env, capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")
