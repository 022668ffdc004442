"""Slopes of learning curves: by hand, and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import InputError
from tilth.numerics.learning_slopes import doubling_slopes

LABELS = np.array([0, 0, 1, 1])
FULL = np.array([[0.9, 0.1], [0.7, 0.3], [0.5, 0.5], [0.4, 0.6]])
HALF = np.array([[0.6, 0.4], [0.5, 0.5], [0.5, 0.5], [0.4, 0.6]])


def test_slopes_are_paired_means_of_the_labels_probability():
    of_zero, of_one, of_all = doubling_slopes(LABELS, FULL, HALF, [LABELS == 0, LABELS == 1, np.ones(4, dtype=bool)])
    assert of_zero.value == pytest.approx(0.25)
    assert of_one.value == 0
    assert of_all.value == pytest.approx(0.125)
    assert of_all.low < 0.125 < of_all.high


def test_a_higher_level_is_wider():
    narrow, wide = (doubling_slopes(LABELS, FULL, HALF, [LABELS >= 0], level=level)[0] for level in (0.8, 0.99))
    assert wide.low < narrow.low


def test_one_row_says_nothing_sure():
    (found,) = doubling_slopes(LABELS, FULL, HALF, [np.arange(4) == 0])
    assert (found.low, found.high) == (-1.0, 1.0)


def test_refusals():
    with pytest.raises(InputError, match="do not fit"):
        doubling_slopes(LABELS, FULL, HALF[:3], [LABELS >= 0])
    with pytest.raises(InputError, match="without rows"):
        doubling_slopes(LABELS, FULL, HALF, [LABELS > 5])
