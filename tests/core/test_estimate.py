"""Estimate: an interval that holds its value and can be written as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from tilth.core.estimate import WIDEST, Estimate


def test_shows_its_ends_and_survives_json() -> None:
    wide = Estimate(value=0.5, low=-WIDEST, high=WIDEST, standard_error=WIDEST)
    assert Estimate(**json.loads(json.dumps(asdict(wide), allow_nan=False))) == wide
    assert wide.as_list() == [-WIDEST, WIDEST]


def test_knows_whether_the_rows_said_anything() -> None:
    assert Estimate(value=0.5, low=0.4, high=0.6, standard_error=0.05).is_known
    assert not Estimate(value=0.5, low=-WIDEST, high=0.6, standard_error=0.05).is_known


@pytest.mark.parametrize(
    ("low", "high", "error"),
    [(0.6, 0.7, 0.1), (0.1, 0.4, 0.1), (float("nan"), 1.0, 0.1), (0.0, float("inf"), 0.1), (0.0, 1.0, -0.1)],
)
def test_cannot_be_made_wrong(low: float, high: float, error: float) -> None:
    with pytest.raises(AssertionError):
        Estimate(value=0.5, low=low, high=high, standard_error=error)
