"""What predictions should do: stay, turn, or move in a direction; by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import ConfigError
from tilth.loop._expectations import expectation_of, movement

BEFORE = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
AFTER = np.array([[0.8, 0.2], [0.3, 0.7], [0.2, 0.8]])
CLASSES = ("ham", "spam")


@pytest.mark.parametrize(
    ("text", "tolerance", "broken"),
    [
        ("same", None, [False, True, False]),
        ("", None, [False, True, False]),
        ("flips", None, [True, False, True]),
        ("up spam", None, [False, False, True]),
        ("up spam", 0.2, [True, False, True]),
        ("up spam", -0.1, [False, False, False]),
        ("down spam", None, [True, True, True]),
        ("down ham", 0.05, [False, False, True]),
    ],
)
def test_classes(text, tolerance, broken):
    expected = expectation_of(text, CLASSES, tolerance, BEFORE)
    assert expected.broken(BEFORE, AFTER).tolist() == broken


def test_numbers_move_within_a_tenth_of_their_deviation():
    before = np.array([[0.0], [10.0], [20.0]])  # deviation 8.16
    after = before + np.array([[0.5], [1.0], [-3.0]])
    assert expectation_of("same", (), None, before).broken(before, after).tolist() == [False, True, True]
    assert expectation_of("same", (), 2.0, before).broken(before, after).tolist() == [False, False, True]
    assert expectation_of("up", (), None, before).broken(before, after).tolist() == [False, False, True]


def test_what_it_refuses():
    with pytest.raises(ConfigError, match="expect cannot be 'turn'"):
        expectation_of("turn", CLASSES, None, BEFORE)
    with pytest.raises(ConfigError, match="Did you mean 'spam'"):
        expectation_of("up spma", CLASSES, None, BEFORE)


def test_movement():
    assert np.allclose(movement(BEFORE, AFTER), [0.1, 0.3, 0.0])
