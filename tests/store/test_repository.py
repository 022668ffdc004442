"""Versions: what is committed is read back, twice is once, history branches, and refusals say what to do."""

from __future__ import annotations

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
    ProtectedRowError,
    UnknownVersionError,
)
from tilth.core.ids import content_id, content_sums
from tilth.core.names import PARENTS, ROW_ID, TRUSTED
from tilth.store import stored_rows
from tilth.store.maintenance import examine
from tilth.store.repository import Repository
from tilth.store.version import Version

FACTS = world.FACTS
SOURCE = world.source()


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
    n_records, size = len(repository.log.records()), world.folder_bytes(repository)
    assert repository.commit_source(SOURCE, world.SCHEMA, FACTS) == base
    assert (len(repository.log.records()), world.folder_bytes(repository)) == (n_records, size)


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
        before = world.folder_bytes(repository)
        version = repository.commit_source(changed, world.SCHEMA, {"fingerprint": "two"})
    assert by_id(repository.dataset(version).read(*changed.column_names)) == by_id(changed)
    assert world.folder_bytes(repository) - before < before / 10
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
        before = world.folder_bytes(repository)
        monkeypatch.setattr(repository.table, "read", spy)
        repository.commit_edit(base, world.relabel(large, [f"r{i}" for i in range(100, 150)]))
        assert read == [({"y", "_tilth_id", "_tilth_split"}, 50)]
        read.clear()
        repository.commit_edit(base, world.remove([f"r{i}" for i in range(100, 150)]))
        whole = [columns for columns, keys in read if keys is None]
        assert whole == [{"_tilth_id", "_tilth_split", PARENTS}]
    assert world.folder_bytes(repository) - before < before / 4


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
    later = replace(first, reason="another reason")
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
    with pytest.raises(UnknownVersionError, match=r"no version yet.*tilth run"):
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


def test_cells_that_stay_missing_are_one_content(repository: Repository, base: Version) -> None:
    filled = repository.commit_edit(base, EDITS["soften"])
    assert pc.sum(pc.is_valid(repository.dataset(filled).read("_tilth_target").column(0))).as_py() == 1
    assert filled.sums["note"] == base.sums["note"]
    assert filled.sums["_tilth_target"] != base.sums["_tilth_target"]
