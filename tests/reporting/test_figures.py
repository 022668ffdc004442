"""Figures: units, signs and digits, by hand; no figure without its interval."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilth.core.estimate import WIDEST, Estimate
from tilth.reporting.figures import Scale, p_text, span

ACCURACY, MAE, OTHER = Scale("accuracy"), Scale("mae"), Scale("f1_of_mine")


def between(value: float, low: float, high: float) -> Estimate:
    return Estimate(value=value, low=low, high=high, standard_error=0.01)


def test_accuracy_is_written_in_per_cent_and_its_gain_in_points() -> None:
    assert ACCURACY.score(between(0.8726, 0.8594, 0.8858)) == "87.3 % [85.9, 88.6]"
    assert ACCURACY.gain(between(0.018, 0.006, 0.03)) == "+1.8 [+0.6, +3.0]"
    assert ACCURACY.gain(between(0.018, -0.006, 0.042), unit=True) == "+1.8 points [−0.6, +4.2]"
    assert ACCURACY.amount(0.009) == "0.9 points"


def test_an_error_is_positive_and_its_gain_is_how_much_less_it_became() -> None:
    assert MAE.score(between(-0.452, -0.473, -0.431)) == "0.452 [0.431, 0.473]"
    assert MAE.gain(between(0.021, 0.008, 0.034)) == "+0.021 [+0.008, +0.034]"
    assert MAE.score(between(-18521, -19161, -17881)) == "18,521 [17,881, 19,161]"
    assert MAE.slice_score(-17000.0) == "17,000"
    assert "lower is better" in MAE.score_note
    assert "less error" in MAE.gain_note


def test_a_metric_that_nobody_named_is_written_as_it_is() -> None:
    assert OTHER.score(between(0.51, 0.5, 0.52)) == "0.510 [0.500, 0.520]"
    assert OTHER.name == "f1 of mine"


def test_ends_without_a_limit_are_infinite() -> None:
    assert ACCURACY.gain(between(0.01, -WIDEST, WIDEST)) == "+1.0 [−∞, +∞]"


def test_zero_has_no_sign() -> None:
    assert ACCURACY.gain(between(-0.0001, -0.02, 0.02)) == "0.0 [−2.0, +2.0]"
    assert ACCURACY.gain(between(0.0, 0.0, 0.0)) == "0.0 [0.0, 0.0]"


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e5), st.sampled_from(["accuracy", "mae", "else"]))
def test_the_written_interval_holds_the_written_value(value: float, half: float, metric: str) -> None:
    text = Scale(metric).gain(between(value, value - half, value + half), unit=True)
    numbers = [float(n.replace("−", "-").replace(",", "")) for n in re.findall(r"[+−]?\d[\d,]*(?:\.\d+)?", text)]
    assert len(numbers) == 3
    assert numbers[1] <= numbers[0] <= numbers[2]
    factor = 100 if metric == "accuracy" else 1
    assert math.isclose(numbers[0], factor * value, abs_tol=max(0.051, factor * half))


@pytest.mark.parametrize(("p", "text"), [(0.0000123, "< 0.0001"), (0.00243, "0.0024"), (0.41, "0.41"), (1.0, "1")])
def test_p_values(p: float, text: str) -> None:
    assert p_text(p) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.41, "0.4 s"), (41.2, "41 s"), (185, "3 min 5 s"), (7800, "2 h 10 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert span(seconds) == text
