"""upweight_slice: by hand, soft edges, old weights, the slice aimed at, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.edit import Verb
from tilth.core.errors import NotApplicable
from tilth.core.names import WEIGHT
from tilth.editing.upweight_slice import UpweightSlice, upweighted
from tilth.testing.views import view_of

SLICES = {"worst": (np.arange(60) < 25).astype(float), "other": (np.arange(60) >= 30).astype(float)}


def view(editor, **evidence):
    facts = {"labels": np.arange(60) % 2, "slices": SLICES, "weights": np.ones(60)}
    return view_of(editor, **(facts | evidence))


def test_upweighted_by_hand():
    assert upweighted(np.array([1.0, 2.0, 1.0]), np.array([1.0, 0.5, 0.0]), 3.0).tolist() == [3.0, 4.0, 1.0]


def test_aims_at_the_worst_slice_or_the_one_named():
    editor = UpweightSlice(times=2.0)
    edit = editor.propose(view(editor, weights=np.full(60, 1.5)))
    assert (edit.verb, set(edit.set)) == (Verb.MODIFY, {WEIGHT})
    assert edit.touched.to_pylist() == [f"r{i}" for i in range(25)]
    assert set(edit.set[WEIGHT].column("value").to_pylist()) == {3.0}
    assert "'worst'" in edit.reason
    named = UpweightSlice(slice="other")
    assert named.propose(view(named)).touched.to_pylist() == [f"r{i}" for i in range(30, 60)]


def test_strengths_keep_the_slice():
    assert [(e.slice, e.times) for e in UpweightSlice(slice="a").strengths()] == [("a", 2.0), ("a", 4.0), ("a", 8.0)]


def test_numbers_have_slices_too():
    editor = UpweightSlice()
    numbers = view_of(editor, classes=(), numbers=np.zeros(60), slices=SLICES, weights=np.ones(60))
    assert editor.propose(numbers).n_rows == 25


def test_refusals():
    editor = UpweightSlice()
    with pytest.raises(NotApplicable, match="no slice is declared or was discovered"):
        editor.propose(view(editor, slices={}))
    with pytest.raises(NotApplicable, match="no slice named 'gone'"):
        UpweightSlice(slice="gone").propose(view(UpweightSlice(slice="gone")))
    with pytest.raises(NotApplicable, match="5 labelled rows, fewer than 20"):
        editor.propose(view(editor, slices={"tiny": (np.arange(60) < 5).astype(float)}))
    with pytest.raises(NotApplicable, match="all but 0 of the labelled rows"):
        editor.propose(view(editor, slices={"all": np.ones(60)}))
