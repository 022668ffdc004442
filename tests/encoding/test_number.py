from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import LinearRegression

from tilth.core.errors import InputError
from tilth.encoding.number import Number, encode_numbers, knots_of, score_parameters


def test_score_by_hand() -> None:
    values = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    median, scale, heavy, centre, spread = score_parameters(values)
    assert (median, heavy, centre, spread) == (2.0, 0.0, 0.0, 1.0)
    assert scale == pytest.approx(2.0 / 1.349)


def test_knots_by_hand() -> None:
    assert knots_of(np.array([1.0, 1.0, 2.0, 5.0]), 8).tolist() == [1.0, 2.0, 5.0]
    many = np.sort(np.concatenate([np.zeros(90), np.arange(1.0, 31.0)]))
    knots = knots_of(many, 4)
    assert knots[:2].tolist() == [0.0, 1.0], "a common value and the next one up have knots of their own"
    assert knots[-1] == 30.0
    assert len(knots) <= 2 * 4 + 1
    assert not len(knots_of(np.zeros(0), 4))


def test_bins_by_hand() -> None:
    found = encode_numbers(
        np.array([-1.0, 0.5, 3.0]), np.array([0, 1, 0, 0, 1.0]), np.array([0.0, 1.0, 2.0]), np.zeros(2)
    )
    np.testing.assert_allclose(found, [[-1, 0, 0], [0.5, 0.5, 0], [3, 1, 1]])


def test_layouts(same_for_all_layouts) -> None:
    values = np.random.default_rng(0).standard_normal(200).round(1)
    cells = pa.array(values, mask=np.arange(200) % 11 == 0)
    same_for_all_layouts(Number(sample=50), cells, pa.array([None, 0.3, float("nan"), 1e300]))


def test_missing_and_infinite_cells_are_alike(fitted) -> None:
    known = fitted(Number(), [1.0, 2.0, 3.0, 7.0])
    rows = known(pa.array([None, np.nan, np.inf, -np.inf, 2.0]))
    np.testing.assert_array_equal(rows[:4, :-1], 0.0)
    assert rows[:, -1].tolist() == [1, 1, 1, 1, 0]


def test_outliers_are_clipped_and_heavy_tails_are_logged(fitted) -> None:
    rng = np.random.default_rng(1)
    normal = fitted(Number(), rng.standard_normal(500))
    assert not normal.state["score"][2]
    assert normal([1e9])[0, 0] == 4.0
    heavy = fitted(Number(), np.exp(2.5 * rng.standard_normal(500)))
    assert heavy.state["score"][2]
    scores = heavy([1.0, 10.0, 100.0, 1e4])[:, 0]
    assert (np.diff(scores) > 0).all() and scores[-2] < 4.0


def test_bins_let_a_linear_model_bend(fitted) -> None:
    x = np.random.default_rng(2).uniform(-3, 3, 2_000)
    features = fitted(Number(), x)(x)
    truth = np.abs(x)
    assert LinearRegression().fit(features[:, :1], truth).score(features[:, :1], truth) < 0.05
    assert LinearRegression().fit(features, truth).score(features, truth) > 0.98


@pytest.mark.parametrize(
    "cells",
    [
        pa.array([1, 2, 3, 4]),
        pa.array([1.0, 2, 3, 4], pa.float32()),
        pa.array(["1", "2", "3", "4"]).dictionary_encode(),
    ],
)
def test_physical_types_agree(fitted, cells: pa.Array) -> None:
    known = fitted(Number(), cells)
    np.testing.assert_array_equal(known(cells), fitted(Number(), [1.0, 2.0, 3.0, 4.0])([1.0, 2.0, 3.0, 4.0]))


def test_booleans_constants_and_nothing(fitted) -> None:
    assert fitted(Number(), [True, False, None])([True, None]).shape[0] == 2
    assert np.isfinite(fitted(Number(), [5.0] * 9)([5.0, 6.0])).all()
    assert fitted(Number(), pa.nulls(4, pa.float64()))([1.0]).tolist() == [[1.0, 0.0]]
    assert fitted(Number(), pa.nulls(4))(pa.nulls(2)).tolist() == [[0.0, 1.0]] * 2
    assert fitted(Number(bins=0), [1.0, 2.0])([1.0]).shape == (1, 2)


def test_text_that_is_no_number_is_refused(fitted) -> None:
    with pytest.raises(InputError, match="column 'cells'"):
        fitted(Number(), ["1", "two"])
