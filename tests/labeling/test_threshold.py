"""Bounds are outside; missing numbers abstain; bounds without a number between them are refused."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tilth.core.errors import ConfigError
from tilth.labeling.threshold import Threshold
from tilth.operators.batch import Batch


def said(labeler: Threshold, numbers: pa.Array) -> list[bool]:
    batch = Batch(ids=pa.array([str(i) for i in range(len(numbers))]), columns={"n": numbers})
    return [name == "x" for name in labeler.vote(batch).names.to_pylist()]


NUMBERS = pa.array([1.0, 2.0, 3.0, None, float("nan"), float("inf")])


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"above": 2}, [False, False, True, False, False, True]),
        ({"below": 2}, [True, False, False, False, False, False]),
        ({"above": 1, "below": 3}, [False, True, False, False, False, False]),
    ],
)
def test_by_hand(bounds, expected):
    assert said(Threshold(column="n", says="x", **bounds), NUMBERS) == expected


def test_whole_numbers_count_too():
    assert said(Threshold(column="n", says="x", above=2), pa.array([2, 3, None])) == [False, True, False]


@pytest.mark.parametrize("bounds", [{}, {"above": 3, "below": 3}, {"above": 4, "below": 3}])
def test_bounds_without_a_number_between_are_refused(bounds):
    with pytest.raises(ConfigError):
        Threshold(column="n", says="x", **bounds)


def test_a_column_of_text_is_refused():
    with pytest.raises(ConfigError, match="'n' holds string, not numbers"):
        said(Threshold(column="n", says="x", above=1), pa.array(["1"]))
