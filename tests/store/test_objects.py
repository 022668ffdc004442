"""Bytes under names: whole writes, free names, refusals that say what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from obstore.exceptions import GenericError

from tilth.core.errors import ConfigError, MachineError, ProjectNotFoundError, StoreNotWritableError
from tilth.store.objects import ObjectExistsError, ObjectStore, StoredObject, machine_error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path / "store")


@contextmanager
def as_nobody() -> Iterator[None]:
    """Drop root's right to write everywhere, where the tests run as root."""
    if not hasattr(os, "seteuid"):
        pytest.skip("needs POSIX permissions")
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(was)


def test_what_is_put_is_got(store: ObjectStore) -> None:
    store.put("a/b.bin", b"one")
    store.put("a/b.bin", b"two")
    assert store.get("a/b.bin") == b"two"
    assert store.exists("a/b.bin")
    assert not store.exists("a/c.bin")


def test_pieces_are_joined(store: ObjectStore) -> None:
    store.put("pieces", [b"one", memoryview(b"two")])
    assert store.get("pieces") == b"onetwo"
    assert store.buffer("pieces").to_pybytes() == b"onetwo"


def test_create_takes_a_free_name_only(store: ObjectStore) -> None:
    store.create("a", b"first")
    with pytest.raises(ObjectExistsError):
        store.create("a", b"second")
    assert store.get("a") == b"first"


def test_a_missing_object_is_a_missing_file(store: ObjectStore) -> None:
    for read in (store.get, store.buffer, lambda name: store.get_many([name])):
        with pytest.raises(FileNotFoundError):
            read("none")


def test_entries_come_by_name_below_the_prefix(store: ObjectStore) -> None:
    for name in ("log/3", "log/1", "log/2", "logs/9", "x"):
        store.put(name, b"ab")
    assert store.entries("log") == [StoredObject(f"log/{i}", 2) for i in (1, 2, 3)]
    assert [one.path for one in store.entries("log", after="log/1")] == ["log/2", "log/3"]
    assert [one.path for one in store.entries()] == ["log/1", "log/2", "log/3", "logs/9", "x"]
    assert store.entries("nothing") == []


def test_get_many_keeps_the_asked_order(store: ObjectStore) -> None:
    for name in "abc":
        store.put(name, name.encode())
    assert store.get_many(["c", "a", "b"]) == [b"c", b"a", b"b"]


def test_delete_is_idempotent(store: ObjectStore) -> None:
    store.put("a", b"")
    store.delete("a")
    store.delete("a")
    assert not store.exists("a")


def test_staged_files_of_a_killed_writer_are_unseen_and_swept(store: ObjectStore) -> None:
    store.put("a", b"whole")
    assert store.folder is not None
    (store.folder / "a#1").write_bytes(b"half")
    assert [one.path for one in store.entries()] == ["a"]
    assert store.sweep() == 4
    assert not (store.folder / "a#1").exists()
    assert store.get("a") == b"whole"


def test_a_file_url_is_a_folder(tmp_path: Path) -> None:
    ObjectStore((tmp_path / "a b").as_uri()).put("x", b"1")
    assert (tmp_path / "a b" / "x").read_bytes() == b"1"


def test_opening_without_making_refuses_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ProjectNotFoundError, match="tilth init"):
        ObjectStore(tmp_path / "none", make=False)
    assert not (tmp_path / "none").exists()


def test_addresses_for_lance(tmp_path: Path) -> None:
    assert ObjectStore(tmp_path).uri("rows/a.lance") == str(tmp_path / "rows" / "a.lance")
    options = {"aws_region": "us-east-1", "allow_http": "true"}
    assert ObjectStore("s3://bucket/p/", options).uri("rows.lance") == "s3://bucket/p/rows.lance"


@pytest.mark.parametrize(("url", "options"), [("s3://bucket", {"bogus": "1"}), ("nonsense://x", {})])
def test_an_unknown_address_or_option_is_refused(url: str, options: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="not understood"):
        ObjectStore(url, options)


def test_a_read_only_folder_is_refused_and_stays_readable(store: ObjectStore) -> None:
    store.put("a", b"1")
    assert store.folder is not None
    store.folder.chmod(0o555)
    try:
        with as_nobody():
            for write in (store.put, store.create):
                with pytest.raises(StoreNotWritableError, match="read-only") as refusal:
                    write("b", b"2")
                assert str(store.folder) in refusal.value.where
                assert "--dir" in refusal.value.next_step
        assert store.get("a") == b"1"
    finally:
        store.folder.chmod(0o755)
    assert [one.path for one in store.entries()] == ["a"]


def test_a_full_disk_is_refused_and_leaves_no_trace(tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(full)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("may not mount a small disk here")
    try:
        store = ObjectStore(full)
        store.put("a", b"1")
        with pytest.raises(StoreNotWritableError, match="disk is full"):
            store.put("b", b"x" * 200_000)
        assert [one.path for one in store.entries()] == ["a"]
    finally:
        subprocess.run(["umount", str(full)], check=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Unable to copy data to file: No space left on device (os error 28)", "disk is full"),
        ("LanceError(IO): No space left on device (os error 28), /x/writer.rs:190:9", "disk is full"),
        ("Unable to open file /p/big#1: Read-only file system (os error 30)", "read-only"),
        ("Permission denied (os error 13)", "access is denied"),
        ("Operation not supported (os error 95)", "hard links"),
    ],
)
def test_what_the_system_says_becomes_a_refusal(text: str, expected: str) -> None:
    refusal = machine_error(GenericError(text), "place")
    assert isinstance(refusal, StoreNotWritableError)
    assert expected in refusal.what
    assert refusal.where == "place"
    assert refusal.next_step


def test_anything_else_the_store_says_is_passed_on() -> None:
    refusal = machine_error(GenericError("Generic S3 error: connection refused\n\nDebug source: …"), "s3://b")
    assert type(refusal) is MachineError
    assert "connection refused" in refusal.what
    assert "Debug" not in refusal.what


def test_a_folder_below_a_file_is_refused(store: ObjectStore) -> None:
    store.put("file", b"")
    with pytest.raises(MachineError):
        store.put("file/x", b"")


def test_a_kill_in_the_middle_of_writes_leaves_whole_objects_only(tmp_path: Path) -> None:
    code = (
        "import sys; from tilth.store.objects import ObjectStore\n"
        "store = ObjectStore(sys.argv[1]); print('go', flush=True); n = 0\n"
        "while True: n += 1; store.put(f'o{n % 3}', bytes([n % 251]) * 3_000_000)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    while not list(tmp_path.glob("o2")):
        pass
    child.kill()
    child.wait()
    child.stdout.close()
    store = ObjectStore(tmp_path)
    for one in store.entries():
        data = store.get(one.path)
        assert len(data) == 3_000_000
        assert len(set(data)) == 1
