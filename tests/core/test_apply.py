"""Apply and inverse: by hand, and as laws over tables and edits."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.core.apply import apply, fit_to, inverse
from tilth.core.edit import PERSON, Edit, Verb, ids_of
from tilth.core.errors import EditConflictError, ProtectedRowError
from tilth.core.ids import content_sums
from tilth.core.names import PARENTS, ROW_ID, SPLIT, WEIGHT
from tilth.core.spec import Spec
from tilth.testing.strategies import edits, tables

LAW = settings(max_examples=25, deadline=None)

SPEC = Spec(room="editing", name="by_hand")


def rows(table: pa.Table, column: str = ROW_ID) -> list[object]:
    return table.column(column).to_pylist()


def removing(*ids: str) -> Edit:
    return Edit.removing(ids_of(ids), operator=SPEC, reason="test")


def relabelling(ids: str, to: list[str], given_labels: list[str], **more: object) -> Edit:
    return Edit.relabelling(
        "label", ids_of(list(ids)), pa.array(to), pa.array(given_labels), operator=SPEC, reason="test", **more
    )


def adding(table: pa.Table) -> Edit:
    return Edit(verb=Verb.ADD, operator=SPEC, reason="test", author="by_hand", add=table)


def test_cells_are_set_by_id_and_the_input_stays(table_of):
    table = table_of("abc", label=pa.array(["x", "y", "z"]))
    after = apply(table, relabelling("ca", ["Z", "X"], ["z", "x"]))
    assert rows(after, "label") == ["X", "y", "Z"]
    assert rows(table, "label") == ["x", "y", "z"]
    assert rows(after) == ["a", "b", "c"]


def test_cells_are_brought_to_the_type_of_the_column(table_of):
    table = table_of("ab", n=pa.array([1, 2], pa.int16()))
    edit = replace(removing(), set={"n": pa.table({ROW_ID: ["b"], "value": pa.array([7], pa.int64())})})
    after = apply(table, edit)
    assert after.schema == table.schema
    assert rows(after, "n") == [1, 7]


def test_rows_go_and_rows_come_last(table_of):
    table, more = table_of("abc"), table_of("de")
    after = apply(table, replace(adding(more), drop=ids_of(["b"])))
    assert rows(after) == ["a", "c", "d", "e"]


def test_what_was_made_from_a_dropped_row_goes_with_it(table_of):
    """a -> d -> e is dropped with a; f stays, for b does; g has two parents, of which one went."""
    table = table_of("abcdefg", parents={"d": ["a"], "e": ["d"], "f": ["b"], "g": ["b", "a"]})
    after = apply(table, removing("a"))
    assert rows(after) == ["b", "c", "f"]
    assert rows(apply(after, inverse(table, removing("a")))) == ["b", "c", "f", "a", "d", "e", "g"]


@pytest.mark.parametrize("parent", ["a", "d", "e"])
def test_no_row_is_added_that_is_made_from_a_row_that_goes(table_of, parent):
    """d is made from a, and e from d: all three go with a."""
    table, more = table_of("abde", parents={"d": ["a"], "e": ["d"]}), table_of("x", parents={"x": [parent]})
    with pytest.raises(EditConflictError, match=r"made from rows that it drops.*rows x"):
        apply(table, replace(adding(more), drop=ids_of(["a"])))
    assert rows(apply(table, replace(adding(more), drop=ids_of(["b"])))) == ["a", "d", "e", "x"]


@pytest.mark.parametrize("split", ["dev", "test"])
def test_rows_that_judge_are_protected(table_of, split):
    table = table_of("ab", splits=["train", split], label=pa.array(["x", "y"]))
    with pytest.raises(ProtectedRowError, match=r"touches 1 dev or test rows.*rows b"):
        apply(table, relabelling("ab", ["y", "x"], ["x", "y"]))
    with pytest.raises(ProtectedRowError):
        apply(table, removing("b"))
    with pytest.raises(ProtectedRowError):  # the word of a person is needed, not only the mark
        apply(table, relabelling("b", ["x"], ["y"], evaluation=True))
    with pytest.raises(ProtectedRowError):  # and the mark, not only the person
        apply(table, relabelling("b", ["x"], ["y"], author=PERSON))
    by_person = relabelling("b", ["x"], ["y"], author=PERSON, evaluation=True)
    assert rows(apply(table, by_person), "label") == ["x", "x"]


@pytest.mark.parametrize("split", ["train", "pool", "unused"])
def test_other_rows_are_not(table_of, split):
    assert rows(apply(table_of("ab", splits=[split, "dev"]), removing("a"))) == ["b"]


def test_no_operator_may_put_rows_among_those_that_judge(table_of):
    table = table_of("ab")
    with pytest.raises(ProtectedRowError, match="rows c"):
        apply(table, adding(table_of("c", splits=["dev"])))
    moved = replace(removing(), set={SPLIT: pa.table({ROW_ID: ["a"], "value": ["test"]})})
    with pytest.raises(ProtectedRowError, match="rows a"):
        apply(table, moved)
    assert rows(apply(table, replace(moved, author=PERSON, evaluation=True)), SPLIT) == ["test", "train"]


def test_what_does_not_fit_is_refused_by_name(table_of):
    table = table_of("abc")
    with pytest.raises(EditConflictError, match=r"names 2 rows.*rows x, y"):
        apply(table, relabelling("xay", ["n"] * 3, ["yes"] * 3))
    with pytest.raises(EditConflictError, match="rows x"):
        apply(table, removing("a", "x"))
    with pytest.raises(EditConflictError, match=r"already there.*rows b"):
        apply(table, adding(table_of("bd")))
    nowhere = replace(removing(), set={"colour": pa.table({ROW_ID: ["a"], "value": ["red"]})})
    with pytest.raises(EditConflictError, match="'colour'"):
        apply(table, nowhere)


def test_an_edit_may_replace_a_row(table_of):
    """The same id goes and comes: dropping is first."""
    table, other = table_of("ab", label=pa.array(["x", "y"])), table_of("a", label=pa.array(["new"]))
    after = apply(table, replace(adding(other), drop=ids_of(["a"])))
    assert rows(after, "label") == ["y", "new"]
    assert content_sums(apply(after, inverse(table, replace(adding(other), drop=ids_of(["a"])))), ROW_ID) == (
        content_sums(table, ROW_ID)
    )


def test_a_row_that_is_set_and_dropped_comes_back_as_it_was(table_of):
    table = table_of("ab", label=pa.array(["x", "y"]))
    edit = replace(relabelling("ab", ["X", "Y"], ["x", "y"]), drop=ids_of(["a"]))
    after = apply(table, edit)
    assert rows(after, "label") == ["Y"]
    assert dict(zip(*(rows(apply(after, inverse(table, edit)), c) for c in (ROW_ID, "label")), strict=True)) == {
        "a": "x",
        "b": "y",
    }


def test_missing_cells_come_back_missing(table_of):
    table = table_of("ab")
    edit = Edit.weighting(ids_of(["a"]), [0.5], operator=SPEC, reason="test")  # type: ignore[arg-type]
    back = apply(apply(table, edit), inverse(table, edit))
    assert rows(back, WEIGHT) == [None, None]


def test_fit_to_leaves_out_what_is_gone_or_changed(table_of):
    table = table_of("acd", label=pa.array(["x", "other", "z"]))
    edit = replace(relabelling("abc", ["X", "Y", "Z"], ["x", "y", "z"]), drop=ids_of(["d", "e"]))
    fitted, missed = fit_to(table, edit)
    assert missed == 3  # b and e are gone, c is no longer z
    assert fitted.touched.to_pylist() == ["d", "a"]
    assert rows(apply(table, fitted), "label") == ["X", "other"]


def test_fit_to_leaves_a_fitting_edit_alone(table_of):
    table = table_of("abc", label=pa.array(["x", "y", None]))
    edit = relabelling("ac", ["X", "Z"], ["x", None])
    fitted, missed = fit_to(table, edit)
    assert (missed, fitted.edit_id) == (0, edit.edit_id)


def test_fit_to_leaves_out_what_was_made_from_a_row_that_changed_since(table_of):
    """m of a and b, n of c alone: once b is relabelled, m is left out."""
    table = table_of("abc", label=pa.array(["x", "x", "y"]))
    more = table_of("mn", label=pa.array(["x", "y"]), parents={"m": ["a", "b"], "n": ["c"]})
    held = pa.table({ROW_ID: ["a", "b", "c"], "value": ["x", "x", "y"]})
    edit = replace(adding(more), expects={"label": held})
    assert rows(fit_to(table, edit)[0].add) == ["m", "n"]
    changed = apply(table, relabelling("b", ["y"], ["x"]))
    fitted, n_left = fit_to(changed, edit)
    assert rows(fitted.add) == ["n"]
    assert n_left == 1
    assert rows(apply(changed, fitted)) == ["a", "b", "c", "n"]


def test_fit_to_adds_what_is_new_and_has_its_parents(table_of):
    """d has its parent and e stands on d; f's is gone, g's is dropped, b is there already."""
    made = table_of("efdgb", parents={"e": ["d"], "d": ["a"], "f": ["x"], "g": ["c"]})
    fitted, missed = fit_to(table_of("abc"), replace(adding(made), drop=ids_of(["c"])))
    assert fitted.add is not None
    assert rows(fitted.add) == ["e", "d"]
    assert missed == 3
    assert rows(apply(table_of("abc"), fitted), PARENTS) == [None, None, ["d"], ["a"]]
    assert fit_to(table_of("b"), adding(made))[0].add is None


@LAW
@given(data=st.data(), table=tables())
def test_law_an_edit_and_its_inverse_leave_the_content_as_it_was(data, table):
    edit = data.draw(edits(table))
    after = apply(table, edit)
    assert after.schema == table.schema
    assert content_sums(apply(after, inverse(table, edit)), ROW_ID) == content_sums(table, ROW_ID)


@LAW
@given(data=st.data(), table=tables())
def test_law_rows_outside_an_edit_keep_place_and_cells(data, table):
    edit = data.draw(edits(table))
    after = apply(table, edit)
    touched = set(edit.touched.to_pylist())
    kept = [row for row in rows(after) if row not in touched]
    assert kept == [row for row in rows(table) if row in set(kept)]
    before = {row["_tilth_id"]: row for row in table.to_pylist()}
    assert all(row == before[row["_tilth_id"]] for row in after.to_pylist() if row["_tilth_id"] in set(kept))
    assert not set(rows(after)) & (set(edit.drop.to_pylist()))
    assert all(set(parents or ()) <= set(rows(after)) for parents in rows(after, PARENTS))


@LAW
@given(data=st.data(), table=tables())
def test_law_an_edit_fits_the_table_that_it_was_made_for(data, table):
    edit = data.draw(edits(table))
    fitted, missed = fit_to(table, edit)
    assert (fitted.edit_id, missed) == (edit.edit_id, 0)


@LAW
@given(data=st.data(), table=tables())
def test_law_what_is_fitted_applies_to_any_other_version(data, table):
    edit = data.draw(edits(table))
    other = table.filter(
        pa.array(data.draw(st.lists(st.booleans(), min_size=len(table), max_size=len(table))), pa.bool_())
    )
    present = set(rows(other))
    orphans = [p and not set(p) <= present for p in rows(other, PARENTS)]
    other = other.filter(pa.array([not orphan for orphan in orphans], pa.bool_()))
    fitted, missed = fit_to(other, edit)
    assert missed == edit.n_rows - fitted.n_rows
    apply(other, fitted)
