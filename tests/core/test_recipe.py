"""Recipes: they replay on the same source to the same content, and on a changed one as far as they fit."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.core.apply import apply
from tilth.core.edit import Edit, ids_of
from tilth.core.ids import content_sums
from tilth.core.names import ROW_ID
from tilth.core.recipe import Recipe
from tilth.core.spec import Spec
from tilth.testing.strategies import edits, tables

LAW = settings(max_examples=25, deadline=None)

SPEC = Spec(room="editing", name="by_hand")


def relabel(row: str, old: str, new: str) -> Edit:
    return Edit.relabelling("label", ids_of([row]), pa.array([new]), pa.array([old]), operator=SPEC, reason="test")


def test_edits_build_on_one_another(table_of):
    table = table_of("ab", label=pa.array(["x", "y"]))
    recipe = Recipe(
        (relabel("a", "x", "y"), relabel("a", "y", "z"), Edit.removing(ids_of(["b"]), operator=SPEC, reason=""))
    )
    done = recipe.replay(table)
    assert done.table.column("label").to_pylist() == ["z"]
    assert done.skipped == (0, 0, 0)
    assert [edit.edit_id for edit in done.edits] == [edit.edit_id for edit in recipe.edits]


def test_without_one_edit_what_stood_on_it_is_skipped(table_of):
    table = table_of("ab", label=pa.array(["x", "y"]))
    first, second = relabel("a", "x", "y"), relabel("a", "y", "z")
    done = Recipe((first, second)).without(first.edit_id).replay(table)
    assert done.table.column("label").to_pylist() == ["x", "y"]
    assert done.skipped == (1,)


def test_a_changed_source_gets_what_fits(table_of):
    """b is gone, c was corrected at the source, d is new: only a is mended."""
    changed = table_of("acd", label=pa.array(["x", "right", "w"]))
    edit = Edit.relabelling(
        "label", ids_of(["a", "b", "c"]), pa.array(["A", "B", "C"]), pa.array(["x", "y", "z"]), operator=SPEC, reason=""
    )
    done = Recipe((edit,)).replay(changed)
    assert done.table.column("label").to_pylist() == ["A", "right", "w"]
    assert done.skipped == (2,)


def test_an_empty_recipe_leaves_the_table(table_of):
    table = table_of("ab")
    assert Recipe().replay(table).table is table


@LAW
@given(data=st.data(), table=tables())
def test_law_a_replay_on_the_same_source_gives_the_same_content(data, table):
    recipe, now = [], table
    for _ in range(data.draw(st.integers(0, 3))):
        edit = data.draw(edits(now).filter(lambda e, n=now: e.add is None or _is_new(e.add, n)))
        recipe.append(edit)
        now = apply(now, edit)
    done = Recipe(tuple(recipe)).replay(table)
    assert content_sums(done.table, ROW_ID) == content_sums(now, ROW_ID)
    assert done.skipped == (0,) * len(recipe)


def _is_new(added: pa.Table, table: pa.Table) -> bool:
    return not set(added.column(ROW_ID).to_pylist()) & set(table.column(ROW_ID).to_pylist())
