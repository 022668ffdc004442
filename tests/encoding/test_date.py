from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import InputError
from tilth.encoding.date import Date, cycles, trend_parameters

YEAR = 365.2425 * 86_400e6


def test_cycles_by_hand() -> None:
    monday_noon = pa.scalar(datetime(2024, 1, 1, 12, tzinfo=UTC), pa.timestamp("us", "UTC")).cast(pa.int64()).as_py()
    year, week, day = cycles(np.array([monday_noon])).reshape(3, 2)
    np.testing.assert_allclose(year, [np.cos(np.pi / 366), np.sin(np.pi / 366)])
    np.testing.assert_allclose(week, [np.cos(np.pi / 7), np.sin(np.pi / 7)], atol=1e-12)
    np.testing.assert_allclose(day, [-1, 0], atol=1e-9)


def test_december_stands_beside_january() -> None:
    days = pa.array([date(2023, 12, 31), date(2024, 1, 1), date(2024, 7, 1)]).cast(pa.timestamp("us")).cast(pa.int64())
    points = cycles(np.asarray(days))[:, :2]
    assert np.linalg.norm(points[0] - points[1]) < 0.05 < 1.9 < np.linalg.norm(points[0] - points[2])


def test_trend_by_hand() -> None:
    times = np.array([0, 1, 2, 3, 4], dtype=np.int64) * int(YEAR)
    median, scale = trend_parameters(times)
    assert median == 2 * int(YEAR)
    assert scale == pytest.approx(2 * YEAR / 1.349)
    assert trend_parameters(np.zeros(0, dtype=np.int64)).tolist() == [0.0, YEAR]
    assert trend_parameters(times[:1])[1] == YEAR


def test_layouts(same_for_all_layouts) -> None:
    stamps = np.random.default_rng(0).integers(0, 2**50, 120)
    cells = pa.array(stamps, pa.timestamp("us"), mask=np.arange(120) % 7 == 0)
    same_for_all_layouts(Date(sample=40), cells, pa.array([None, 0, -(2**50)], pa.timestamp("us")))


def test_units_zones_and_days_agree(fitted) -> None:
    days = pa.array([date(2020, 2, 29), date(2021, 6, 1), None])
    known = fitted(Date(), days)
    expected = known(days)
    for kind in (pa.timestamp("s"), pa.timestamp("ns"), pa.timestamp("us", "UTC"), pa.date64()):
        np.testing.assert_array_equal(known(days.cast(kind)), expected)
    assert expected[2].tolist() == [0] * 7 + [1]


def test_nothing_and_what_is_no_date(fitted) -> None:
    assert fitted(Date(), pa.nulls(3, pa.date32()))(pa.nulls(1, pa.date32()))[0, -1] == 1
    with pytest.raises(InputError, match="dates"):
        fitted(Date(), pa.array([[1.0]]))
