"""calibration_error: by hand, parity with the module of calibration."""

from __future__ import annotations

import numpy as np
import pytest
from metric_worlds import world

from tilth.core.errors import InputError
from tilth.evaluation.calibration_error import CalibrationError
from tilth.numerics.calibration import expected_calibration_error
from tilth.numerics.linearised import interval_of


def test_by_hand():
    # Both in one bin: confidence .8, accuracy 1/2.
    found = CalibrationError().linearise(np.array([0, 1]), np.array([[0.8, 0.2], [0.8, 0.2]]))
    assert found.value == pytest.approx(-0.3)


@pytest.mark.parametrize("k", [2, 4])
def test_parity_with_the_reliability_diagram(k):
    labels, probs = world(k, n=200)
    assert -CalibrationError().linearise(labels, probs).value == pytest.approx(
        expected_calibration_error(probs, labels)
    )


def test_what_chance_alone_makes_is_inside_the_interval():
    held = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        p = rng.uniform(0.5, 1, 300)
        labels = (rng.random(300) > p).astype(int)
        held += interval_of(CalibrationError().linearise(labels, np.column_stack([p, 1 - p]))).high > -0.015
    assert held >= 34


def test_no_bin_is_refused():
    with pytest.raises(InputError, match="one bin or more"):
        CalibrationError(bins=0).linearise(*world(2))
