"""Comparing two tables by row id."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.core.apply import apply
from tilth.core.compare import table_difference
from tilth.core.edit import Edit, Verb
from tilth.core.ids import content_sums
from tilth.core.names import ROW_ID
from tilth.core.spec import Spec
from tilth.testing.strategies import edits, tables

LAW = settings(max_examples=25, deadline=None)


def test_rows_come_and_go_and_cells_change():
    old = pa.table({ROW_ID: ["a", "b", "c"], "x": [1, 2, None], "y": ["u", "v", "w"]})
    new = pa.table({ROW_ID: ["d", "c", "b"], "x": [9, 3, 2], "y": ["z", "w", "V"]})
    found = table_difference(old, new)
    assert found.gone.to_pylist() == ["a"]
    assert found.new.to_pylist() == [{ROW_ID: "d", "x": 9, "y": "z"}]
    assert {name: cells.to_pylist() for name, cells in found.changed.items()} == {
        "x": [{ROW_ID: "c", "x": 3}],
        "y": [{ROW_ID: "b", "y": "V"}],
    }
    assert (found.n_cells, found.is_empty) == (2, False)


def test_the_order_of_rows_and_the_width_of_numbers_are_no_difference():
    old = pa.table({ROW_ID: ["a", "b"], "x": pa.array([1.5, None], pa.float64())})
    new = pa.table({ROW_ID: ["b", "a"], "x": pa.array([None, 1.5], pa.float32())})
    assert table_difference(old, new).is_empty
    assert table_difference(old.slice(0, 0), new.slice(0, 0)).is_empty


@LAW
@given(data=st.data(), old=tables())
def test_law_a_difference_as_an_edit_takes_the_old_table_to_the_new(data, old):
    new = apply(old, data.draw(edits(old)))
    found = table_difference(old, new)
    edit = Edit(
        verb=Verb.MODIFY,
        operator=Spec(room="testing", name="difference"),
        reason="",
        author="person",
        drop=found.gone,
        set={name: cells.rename_columns([ROW_ID, "value"]) for name, cells in found.changed.items()},
        add=found.new if found.new.num_rows else None,
        evaluation=True,
    )
    assert content_sums(apply(old, edit), ROW_ID) == content_sums(new, ROW_ID)
    assert found.is_empty == (content_sums(old, ROW_ID) == content_sums(new, ROW_ID))
