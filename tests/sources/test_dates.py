"""Dates as people write them, by hand."""

# ruff: noqa: DTZ001 - dates here carry no zone
from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilth.sources._dates import day_comes_first, parse_date


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2020-12-31", datetime(2020, 12, 31)),
        ("2013-11-07T06:20:48", datetime(2013, 11, 7, 6, 20, 48)),
        ("2013-11-07 06:20:48.123", datetime(2013, 11, 7, 6, 20, 48, 123000)),
        ("2020-12-31T23:30:00-01:00", datetime(2021, 1, 1, 0, 30)),
        ("2020-12-31T23:30:00Z", datetime(2020, 12, 31, 23, 30)),
        ("2020/1/5", datetime(2020, 1, 5)),
        ("31.12.2020", datetime(2020, 12, 31)),
        ("12/31/2020", datetime(2020, 12, 31)),
        ("5/2/08 1:05 PM", datetime(2008, 5, 2, 13, 5)),
        ("5/2/2008, 12:00 a.m.", datetime(2008, 5, 2)),
        ("31 Dec 2020", datetime(2020, 12, 31)),
        ("31-Dec-2020", datetime(2020, 12, 31)),
        ("Dec 31, 2020", datetime(2020, 12, 31)),
        ("December 1st, 2020", datetime(2020, 12, 1)),
        ("Thu, 31 Dec 2020 10:11:12", datetime(2020, 12, 31, 10, 11, 12)),
        (" 20201231 ", datetime(2020, 12, 31)),
    ],
)
def test_common_forms(text, moment):
    assert parse_date(text) == moment


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2020-02-30", "13/13/2020", "1.2.33", "2020", "10.0.0.1", "31 Foo 2020", "2020-12-31T25:00", "12:30"],
)
def test_no_dates(text):
    assert parse_date(text) is None


def test_day_first():
    assert parse_date("05/06/2020") == datetime(2020, 5, 6)
    assert parse_date("05/06/2020", day_first=True) == datetime(2020, 6, 5)
    assert day_comes_first("31/12/2020") is True
    assert day_comes_first("12/31/2020") is False
    assert day_comes_first("05/06/2020") is None
    assert day_comes_first("31.12.2020") is None


@given(moment=st.datetimes(min_value=datetime(1900, 1, 1)))
def test_iso_round_trip(moment):
    assert parse_date(moment.isoformat()) == moment
