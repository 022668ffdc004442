"""Laws of versions: whatever is committed in whatever order, cells, recorded sums and recipes tell the same content."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import store_world as world
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.core.apply import apply
from tilth.core.edit import Edit
from tilth.core.ids import content_id, content_sums
from tilth.core.names import PARENTS, ROW_ID, SPLIT
from tilth.core.spec import Spec
from tilth.store.maintenance import collect_garbage, examine
from tilth.store.repository import Repository


def content(table: pa.Table) -> str:
    return content_id(content_sums(table, ROW_ID), world.SCHEMA.to_dict())


def draw_edit(data: st.DataObject, table: pa.Table, fresh: int) -> Edit | None:
    """Draw an edit that a table allows, or None; its operator tells it from every other draw."""
    edit = draw_change(data, table, fresh)
    return edit and replace(edit, operator=Spec(room="editing", name="by_hand", parameters={"draw": fresh}))


def draw_change(data: st.DataObject, table: pa.Table, fresh: int) -> Edit | None:
    free = [i for i, s in zip(table[ROW_ID].to_pylist(), table[SPLIT].to_pylist(), strict=True) if s == "train"]
    some = data.draw(st.lists(st.sampled_from(free), unique=True, min_size=1, max_size=6)) if free else []
    left = apply(table, world.remove(some))[ROW_ID].to_pylist()  # without what was made from those that go
    stays = [one for one in free if one in left]
    one_row = st.none() | st.lists(st.sampled_from(stays), max_size=2) if stays else st.none()
    parents = data.draw(st.lists(one_row, min_size=1, max_size=3))
    new = world.rows([f"n{fresh}-{i}" for i in range(len(parents))], parents=parents, start=fresh)
    if not some:
        return world.add(new)
    match data.draw(st.sampled_from(["relabel", "remove", "soften", "weigh", "add", "all"])):
        case "relabel":
            to, trusted = data.draw(st.sampled_from(["yes", "no"])), data.draw(st.booleans())
            return world.relabel(table, some, to, trusted=trusted)
        case "remove":
            return world.remove(some)
        case "soften":
            return world.soften(some, data.draw(st.sampled_from([0.1, 1 / 3])))
        case "weigh":
            return world.weigh(some, data.draw(st.sampled_from([0.0, 0.3])))
        case "add":
            return world.add(new)
        case _:
            return world.replacing(some, new) if "r5" in free else None


def same_rows(found: pa.Table, expected: pa.Table) -> bool:
    return bool(found.select(expected.column_names).to_pylist() == expected.to_pylist())


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_versions_hold_what_apply_makes_and_recipes_make_them_again(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder: Path = tmp_path_factory.mktemp("model")
    repository = Repository(folder, make=True)
    source = world.source(data.draw(st.integers(6, 14)))
    with repository.lease:
        base = repository.commit_source(source, world.SCHEMA, world.FACTS)
        held = {base.version: source}
        for number in range(data.draw(st.integers(1, 5))):
            parent = repository.version(data.draw(st.sampled_from(list(held))))
            before = held[parent.version]
            edit = draw_edit(data, before, 100 * (number + 1))
            if edit is not None:
                held[repository.commit_edit(parent, edit).version] = apply(before, edit)
        latest = repository.version("latest").version
        tagged = data.draw(st.sampled_from(list(held)))
        repository.record("tag", {"name": "kept", "version": tagged})
    for name, expected in held.items():
        version = repository.version(name)
        found = repository.dataset(version).read()
        assert same_rows(found, expected)
        turned = found.take(pa.array(np.random.default_rng(0).permutation(found.num_rows)))
        assert version.content == content(found) == content(turned)
        assert version.rows == found.num_rows
        assert content(repository.recipe(version).replay(source).table) == version.content
    assert [check for check in examine(Repository(folder)) if not check.ok] == []
    collect_garbage(repository)
    for version in (Repository(folder).version(name) for name in (latest, tagged)):
        assert same_rows(repository.dataset(version).read(), held[version.version])
    assert [check for check in examine(Repository(folder)) if not check.ok] == []


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_changed_source_is_read_back_and_replayed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    repository = Repository(tmp_path_factory.mktemp("source"), make=True)
    old = world.source(12)
    chosen = data.draw(st.lists(st.integers(0, 11), unique=True))
    new = pa.concat_tables([old.take(pa.array(chosen, pa.int64())), world.rows(["n0", "n1"], start=77)])
    labels = data.draw(st.lists(st.sampled_from(["no", "yes"]), min_size=len(new), max_size=len(new)))
    new = new.set_column(2, "y", pa.array(labels, pa.string()))
    with repository.lease:
        repository.commit_source(old, world.SCHEMA, world.FACTS)
        version = repository.commit_source(new, world.SCHEMA, {"fingerprint": "two"})
    found = repository.dataset(version).read(*new.column_names)
    assert sorted(found.to_pylist(), key=lambda row: row[ROW_ID]) == sorted(
        new.to_pylist(), key=lambda row: row[ROW_ID]
    )
    assert content(found) == version.content
    assert [check for check in examine(repository) if not check.ok] == []


def test_parents_are_lists_in_the_store_too(tmp_path: Path) -> None:
    repository = Repository(tmp_path, make=True)
    made = world.rows(["m0"], parents=[["r3", "r4"]], start=9)
    with repository.lease:
        base = repository.commit_source(world.source(), world.SCHEMA, world.FACTS)
        version = repository.commit_edit(base, world.add(made))
    assert repository.dataset(version).read(PARENTS).column(0)[-1].as_py() == ["r3", "r4"]
