"""Category swap: a share of the cells, by how often the others occur."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pytest
from transform_rows import texts

from tilth.core.errors import NotApplicable
from tilth.editing.category_swap import CategorySwap
from tilth.operators.transforming import draw_of


def test_the_share_and_the_frequencies():
    cells = ["a"] * 600 + ["b"] * 300 + ["c"] * 100
    batch = texts(x=cells)
    made = CategorySwap(severity=5).learn(batch)
    assert made.values == {"x": {"a": 600.0, "b": 300.0, "c": 100.0}}
    after = made.apply(batch, draw_of(made, 0))
    assert abs(after.applied.mean() - 0.5) < 0.05
    new = Counter(now for was, now in zip(cells, after.columns["x"].to_pylist(), strict=True) if was == "a" != now)
    assert 2 < new["b"] / new["c"] < 4.5


def test_unseen_ones_may_be_replaced_and_missing_ones_stay():
    made = CategorySwap(severity=5, values={"x": {"a": 1}})
    batch = texts(x=["z"] * 50 + [None] * 10)
    after = made.apply(batch, draw_of(made, 0)).columns["x"].to_pylist()
    assert set(after[:50]) == {"a", "z"}
    assert after[50:] == [None] * 10


def test_one_category_stays_and_a_dictionary_column_is_one_afterwards():
    cells = pa.array(["a", "a", None]).dictionary_encode()
    batch = texts(x=cells)
    made = CategorySwap(severity=5).learn(batch)
    after = made.apply(batch, draw_of(made, 0))
    assert after.columns["x"].type == cells.type
    assert not after.applied.any()
    with pytest.raises(NotApplicable, match="let it learn them"):
        CategorySwap().apply(batch, draw_of(made, 0))
