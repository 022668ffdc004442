"""Edits: what they touch, their ids, and that they survive being written."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.core.edit import PERSON, Edit, Verb, ids_of
from tilth.core.names import PARENTS, ROW_ID, SPLIT, TARGET, TRUSTED, WEIGHT
from tilth.core.spec import Spec
from tilth.testing.strategies import edits, tables

LAW = settings(max_examples=25, deadline=None)
SPEC = Spec(room="editing", name="by_hand", parameters={"share": 0.1})


def relabelling(ids: list[str], to: list[str], reason: str = "because", spec: Spec = SPEC) -> Edit:
    return Edit.relabelling(
        "label", ids_of(ids), pa.array(to), pa.array(["x"] * len(ids)), operator=spec, reason=reason
    )


def test_rows_that_are_touched_are_named_once():
    edit = replace(relabelling(["b", "a"], ["y", "y"]), drop=ids_of(["c", "a"]), add=pa.table({ROW_ID: ["d"]}))
    assert edit.touched.to_pylist() == ["c", "a", "b", "d"]
    assert edit.n_rows == 4


def test_the_ways_to_make_one():
    ids = ids_of(["a", "b"])
    assert Edit.removing(ids, operator=SPEC, reason="").verb is Verb.REMOVE
    soft = Edit.softening(ids, np.array([[0.25, 0.75], [1.0, 0.0]]), operator=SPEC, reason="")
    assert (soft.verb, soft.set[TARGET].column("value").to_pylist()) == (Verb.RELABEL, [[0.25, 0.75], [1.0, 0.0]])
    weighted = Edit.weighting(ids, np.array([0.5, 2.0]), operator=SPEC, reason="")
    assert (weighted.verb, weighted.set[WEIGHT].column("value").to_pylist()) == (Verb.MODIFY, [0.5, 2.0])
    trusted = Edit.relabelling(
        "label", ids, ids, ids, operator=SPEC, reason="", author=PERSON, trusted=True, evaluation=True
    )
    assert trusted.set[TRUSTED].column("value").to_pylist() == [True, True]
    assert (trusted.author, trusted.evaluation) == (PERSON, True)
    assert Edit.removing(ids, operator=SPEC, reason="").author == "by_hand"


def test_the_same_proposal_has_the_same_id_in_whatever_order_and_words():
    edit = relabelling(["a", "b"], ["y", "z"])
    assert relabelling(["b", "a"], ["z", "y"], reason="said otherwise").edit_id == edit.edit_id
    long_text = pa.array(["y", "z"], pa.large_string())
    again = Edit.relabelling("label", ids_of(["a", "b"]), long_text, ids_of(["x", "x"]), operator=SPEC, reason="")
    assert again.edit_id == edit.edit_id


def test_any_other_proposal_has_another_id():
    edit = relabelling(["a", "b"], ["y", "z"])
    others = [
        relabelling(["a", "b"], ["z", "y"]),
        relabelling(["a"], ["y"]),
        relabelling(["a", "b"], ["y", "z"], spec=replace(SPEC, parameters={"share": 0.2})),
        relabelling(["a", "b"], ["y", "z"], spec=replace(SPEC, revision=2)),
        replace(edit, author=PERSON),
        replace(edit, verb=Verb.MODIFY),
        replace(edit, drop=ids_of(["c"])),
        replace(edit, add=pa.table({ROW_ID: ["d"]})),
        replace(edit, set={"other": edit.set["label"]}),
    ]
    assert len({edit.edit_id, *(other.edit_id for other in others)}) == len(others) + 1


def test_an_edit_id_is_pinned():
    """Another id means that every store forgets which edits it has tried."""
    assert relabelling(["a", "b"], ["y", "z"]).edit_id == "e-01b24c82143b"


def test_nothing_is_touched_by_an_edit_without_rows():
    edit = Edit.removing(ids_of([]), operator=SPEC, reason="")
    assert (edit.n_rows, edit.to_tables()) == (0, {})


@LAW
@given(data=st.data(), table=tables())
def test_law_an_edit_survives_being_written(data, table):
    edit = data.draw(edits(table))
    facts = json.loads(json.dumps(edit.describe()))
    again = Edit.from_parts(facts, edit.to_tables())
    assert (again.edit_id, again.describe()) == (edit.edit_id, edit.describe())
    assert again.touched.equals(edit.touched)


def test_what_was_expected_survives_being_written():
    edit = relabelling(["a"], ["y"])
    again = Edit.from_parts(edit.describe(), edit.to_tables())
    assert again.expects["label"].equals(edit.expects["label"])


def test_made_rows_are_whole_and_their_ids_follow_from_parents_and_draw():
    rows = pa.table(
        {
            "x": [1.0, 2.0, 3.0],
            "label": ["a", "a", None],
            TARGET: pa.array([None, None, [0.5, 0.5]], pa.list_(pa.float32(), 2)),
            PARENTS: [["p", "q"], ["p", "q"], ["q"]],
        }
    )
    edit = Edit.synthesizing(rows, np.array([0, 1, 0]), operator=SPEC, reason="made")
    ids = edit.add.column(ROW_ID).to_pylist()
    assert len(set(ids)) == 3
    assert (edit.verb, edit.author, edit.touched.to_pylist()) == (Verb.SYNTHESIZE, "by_hand", ids)
    assert edit.add.column(SPLIT).to_pylist() == ["train"] * 3
    assert edit.add.column(WEIGHT).null_count == 3
    other = Edit.synthesizing(rows.slice(1), np.array([1, 0]), operator=SPEC, reason="made")
    assert other.add.column(ROW_ID).to_pylist() == ids[1:]
    stronger = Spec(room="editing", name="by_hand", parameters={"share": 0.2})
    assert not set(
        Edit.synthesizing(rows, np.zeros(3, int), operator=stronger, reason="").add.column(ROW_ID).to_pylist()
    ) & set(ids)
