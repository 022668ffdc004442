"""How many labels by hand are as good as labels from votes: read off a curve, by hand."""

from __future__ import annotations

import math

import pytest

from tilth.core.estimate import Estimate
from tilth.loop.by_hand import labels_for


def known(value, error):
    return Estimate(value=value, low=value - error, high=value + error, standard_error=error / 1.96)


def rising(error):
    """A point for each doubling of 100 labels."""
    return lambda n: known(0.01 * math.log2(n / 100), error)


def test_the_gain_is_read_off_the_curve():
    found = labels_for(known(0.02, 0.01), rising(0.0), 100)
    assert found["rows"] == pytest.approx(300, abs=15)
    assert found["low"] == pytest.approx(100, abs=10)
    assert found["high"] == pytest.approx(700, abs=30)


def test_an_uncertain_curve_widens_the_interval():
    sure, unsure = (labels_for(known(0.02, 0.005), rising(error), 100) for error in (0.0, 0.005))
    assert unsure["rows"] == sure["rows"]
    assert unsure["low"] < sure["low"]
    assert unsure["high"] > sure["high"]


def test_what_the_curve_never_reaches_has_no_number():
    found = labels_for(known(0.2, 0.18), rising(0.0), 100)
    assert found == {"rows": None, "low": found["low"], "high": None}
    assert found["low"] == pytest.approx(300, abs=15)
