"""Labels from votes: pool rows come into train with the labels that their votes come to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.apply import apply, fit_to, inverse
from tilth.core.edit import Verb
from tilth.core.errors import NotApplicable
from tilth.core.ids import content_sums
from tilth.core.labelling import VotedRows
from tilth.core.names import ROW_ID, SPLIT, TARGET
from tilth.editing.label_from_votes import LabelFromVotes
from tilth.testing.views import view_of
from tilth.testing.worlds import system_columns

SPLITS = np.array(["train", "pool", "pool", "pool", "dev"])
VOTED = VotedRows(
    model="dawid_skene",
    probs=np.array([[0.9, 0.1], [0.6, 0.4], [0.05, 0.95], [0.5, 0.5], [0.0, 1.0]]),
    majority=np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0], [0.5, 0.5], [0.0, 1.0]]),
    covered=np.array([True, True, True, False, True]),
)


def view(editor, voted=VOTED):
    evidence = {} if voted is None else {"votes": voted}
    return view_of(editor, ids=["a", "b", "c", "d", "e"], splits=SPLITS, **evidence)


def table():
    columns = {"label": pa.array(["no", None, None, None, "yes"])}
    return pa.table(columns | system_columns(pa.array(["a", "b", "c", "d", "e"]), pa.array(SPLITS.tolist()), 2))


def test_voted_pool_rows_come_in_the_surest_first():
    edit = LabelFromVotes().propose(view(LabelFromVotes()))
    assert edit.verb is Verb.ADD
    assert edit.touched.to_pylist() == ["c", "b"]
    after = apply(table(), edit)
    assert after.column(SPLIT).to_pylist() == ["train", "train", "train", "pool", "dev"]
    assert after.column("label").to_pylist() == ["no", None, None, None, "yes"]
    assert np.allclose(after.column(TARGET).to_pylist()[2], [0.05, 0.95])


def test_only_sure_rows_where_that_is_asked_and_the_majority_as_rival():
    sure = LabelFromVotes(least=0.9)
    assert sure.choose(view(sure)).ids.to_pylist() == ["c"]
    rival = LabelFromVotes(by="majority")
    edit = rival.propose(view(rival))
    assert edit.set[TARGET].column("value").to_pylist() == [[0.0, 1.0], [0.5, 0.5]]
    assert "majority" in edit.reason
    assert "dawid_skene" in sure.propose(view(sure)).reason


def test_given_rows_it_labels_those_of_the_pool_that_have_a_vote():
    edit = LabelFromVotes(least=0.9).propose(view(LabelFromVotes()), np.array([0, 1, 3, 4]))
    assert edit.touched.to_pylist() == ["b"]


def test_it_is_taken_back_whole_and_leaves_rows_alone_that_left_the_pool():
    edit = LabelFromVotes().propose(view(LabelFromVotes()))
    after = apply(table(), edit)
    assert content_sums(apply(after, inverse(table(), edit)), ROW_ID) == content_sums(table(), ROW_ID)
    answered = table().set_column(
        table().column_names.index(SPLIT), SPLIT, pa.array(["train", "train", "pool", "pool", "dev"])
    )
    fitted, lost = fit_to(answered, edit)
    assert (fitted.touched.to_pylist(), lost) == (["c"], 1)


def test_without_labelers_or_votes_it_refuses():
    with pytest.raises(NotApplicable, match="no labelers"):
        LabelFromVotes().propose(view(LabelFromVotes(), None))
    mute = VotedRows(model="majority", probs=VOTED.probs, majority=VOTED.majority, covered=np.zeros(5, dtype=bool))
    with pytest.raises(NotApplicable, match="sure enough"):
        LabelFromVotes().propose(view(LabelFromVotes(), mute))


def test_rows_that_votes_nearby_reach_come_in_where_that_is_asked():
    reached = replace(
        VOTED, covered=np.array([True, True, False, False, True]), reached=np.array([0, 0, 1, 0, 0], dtype=bool)
    )
    nearby = LabelFromVotes(by="nearby")
    assert sorted(nearby.propose(view(nearby, reached)).touched.to_pylist()) == ["b", "c"]
    assert LabelFromVotes().propose(view(LabelFromVotes(), reached)).touched.to_pylist() == ["b"]
    with pytest.raises(NotApplicable, match="rows nearby"):
        nearby.propose(view(nearby))
