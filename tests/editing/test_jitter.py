"""Jitter: of the spread that train rows have, inside of their range, whole numbers whole."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from transform_rows import texts

from tilth.core.errors import NotApplicable
from tilth.editing.jitter import Jitter
from tilth.numerics.cell_changes import noise_of
from tilth.operators.transforming import draw_of


def test_its_deviation_and_range():
    values = np.random.default_rng(0).normal(50, 10, 4000)
    batch = texts(x=values.tolist())
    made = Jitter(severity=4).learn(batch)
    assert abs(made.spreads["x"] - 10) < 0.3
    after = np.asarray(made.apply(batch, draw_of(made, 0)).columns["x"])
    assert abs((after - values).std() - 2) < 0.1
    assert after.min() >= values.min()
    assert after.max() <= values.max()


def test_whole_numbers_stay_whole_and_missing_ones_missing():
    batch = texts(x=[float(i % 40) for i in range(400)] + [None, float("nan")])
    made = Jitter(severity=5).learn(batch)
    after = made.apply(batch, draw_of(made, 0))
    cells = np.asarray(after.columns["x"].drop_null())
    assert (cells[:-1] == np.rint(cells[:-1])).all()
    assert after.columns["x"][400].as_py() is None
    assert 0.5 < after.applied.mean() < 1


def test_it_must_know_a_spread():
    with pytest.raises(NotApplicable, match="let it learn them"):
        Jitter().apply(texts(x=[1.0]), draw_of(Jitter(), 0))
    given = Jitter(spreads={"x": 1.0}).apply(texts(x=[1.5]), draw_of(Jitter(), 0))
    assert given.columns["x"].type == pa.float64()


def test_a_value_that_most_cells_have_stays():
    batch = texts(gain=[0.0] * 300 + [float(v) for v in range(1000, 1100)])
    made = Jitter(severity=5).learn(batch)
    assert made.atoms == {"gain": 0.0}
    assert 30 < made.spreads["gain"] < 45
    after = made.apply(batch, draw_of(made, 0))
    assert not after.applied[:300].any()
    assert after.applied[300:].mean() > 0.9


def test_a_number_that_others_tell_is_moved_by_no_more_than_they_leave_open():
    rng = np.random.default_rng(1)
    celsius = rng.normal(15, 8, 1500)
    batch = texts(c=celsius.tolist(), f=(celsius * 1.8 + 32 + rng.normal(0, 0.3, 1500)).tolist())
    made = Jitter(severity=5).learn(batch)
    assert 0.1 < made.noises["f"] < 0.8, "of a spread of 14"
    after = np.asarray(made.apply(batch, draw_of(made, 0)).columns["f"])
    assert (after - np.asarray(batch.columns["f"])).std() == pytest.approx(made.noises["f"], rel=0.1)
    free = texts(x=rng.normal(size=1500).tolist(), y=rng.normal(size=1500).tolist())
    assert Jitter().learn(free).noises["x"] == pytest.approx(1, abs=0.2), "what nothing tells is all noise"


def test_the_noise_is_found_among_many_columns_and_where_it_bends():
    rng = np.random.default_rng(2)
    many = rng.normal(size=(600, 8))
    line = many[:, :1] * 3 + rng.normal(0, 0.1, (600, 1))
    assert noise_of(np.hstack([line, many]))[0] == pytest.approx(0.1, rel=0.3)
    angle = rng.uniform(0, 20, 600)
    bent = np.column_stack([np.sin(angle) + rng.normal(0, 0.05, 600), angle])
    assert noise_of(bent)[0] < 0.15, "of a spread of 1"
    assert noise_of(np.array([[1.0], [2.0], [np.nan]])).tolist() == [pytest.approx(np.std([1, 2]), rel=0.5)]
