"""Category swap: a share of the cells, by how often the others occur."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pytest
from transform_rows import texts

from tilth.core.errors import ConfigError, NotApplicable
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


def test_the_others_are_those_of_rows_like_it():
    towns = {"it": ["Rome", "Milan", "Turin"], "es": ["Madrid", "Seville", "Bilbao"]}
    countries = [("it", "es")[i % 2] for i in range(600)]
    cities = [towns[country][i // 2 % 3] for i, country in enumerate(countries)]
    batch = texts(country=countries, city=cities, coin=["euro"] * 600)
    made = CategorySwap(severity=5, columns=()).learn(batch)
    changed = made.apply(batch, draw_of(made, 0)).columns
    assert changed["country"].to_pylist() == countries, "the city tells the country"
    after = changed["city"].to_pylist()
    assert 0.4 < sum(now != was for now, was in zip(after, cities, strict=True)) / 600 < 0.6
    assert all(now in towns[country] for now, country in zip(after, countries, strict=True))
    marginal = CategorySwap(severity=5, values=made.values).apply(batch, draw_of(made, 0)).columns["city"].to_pylist()
    assert any(now not in towns[country] for now, country in zip(marginal, countries, strict=True))


def test_a_neighbour_is_wanted():
    with pytest.raises(ConfigError, match="neighbours cannot be 0"):
        CategorySwap(neighbours=0)
