"""tail_buckets: shares by hand, predicates, unseen values, keys that are none."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import NotApplicable, UnknownColumnError
from tilth.engine.predicate import Predicate
from tilth.operators.batch import Batch
from tilth.slicing.tail_buckets import TailBuckets, frequency_buckets
from tilth.testing.views import view_of


def test_by_hand():
    assert frequency_buckets(np.array([50, 30, 10, 10, 0])).tolist() == [0, 1, 2, 2, 3]
    assert frequency_buckets(np.array([5, 5])).tolist() == [0, 0]  # values of one frequency stand together
    assert frequency_buckets(np.array([0, 3]), head=1.0, torso=1.0).tolist() == [3, 0]
    assert frequency_buckets(np.zeros(0, dtype=int)).tolist() == []


def slices_of(cells, scores, splits=None, **parameters):
    operator = TailBuckets(**parameters)
    splits = np.array(["train"] * len(cells)) if splits is None else np.asarray(splits)
    table = {"shop": pa.array(cells)}
    return {
        one.slice.name: one
        for one in operator.discover(view_of(operator, table=table, scores=np.asarray(scores, float), splits=splits))
    }, Batch(ids=pa.array([str(i) for i in range(len(cells))]), columns=table)


def test_planted_tail():
    rng = np.random.default_rng(0)
    cells = ["big"] * 500 + ["middle's"] * 300 + [f"s{i % 40}" for i in range(200)]
    scores = rng.random(1000) < np.where(np.arange(1000) < 800, 0.9, 0.6)
    found, batch = slices_of(cells, scores)
    assert [found[f"{bucket} of shop"].n_rows for bucket in ("head", "torso", "tail")] == [500, 300, 200]
    assert next(iter(found)) == "tail of shop"
    assert found["tail of shop"].q_value < 1e-6
    assert found["head of shop"].q_value > 0.5
    assert found["torso of shop"].slice.where == "shop IN ('middle''s')"
    for one in found.values():
        assert np.array_equal(Predicate(one.slice.where).holds(batch), one.membership > 0.5)


def test_unseen_values_are_those_of_no_train_row():
    cells = ["a"] * 40 + ["b"] * 10 + ["c"] * 10 + [None] * 5
    splits = ["train"] * 50 + ["dev"] * 15
    found, batch = slices_of(cells, [1] * 50 + [0] * 10 + [1] * 5, splits)
    assert found["unseen of shop"].slice.where == "shop IN ('c')"
    assert found["unseen of shop"].score.value == 0.0
    assert np.array_equal(Predicate("shop IN ('c')").holds(batch), found["unseen of shop"].membership > 0.5)


def test_numbers_may_be_keys_and_measurements_not():
    found, _ = slices_of([7] * 60 + [8] * 40, [1, 0] * 50, key="shop")
    assert found["head of shop"].slice.where == "shop IN (7)"
    with pytest.raises(NotApplicable, match="no key"):
        slices_of([0.5] * 10, [1, 0] * 5, key="shop")
    with pytest.raises(UnknownColumnError, match="shop"):
        slices_of(["a"] * 10, [1, 0] * 5, key="shp")


def test_the_key_with_the_most_values_is_taken_and_no_category_is_refused():
    operator = TailBuckets()
    splits, scores = np.array(["train"] * 4), np.array([1.0, 0, 1, 0])
    table = {"two": pa.array(list("aabb")), "three": pa.array(list("aabc"))}
    found = operator.discover(view_of(operator, table=table, scores=scores, splits=splits))
    assert {one.slice.name for one in found} == {"head of three", "torso of three"}
    with pytest.raises(NotApplicable, match="category"):
        operator.discover(view_of(operator, table={"x": pa.array([1.0, 2, 3, 4])}, scores=scores, splits=splits))
