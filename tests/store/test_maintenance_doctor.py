"""doctor sees every kind of damage and names it; a whole store is fine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
import store_world as world

from tilth.core.names import ROW_ID
from tilth.store.maintenance import collect_garbage, examine
from tilth.store.repository import Repository
from tilth.store.version import Version


def test_a_whole_store_is_fine(store: Repository, latest: Version) -> None:
    checks = examine(store)
    assert [check.name for check in checks] == [
        "format",
        "log",
        "names",
        "versions",
        "edits",
        "content",
        "recipe",
        "orphans",
        "lease",
    ]
    assert all(check.ok for check in checks)
    details = {check.name: check.detail for check in checks}
    assert latest.content in details["content"]
    assert latest.content in details["recipe"]
    assert details["lease"] == "free"


def test_a_holder_is_named_and_no_fault(store: Repository) -> None:
    with Repository(store.objects.root).lease:
        check = examine(store)[-1]
    assert (check.ok, check.detail.startswith("held by process")) == (True, True)


def rewrite_record(repository: Repository, kind: str, change: Callable[[dict[str, object]], None]) -> None:
    """Append the last record of a kind once more, changed: what a faulty program could have written."""
    body = dict(repository.records(kind)[-1])
    change(body)
    with repository.lease:
        repository.record(kind, body)


def test_a_lost_and_a_changed_record_are_named(store: Repository) -> None:
    files = sorted((Path(store.objects.root) / "log").iterdir())
    raw = json.loads(files[2].read_text())
    files[2].write_text(json.dumps(raw | {"body": raw["body"] | {"rows": 21}}))
    assert world.faults(store).keys() == {"log"}
    assert "record 3" in world.faults(store)["log"]
    files[2].unlink()
    assert "record 3 of the commit log is missing" in world.faults(store)["log"]
    files[2].write_text(json.dumps(raw))
    assert world.faults(store) == {}


def test_a_newer_format_is_named(store: Repository) -> None:
    last = max((Path(store.objects.root) / "log").iterdir())
    last.write_text(json.dumps(json.loads(last.read_text()) | {"format": 3}))
    assert "pip install --upgrade" in world.faults(store)["format"]


def test_a_lost_edit_and_a_damaged_one_are_named(store: Repository, latest: Version) -> None:
    folder = Path(store.objects.root) / "edits" / (latest.edit or "")
    (folder / "0.arrows").write_bytes(b"x")
    assert world.faults(store).keys() == {"edits", "recipe"}
    assert (latest.edit or "") in world.faults(store)["edits"]
    (folder / "edit.json").unlink()
    assert f"edit {latest.edit} is lost" in world.faults(store)["edits"]


def test_what_a_killed_save_left_is_no_fault(store: Repository) -> None:
    with store.lease:
        store.save_edit(world.weigh(["r11"]))
    (Path(store.objects.root) / "edits" / world.weigh(["r11"]).edit_id / "edit.json").unlink()
    assert world.faults(store) == {}


def test_a_wrong_number_of_rows_and_a_lost_version_are_named(store: Repository, latest: Version) -> None:
    rewrite_record(store, "version", lambda body: body.update(rows=5))
    assert f"{latest.version} has 20 rows instead of 5" in world.faults(store)["versions"]
    rewrite_record(store, "version", lambda body: body.update(rows=20, table_version=99))
    assert latest.version in world.faults(store)["versions"]
    rewrite_record(store, "version", lambda body: body.update(table_version=latest.table_version, parent="v-none"))
    assert "has lost its parent" in world.faults(store)["versions"]


def test_changed_cells_are_named_by_column(store: Repository, latest: Version) -> None:
    cells = pa.table({ROW_ID: ["r6"], "x": [99.0]})
    number = store.table.update(cells, base=latest.table_version)
    rewrite_record(store, "version", lambda body: body.update(table_version=number))
    found = world.faults(store)
    assert found.keys() == {"content"}
    assert "column 'x'" in found["content"]


def test_a_recipe_that_makes_something_else_is_named(store: Repository, latest: Version) -> None:
    rewrite_record(store, "version", lambda body: body.update(recipe=body["recipe"][:1]))
    assert world.faults(store).keys() == {"recipe"}
    assert latest.content in world.faults(store)["recipe"]


def test_names_of_versions_that_are_not_there_are_named(store: Repository) -> None:
    with store.lease:
        store.record("tag", {"name": "lost", "version": "v-none"})
    assert "'lost'" in world.faults(store)["names"]


@pytest.mark.parametrize("damage", ["cut", "lost", "noise"])
def test_damaged_files_of_rows_are_a_fault_and_no_crash(store: Repository, damage: str) -> None:
    for file in (Path(store.objects.root) / "rows.lance" / "data").iterdir():
        data = file.read_bytes()
        file.unlink()
        if damage == "cut":
            file.write_bytes(data[: len(data) // 2])
        elif damage == "noise":
            file.write_bytes(b"\x00" * len(data))
    found = world.faults(store)
    assert "content" in found
    assert "log" not in found


def test_orphans_are_counted_and_no_fault(store: Repository) -> None:
    base, *_ = store.versions()
    with store.lease:
        store.save_edit(world.weigh(["r12"]))
        store.table.update(pa.table({ROW_ID: ["r6"], "x": [99.0]}), base=base.table_version)
    check = next(check for check in examine(store) if check.name == "orphans")
    assert check.ok
    assert "1 edits" in check.detail
    collect_garbage(store)
    check = next(check for check in examine(store) if check.name == "orphans")
    assert "0 edits" in check.detail
