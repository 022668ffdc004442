"""Cells: what reads as a number, a category, a date, a vector, and what is missing."""

# ruff: noqa: DTZ001 - dates here carry no zone
from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilth.sources._cells import as_category, as_date, as_number, as_text, as_vector, infinite, is_day_first


def column(values, kind=None):
    return pa.chunked_array([pa.array(values, kind)])


def test_numbers_in_text_by_hand():
    cells = ["1", " 2.5 ", "+3", "-4e2", ".5", "1,234.5", "", None, "?", "NA", "none", "n/a", "12 oz", "1,23", "inf"]
    found = as_number(column(cells))
    expected = [1, 2.5, 3, -400, 0.5, 1234.5, *[None] * 9]
    assert found.column.to_pylist() == expected
    assert np.flatnonzero(found.junk).tolist() == [12, 13, 14]


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, None], pa.int8(), [1.0, None]),
        ([1.5, float("nan"), float("inf")], pa.float32(), [1.5, None, None]),
        ([True, False], None, [1.0, 0.0]),
        ([Decimal("1.50")], None, [1.5]),
        ([timedelta(seconds=2)], None, [2.0]),
        ([datetime(1970, 1, 2)], None, [86400.0]),
        ([[1]], None, [None]),
    ],
)
def test_numbers_of_other_types(values, kind, expected):
    assert as_number(column(values, kind)).column.to_pylist() == expected


def test_categories_agree_across_doors():
    assert as_category(column([1, 2, None])).to_pylist() == ["1", "2", None]
    assert as_category(column([1.0, 2.5, float("nan")])).to_pylist() == ["1", "2.5", None]
    assert as_category(column(["1.0", "01", " a ", "NaN", "?", "none", ""])).to_pylist() == [
        "1", "01", "a", None, None, "none", None,
    ]  # fmt: skip
    assert as_category(column([True, False])).to_pylist() == ["true", "false"]
    assert as_category(column(["True", "FALSE"])).to_pylist() == ["true", "false"]
    assert as_category(column(["a", "b"]).dictionary_encode().cast(pa.string())).to_pylist() == ["a", "b"]


def test_text_stays_as_it_is_and_blank_is_missing():
    assert as_text(column([" a b\n", "", "  ", "NA", None])).to_pylist() == [" a b\n", None, None, "NA", None]
    assert as_text(column([["x", "y"], ["z"]])).to_pylist() == ["x, y", "z"]


def test_dates_of_every_type_agree():
    moment = datetime(2020, 12, 31)
    forms = [["2020-12-31"], [date(2020, 12, 31)], [moment], ["31.12.2020"], [20201231], ["12/31/2020"]]
    assert {as_date(column(form)).column.to_pylist()[0] for form in forms} == {moment}
    zoned = column([moment], pa.timestamp("ns", tz="Europe/Berlin"))
    assert as_date(zoned).column.to_pylist() == [moment]
    found = as_date(column(["2020-01-01", "rubbish", "?", None]))
    assert found.column.null_count == 3
    assert found.junk.tolist() == [False, True, False, False]


def test_day_first_by_evidence():
    assert is_day_first(column(["5/6/2020", "31/12/2020"]))
    assert not is_day_first(column(["5/6/2020", "12/31/2020"]))
    assert not is_day_first(column(["31/12/2020", "12/31/2020"]))
    assert not is_day_first(column([1, 2]))


def test_vectors_take_the_most_common_length():
    found = as_vector(column([[1, 2], [3.0, 4], [5], None, [6, float("nan")]]))
    assert found.column.type == pa.list_(pa.float32(), 2)
    assert found.column.to_pylist() == [[1, 2], [3, 4], None, None, None]
    assert found.junk.tolist() == [False, False, True, False, True]


def test_vectors_of_other_forms():
    fixed = pa.chunked_array([pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int64(), 2))])
    assert as_vector(fixed).column.to_pylist() == [[1, 2], None, [3, 4]]
    assert as_vector(fixed.slice(1)).column.to_pylist() == [None, [3, 4]]
    assert as_vector(column(["[0.5, 1]", "[2, 3]", "x"])).column.to_pylist() == [[0.5, 1], [2, 3], None]
    assert as_vector(column([[1, 2], [3, 4, 5]]), width=3).column.to_pylist() == [None, [3, 4, 5]]
    assert as_vector(column(["a"])).junk.tolist() == [True]


def test_infinite_and_nan():
    assert infinite(column([1.0, float("inf"), float("nan"), None])).tolist() == [False, True, True, False]
    assert infinite(column(["1", "-Inf", "NaN", "infinity", "", None])).tolist() == [
        False,
        True,
        True,
        True,
        False,
        False,
    ]
    assert not infinite(column([1, 2])).any()


@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_a_number_written_and_read_is_the_same(values):
    assert as_number(column([repr(value) for value in values])).column.to_pylist() == values


@given(cells=st.lists(st.one_of(st.none(), st.text(max_size=5)), min_size=1, max_size=6))
def test_a_cell_reads_alone_as_it_reads_among_others(cells):
    for read in (lambda c: as_number(c).column, as_category, as_text, lambda c: as_date(c).column):
        together = read(column(cells, pa.string())).to_pylist()
        alone = [read(column([cell], pa.string())).to_pylist()[0] for cell in cells]
        assert together == alone


@given(cells=st.lists(st.one_of(st.none(), st.text(max_size=5)), min_size=1, max_size=6))
def test_reading_twice_changes_nothing(cells):
    for read in (as_category, as_text):
        once = read(column(cells, pa.string()))
        assert read(once).equals(once)
