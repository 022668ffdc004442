"""gc removes what nothing reaches, and says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import store_world as world

from tilth.core.errors import StoreLockedError, UnknownVersionError
from tilth.core.names import ROW_ID
from tilth.store.maintenance import Collected, collect_garbage, examine
from tilth.store.repository import Repository
from tilth.store.version import Version

SOURCE = world.source()
NOTHING = Collected(versions=0, edits=0, evidence=0, bytes=0)


def commit(repository: Repository, write: Callable[[], Version]) -> Version:
    with repository.lease:
        return write()


def tag(repository: Repository, name: str, version: Version) -> None:
    with repository.lease:
        repository.record("tag", {"name": name, "version": version.version})


def test_what_the_current_version_goes_back_to_stays(store: Repository, latest: Version) -> None:
    versions = store.versions()
    collect_garbage(store)
    assert store.versions() == versions
    assert store.recipe(latest).replay(SOURCE).table.num_rows == latest.rows
    assert store.records("tombstone") == []
    assert world.faults(store) == {}


def test_a_branch_that_nothing_reaches_goes_with_its_edit_and_leaves_a_tombstone(
    store: Repository, latest: Version
) -> None:
    base, first, _ = store.versions()
    lost = commit(store, lambda: store.commit_edit(base, world.remove([f"r{i}" for i in range(3, 20)])))
    twig = commit(store, lambda: store.commit_edit(lost, world.weigh(["r2"])))
    kept = commit(store, lambda: store.commit_edit(first, world.weigh(["r2"], 0.1)))
    tag(store, "kept", kept)
    commit(store, lambda: store.commit_edit(first, store.edit(latest.edit or "")))
    done = collect_garbage(store)
    assert (done.versions, done.edits, done.evidence) == (2, 2, 0)
    assert done.bytes > 0
    assert [v.version for v in store.versions()] == [v.version for v in (base, first, latest, kept)]
    names = {"versions": [lost.version, twig.version], "edits": sorted([lost.edit or "", twig.edit or ""])}
    assert store.records("tombstone") == [names | {"evidence": 0}]
    for name in (lost.version, lost.version[:9]):
        with pytest.raises(UnknownVersionError, match=r"removed by tilth gc"):
            store.version(name)
    with pytest.raises(UnknownVersionError, match=r"removed by tilth gc"):
        store.edit(lost.edit or "")
    for version in (base, first, latest, kept):
        assert store.dataset(version).read().num_rows == version.rows
    assert world.faults(store) == {}


def test_an_old_source_goes_when_the_data_were_replaced(store: Repository) -> None:
    other = world.rows([f"q{i}" for i in range(10)])
    new = commit(store, lambda: store.commit_source(other, world.SCHEMA, {"fingerprint": "two"}))
    done = collect_garbage(store)
    assert (done.versions, store.versions()) == (3, [store.version(new.version)])
    assert store.dataset(store.version("latest")).read().num_rows == 10
    assert world.faults(store) == {}


def test_what_was_removed_can_be_committed_again(store: Repository) -> None:
    base, *_ = store.versions()
    lost = commit(store, lambda: store.commit_edit(base, world.weigh(["r6"])))
    commit(store, lambda: store.commit_edit(base, world.weigh(["r3"])))
    collect_garbage(store)
    again = commit(store, lambda: store.commit_edit(store.version(base.version), world.weigh(["r6"])))
    assert again.version == lost.version
    assert store.version(lost.version) == again
    assert store.edit(again.edit or "").n_rows == 1
    assert world.faults(store) == {}


def test_a_second_collection_does_nothing(store: Repository) -> None:
    base, *_ = store.versions()
    commit(store, lambda: store.commit_edit(base, world.weigh(["r6"])))
    commit(store, lambda: store.commit_source(SOURCE, world.SCHEMA, world.FACTS))
    assert collect_garbage(store).versions == 3
    n_records = len(store.log.records())
    assert collect_garbage(store) == NOTHING
    assert len(store.log.records()) == n_records


def test_rows_are_packed_when_one_version_is_left(store: Repository) -> None:
    many = world.source(3_000)
    base = commit(store, lambda: store.commit_source(many, world.SCHEMA, {"fingerprint": "many"}))
    half = pa.concat_tables([many.slice(0, 1_600), world.rows(["n0", "n1"], start=7)])
    commit(store, lambda: store.commit_source(half, world.SCHEMA, {"fingerprint": "half"}))
    collect_garbage(store)
    version = store.version("latest")
    assert version.version != base.version
    assert store.table.versions() == [version.table_version]
    found = store.dataset(version).read()
    assert found.sort_by(ROW_ID).to_pylist() == half.select(found.column_names).sort_by(ROW_ID).to_pylist()
    assert world.faults(store) == {}
    assert collect_garbage(store) == NOTHING


def test_evidence_stays_while_the_newest_held_settings_name_it(store: Repository) -> None:
    state, old, loose, features = (digit * 16 for digit in "abcd")
    for key in (state, old, loose):
        store.evidence.put_arrays(key, {"x": np.arange(3)})
    store.row_evidence(features).add(np.arange(4, dtype=np.uint64).reshape(2, 2), np.ones((2, 3), dtype=np.float32))
    store.row_evidence(loose).add(np.arange(4, dtype=np.uint64).reshape(2, 2), np.ones((2, 3), dtype=np.float32))
    made = f"{features}.candidates"
    store.row_evidence(made).add(np.arange(4, dtype=np.uint64).reshape(2, 2), np.ones((2, 3), dtype=np.float32))
    with store.lease:
        store.record("held", {"key": "k", "columns": [{"state": old}]})
        store.record("held", {"key": "k", "columns": [{"state": state}], "features": features})
    done = collect_garbage(store)
    assert (done.versions, done.evidence) == (0, 2)  # the superseded state; what no settings name, rows and all
    assert [entry.key for entry in store.evidence.entries()] == [state]
    for key in (features, made):  # rows of versions, and of candidates
        assert store.row_evidence(key).lookup(np.array([[0, 1]], dtype=np.uint64))[0].all()
    assert not len(store.row_evidence(loose))
    assert len(store.records("tombstone")) == 1


def test_an_edit_that_a_trial_names_stays(store: Repository) -> None:
    tried, orphan = world.weigh(["r11"]), world.weigh(["r12"])
    with store.lease:
        store.save_edit(tried)
        store.save_edit(orphan)
        store.record("trial", {"trial": {"edit": tried.edit_id}})
    assert collect_garbage(store).edits == 1
    assert store.edit(tried.edit_id).n_rows == 1
    with pytest.raises(UnknownVersionError):
        store.edit(orphan.edit_id)


def test_what_killed_writers_left_goes(store: Repository) -> None:
    root = Path(store.objects.root)
    (root / "log" / "half.json#1").write_bytes(b"half")
    (root / "rows.lance" / "data" / "nobody.lance").write_bytes(b"x" * 1000)
    done = collect_garbage(store)
    assert done.bytes >= 1004
    assert not list(root.rglob("*#1"))
    assert not (root / "rows.lance" / "data" / "nobody.lance").exists()
    assert store.records("tombstone") == []


def test_an_empty_store_has_no_garbage(tmp_path: Path) -> None:
    empty = Repository(tmp_path, make=True)
    assert collect_garbage(empty) == NOTHING
    assert [check.name for check in examine(empty) if not check.ok] == []


def test_gc_waits_for_the_writer(store: Repository) -> None:
    writer = Repository(store.objects.root)
    with writer.lease, pytest.raises(StoreLockedError):
        collect_garbage(store)


@pytest.mark.parametrize("stage", ["edits", "evidence", "rows"])
def test_a_collection_that_was_killed_is_finished_by_the_next(
    store: Repository, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    base, *_ = store.versions()
    lost = commit(store, lambda: store.commit_edit(base, world.weigh(["r6"])))
    commit(store, lambda: store.commit_edit(base, world.weigh(["r3"])))
    store.evidence.put_arrays("e" * 16, {"x": np.arange(3)})

    where, name = {
        "edits": (store.edits, "delete"),
        "evidence": (store.objects, "delete"),
        "rows": (store.table, "cleanup"),
    }[stage]
    inner = getattr(where, name)

    def die(what: object) -> None:
        if "lease/" not in str(what):
            raise KeyboardInterrupt
        inner(what)

    monkeypatch.setattr(where, name, die)
    with pytest.raises(KeyboardInterrupt):
        collect_garbage(store)
    monkeypatch.undo()
    assert world.faults(store) == {}
    with pytest.raises(UnknownVersionError, match=r"removed by tilth gc"):
        store.version(lost.version)
    collect_garbage(store)
    assert (world.faults(store), store.edits.ids()) == ({}, sorted({v.edit for v in store.versions() if v.edit}))
    assert store.evidence.entries() == []
