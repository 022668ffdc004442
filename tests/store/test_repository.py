"""Versions: what is committed is read back, twice is once, history branches, and refusals say what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import store_world as world

from tilth.core.apply import apply
from tilth.core.errors import (
    ContractError,
    EditConflictError,
    ProjectNotFoundError,
    ProtectedRowError,
    StoreCorruptError,
    StoreLockedError,
    StoreNotWritableError,
    StoreTooNewError,
    UnknownVersionError,
)
from tilth.core.ids import content_id, content_sums
from tilth.core.names import PARENTS, ROW_ID, TRUSTED
from tilth.store import stored_rows
from tilth.store.maintenance import examine
from tilth.store.repository import Repository
from tilth.store.version import Version

FACTS = {"fingerprint": "one", "files": ["a.csv"]}
SOURCE = world.source()


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    opened = Repository(tmp_path / "store", make=True)
    with opened.lease:
        yield opened


@pytest.fixture
def base(repository: Repository) -> Version:
    return repository.commit_source(SOURCE, world.SCHEMA, FACTS)


def folder_bytes(repository: Repository) -> int:
    return sum(file.stat().st_size for file in Path(repository.objects.root).rglob("*") if file.is_file())


def by_id(table: pa.Table) -> list[dict[str, object]]:
    return sorted(table.to_pylist(), key=lambda row: str(row[ROW_ID]))


# -- sources -----------------------------------------------------------------------------------------------------------


def test_a_source_is_read_back_in_its_order(repository: Repository, base: Version) -> None:
    assert repository.dataset(base).read(*SOURCE.column_names).equals(SOURCE)
    assert (base.parent, base.edit, base.recipe, base.rows, base.source) == (None, None, (), 20, FACTS)
    assert base.base == base.version
    assert base.content == content_id(content_sums(SOURCE, ROW_ID), world.SCHEMA.to_dict())
    assert repository.latest == base
    assert repository.dataset(base).content_id == base.content


def test_a_source_again_writes_nothing(repository: Repository, base: Version) -> None:
    n_records, size = len(repository.log.records()), folder_bytes(repository)
    assert repository.commit_source(SOURCE, world.SCHEMA, FACTS) == base
    assert (len(repository.log.records()), folder_bytes(repository)) == (n_records, size)


def test_rows_in_another_order_are_the_same_version(repository: Repository, base: Version) -> None:
    turned = SOURCE.take(pa.array(range(19, -1, -1)))
    assert repository.commit_source(turned, world.SCHEMA, FACTS).version == base.version


def test_the_same_rows_from_other_files_are_the_same_version_with_new_facts(
    repository: Repository, base: Version
) -> None:
    child = repository.commit_edit(base, world.remove(["r7"]))
    again = repository.commit_source(SOURCE, world.SCHEMA, {"fingerprint": "two"})
    assert (again.version, again.table_version) == (base.version, base.table_version)
    assert repository.version(base.version).source == {"fingerprint": "two"}
    assert repository.version(child.version).source == {"fingerprint": "two"}
    assert [version.version for version in repository.versions()] == [base.version, child.version]
    assert repository.latest == again


def test_a_changed_source_writes_what_differs(tmp_path: Path) -> None:
    large = world.source(5_000).set_column(1, "note", pa.array([f"a long note, number {i}" * 20 for i in range(5_000)]))
    labels = pa.array(["no" if i < 50 else y for i, y in enumerate(large["y"].to_pylist())])
    changed = large.set_column(2, "y", labels).slice(0, 4_990)
    changed = pa.concat_tables([changed, world.rows(["n0", "n1"], start=7)])
    repository = Repository(tmp_path, make=True)
    with repository.lease:
        repository.commit_source(large, world.SCHEMA, FACTS)
        before = folder_bytes(repository)
        version = repository.commit_source(changed, world.SCHEMA, {"fingerprint": "two"})
    assert by_id(repository.dataset(version).read(*changed.column_names)) == by_id(changed)
    assert folder_bytes(repository) - before < before / 10
    assert all(check.ok for check in examine(repository))


@pytest.mark.parametrize("kind", ["other rows", "another column", "another type"])
def test_an_unlike_source_is_written_anew(repository: Repository, base: Version, kind: str) -> None:
    table, schema = SOURCE, world.SCHEMA
    if kind == "other rows":
        table = world.rows([f"q{i}" for i in range(30)])
    elif kind == "another column":
        schema = replace(schema, columns=schema.columns[1:])
        table = SOURCE.drop_columns(["x"])
    else:
        table = SOURCE.set_column(0, "x", pc.add(SOURCE["x"], 1).cast(pa.float32()))
    version = repository.commit_source(table, schema, {"fingerprint": "two"})
    assert repository.dataset(version).read(*table.column_names).equals(table)
    assert repository.dataset(base).read(*SOURCE.column_names).equals(SOURCE)


# -- edits -------------------------------------------------------------------------------------------------------------

EDITS = {
    "relabel": world.relabel(SOURCE, ["r4", "r7"]),
    "trust": world.relabel(SOURCE, ["r4", "r7"], trusted=True),
    "soften": world.soften(["r3"]),
    "weigh": world.weigh(["r3", "r19"]),
    "remove": world.remove(["r2", "r19"]),
    "add": world.add(world.rows(["n0"], start=50)),
    "all": world.replacing(["r2"], world.rows(["n0", "n1"], start=50)),
    "the same id again": world.replacing(["r2"], world.rows(["r2"], start=50)),
}


@pytest.mark.parametrize("kind", EDITS)
def test_an_edit_is_what_apply_makes_of_its_parent(repository: Repository, base: Version, kind: str) -> None:
    edit, expected = EDITS[kind], apply(SOURCE, EDITS[kind])
    version = repository.commit_edit(base, edit)
    assert repository.dataset(version).read(*SOURCE.column_names).to_pylist() == expected.to_pylist()
    assert version.content == content_id(content_sums(expected, ROW_ID), world.SCHEMA.to_dict())
    assert (version.parent, version.base, version.recipe) == (base.version, base.version, (edit.edit_id,))
    assert version.rows == expected.num_rows
    assert repository.latest == version
    kept = repository.edit(edit.edit_id)
    assert (kept.describe(), kept.edit_id) == (edit.describe(), edit.edit_id)
    assert repository.dataset(base).read(*SOURCE.column_names).equals(SOURCE)


def test_what_was_made_from_a_dropped_row_goes_with_it(repository: Repository, base: Version) -> None:
    made = world.rows(["m0", "m1", "m2"], parents=[["r3"], ["m0", "r9"], ["r4"]], start=60)
    grown = repository.commit_edit(base, world.add(made))
    version = repository.commit_edit(grown, world.remove(["r3"]))
    left = repository.dataset(version).read()
    assert set(left[ROW_ID].to_pylist()) == {*SOURCE[ROW_ID].to_pylist(), "m2"} - {"r3"}
    assert version.rows == left.num_rows
    assert content_id(content_sums(left, ROW_ID), world.SCHEMA.to_dict()) == version.content


def test_the_same_edit_on_the_same_parent_is_one_version(repository: Repository, base: Version) -> None:
    first = repository.commit_edit(base, EDITS["all"])
    repository.commit_edit(first, EDITS["weigh"])
    n_versions = len(repository.log.records())
    assert repository.commit_edit(base, EDITS["all"]) == first
    assert repository.latest == first
    assert len(repository.log.records()) == n_versions + 1  # the head moves back


def test_history_branches(repository: Repository, base: Version) -> None:
    left = repository.commit_edit(base, world.remove(["r5"]))
    right = repository.commit_edit(base, world.relabel(SOURCE, ["r5"]))
    further = repository.commit_edit(left, world.weigh(["r6"]))
    assert [v.parent for v in (left, right, further)] == [base.version, base.version, left.version]
    for version, rows in ((base, 20), (left, 19), (right, 20), (further, 19)):
        assert repository.dataset(version).n_rows == repository.dataset(version).read().num_rows == rows
    assert all(check.ok for check in examine(repository))


def test_the_version_id_comes_from_parent_and_edit_alone(tmp_path: Path) -> None:
    found = [[version.version for version in world.commit_all(tmp_path / name)] for name in ("a", "b")]
    assert found[0] == found[1]


def test_a_recipe_makes_the_version_from_its_source(repository: Repository, base: Version) -> None:
    version = repository.commit_edit(repository.commit_edit(base, EDITS["trust"]), EDITS["all"])
    recipe = repository.recipe(version)
    assert [edit.edit_id for edit in recipe.edits] == list(version.recipe)
    rebuilt = recipe.replay(repository.dataset(base).read()).table
    assert content_id(content_sums(rebuilt, ROW_ID), world.SCHEMA.to_dict()) == version.content


def test_a_recipe_can_be_given(repository: Repository, base: Version) -> None:
    one = repository.commit_edit(base, EDITS["weigh"])
    back = world.weigh(["r3", "r19"], weight=1.0)
    assert repository.commit_edit(one, back, origin="revert", recipe=()).recipe == ()


def test_an_edit_reads_and_writes_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large = world.source(5_000).set_column(1, "note", pa.array([f"a long note, number {i}" * 20 for i in range(5_000)]))
    repository = Repository(tmp_path, make=True)
    read: list[tuple[set[str], int | None]] = []
    inner = repository.table.read

    def spy(version: int, columns: list[str], keys: pa.Array | None = None) -> pa.Table:
        read.append((set(columns), None if keys is None else len(keys)))
        return inner(version, columns, keys)

    with repository.lease:
        base = repository.commit_source(large, world.SCHEMA, FACTS)
        before = folder_bytes(repository)
        monkeypatch.setattr(repository.table, "read", spy)
        repository.commit_edit(base, world.relabel(large, [f"r{i}" for i in range(100, 150)]))
        assert read == [({"y", "_tilth_id", "_tilth_split"}, 50)]
        read.clear()
        repository.commit_edit(base, world.remove([f"r{i}" for i in range(100, 150)]))
        whole = [columns for columns, keys in read if keys is None]
        assert whole == [{"_tilth_id", "_tilth_split", PARENTS}]
    assert folder_bytes(repository) - before < before / 4


def test_dev_and_test_rows_and_unknown_rows_are_refused(repository: Repository, base: Version) -> None:
    n_records = len(repository.log.records())
    with pytest.raises(ProtectedRowError, match="r0"):
        repository.commit_edit(base, world.relabel(SOURCE, ["r0"]))
    for edit in (world.remove(["r7", "nobody"]), world.weigh(["nobody"]), world.add(world.rows(["r7"], start=9))):
        with pytest.raises(EditConflictError):
            repository.commit_edit(base, edit)
    assert len(repository.log.records()) == n_records
    assert repository.latest == base


def test_an_edit_stays_as_it_was_first_kept(repository: Repository, base: Version) -> None:
    first = world.relabel(SOURCE, ["r4"])
    repository.commit_edit(base, first)
    later = replace(first, expects={}, reason="another reason")
    assert later.edit_id == first.edit_id
    repository.save_edit(later)
    assert repository.edit(first.edit_id).reason == "by hand"


# -- facts, names ------------------------------------------------------------------------------------------------------


def test_facts_come_back_in_order_and_are_the_callers_own(repository: Repository) -> None:
    repository.record("look", {"n": 1, "ids": ("a", "b")})
    repository.record("look", {"n": 2})
    assert repository.records("look") == [{"n": 1, "ids": ["a", "b"]}, {"n": 2}]
    repository.records("look").clear()
    assert len(repository.records("look")) == 2
    assert repository.records("nothing") == []
    with pytest.raises(ContractError, match="look"):
        repository.record("look", {"n": float("nan")})
    with pytest.raises(ContractError, match="look"):
        repository.record("look", {"n": object()})


def test_what_another_process_commits_is_seen(tmp_path: Path) -> None:
    reader = Repository(tmp_path, make=True)
    assert (reader.versions(), reader.latest, reader.tags()) == ([], None, {})
    versions = world.commit_all(tmp_path)
    assert reader.versions() == versions
    assert reader.latest == versions[-1]
    assert len(reader.records("done")) == 1
    writer = Repository(tmp_path)
    with writer.lease:
        writer.record("tag", {"name": "good", "version": versions[0].version})
        newer = writer.commit_edit(versions[0], world.weigh(["r3"]))
    assert reader.version("good") == versions[0]
    assert reader.version("latest") == newer
    with reader.lease:
        assert reader.commit_edit(newer, world.weigh(["r6"])).parent == newer.version


def test_names_of_versions(repository: Repository, base: Version) -> None:
    child = repository.commit_edit(base, world.weigh(["r3"]))
    repository.record("tag", {"name": "good", "version": child.version})
    repository.record("tag", {"name": "good", "version": base.version})
    for name, version in (("good", base), ("latest", child), (base.version, base), (child.version[:8], child)):
        assert repository.version(name) == version
    with pytest.raises(UnknownVersionError, match="could be 2 versions"):
        repository.version("v-")
    with pytest.raises(UnknownVersionError, match="Did you mean 'good'"):
        repository.version("goood")
    with pytest.raises(UnknownVersionError, match="no edit 'e-none'"):
        repository.edit("e-none")
    with pytest.raises(UnknownVersionError):
        repository.version("")


def test_a_project_without_versions_says_so(repository: Repository) -> None:
    with pytest.raises(UnknownVersionError, match="no version yet.*tilth run"):
        repository.version("latest")


# -- reading rows ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept_bytes", [0, 300, 10**6])
def test_rows_read_alike_whatever_is_kept_in_memory(
    repository: Repository, base: Version, monkeypatch: pytest.MonkeyPatch, kept_bytes: int
) -> None:
    monkeypatch.setattr(stored_rows, "KEPT_BYTES", kept_bytes)
    version = repository.commit_edit(base, EDITS["all"])
    rows = repository.dataset(version).rows
    expected = apply(SOURCE, EDITS["all"])
    for columns in (["y"], [ROW_ID, "x"], [TRUSTED, "y", ROW_ID], list(SOURCE.column_names)):
        assert rows.read(columns).to_pylist() == expected.select(columns).to_pylist()
        blocks = list(rows.blocks(columns, 7))
        assert [block.num_rows for block in blocks] == [7, 7, 7]
        assert pa.concat_tables(blocks).to_pylist() == expected.select(columns).to_pylist()


# -- refusals ----------------------------------------------------------------------------------------------------------


def test_writing_without_the_lease_is_refused(tmp_path: Path) -> None:
    base, *_ = world.commit_all(tmp_path)
    repository = Repository(tmp_path)
    before = [record.number for record in repository.log.records()], folder_bytes(repository)
    for write in (
        lambda: repository.record("look", {}),
        lambda: repository.commit_source(SOURCE, world.SCHEMA, FACTS),
        lambda: repository.commit_edit(base, world.weigh(["r6"])),
        lambda: repository.save_edit(world.weigh(["r6"])),
    ):
        with pytest.raises(StoreLockedError, match="right to write"):
            write()
    assert ([record.number for record in repository.log.records()], folder_bytes(repository)) == before


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
        repository.commit_edit(base, EDITS["relabel"])
    assert repository.latest == base
    monkeypatch.undo()
    with repository.lease:
        version = repository.commit_edit(base, EDITS["relabel"])
        expected = apply(SOURCE, EDITS["relabel"])
        assert repository.dataset(version).read(*SOURCE.column_names).to_pylist() == expected.to_pylist()


def test_of_two_writers_one_works_and_the_other_is_told_who(tmp_path: Path) -> None:
    code = (
        "import sys; import store_world as world; from tilth.store.repository import Repository\n"
        "repository = Repository(sys.argv[1], make=True)\n"
        "with repository.lease:\n"
        "    print('mine', flush=True); sys.stdin.readline(); world.Repository\n"
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
    last.write_text(json.dumps(body | {"format": 2}))
    for read in (Repository.versions, lambda one: one.latest, lambda one: one.records("tag")):
        with pytest.raises(StoreTooNewError, match="pip install --upgrade"):
            read(Repository(tmp_path))
    repository = Repository(tmp_path)
    with repository.lease, pytest.raises(StoreTooNewError):
        repository.record("look", {})


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
    edit = EDITS["relabel"]
    version = repository.commit_edit(base, edit)
    damage_nothing_else(repository, f"edits/{edit.edit_id}/{file}", data)
    with pytest.raises(StoreCorruptError, match=edit.edit_id):
        repository.recipe(version)
    assert repository.dataset(version).read().num_rows == 20
    repository.save_edit(edit)
    assert repository.recipe(version).edits[0].edit_id == edit.edit_id


def test_a_lost_table_of_an_edit_is_named(repository: Repository, base: Version) -> None:
    edit = EDITS["relabel"]
    repository.commit_edit(base, edit)
    damage_nothing_else(repository, f"edits/{edit.edit_id}/1.arrows", None)
    with pytest.raises(StoreCorruptError, match=f"edit {edit.edit_id} has lost its table 1"):
        repository.edit(edit.edit_id)


def test_another_edit_under_the_name_is_noticed(repository: Repository, base: Version) -> None:
    one, other = EDITS["weigh"], world.weigh(["r6"])
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


def test_a_read_only_folder_is_read_and_not_written(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    versions = world.commit_all(folder)
    paths = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    for path in paths:
        path.chmod(0o555)
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(path.stat().st_mode | 0o011)
    try:
        with as_nobody():
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
                repository.commit_edit(base, EDITS["all"])
            assert Repository(full / "store").latest == base
            assert all(check.ok for check in examine(Repository(full / "store")))
            filler.unlink()
            version = repository.commit_edit(base, EDITS["all"])
        expected = apply(SOURCE, EDITS["all"])
        assert repository.dataset(version).read(*SOURCE.column_names).to_pylist() == expected.to_pylist()
        assert all(check.ok for check in examine(repository))
    finally:
        subprocess.run(["umount", str(full)], check=True)


def test_nothing_is_said_on_stderr(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if name != "LANCE_LOG"}
    script = Path(__file__).parent / "store_world.py"
    done = subprocess.run([sys.executable, str(script), str(tmp_path)], env=env, capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_cells_that_stay_missing_are_one_content(repository: Repository, base: Version) -> None:
    filled = repository.commit_edit(base, EDITS["soften"])
    assert pc.sum(pc.is_valid(repository.dataset(filled).read("_tilth_target").column(0))).as_py() == 1
    assert filled.sums["note"] == base.sums["note"]
    assert filled.sums["_tilth_target"] != base.sums["_tilth_target"]
