"""A time budget pays for a counted number of trials."""

from __future__ import annotations

import pytest
from loop_worlds import gaussian_world

from tilth.loop.budget import affordable_trials
from tilth.loop.forecast import FITS_PER_FORECAST, SHARED_FITS

ROWS, FEATURES, CLASSES = 200, 5, 2
FIT = max(4.0 * ROWS * FEATURES * CLASSES * 30, 1e6) / 1e10
"""Seconds that one fit is counted as."""


@pytest.fixture(scope="module")
def bench():
    return gaussian_world(n_train=ROWS, d=FEATURES, k=CLASSES).bench


def test_forecasts_are_paid_first_and_the_rest_goes_to_trials(bench):
    forecasts = 4 * FITS_PER_FORECAST + SHARED_FITS
    assert affordable_trials(bench, (forecasts + 15 + 10.5 * 6) * FIT, n_candidates=4, placebo_draws=5) == 10
    assert affordable_trials(bench, (forecasts + 10 + 10.5 * 11) * FIT, n_candidates=4, placebo_draws=10) == 10
    assert affordable_trials(bench, (forecasts + 10.5 * 31) * FIT, n_candidates=4, placebo_draws=30) == 10


def test_forecasts_take_half_of_a_small_budget_at_most(bench):
    assert affordable_trials(bench, (2 * 15 + 24.5) * FIT, n_candidates=1_000, placebo_draws=5) == 2


def test_no_budget_is_too_small_for_one_trial(bench):
    assert affordable_trials(bench, 0.0, n_candidates=9, placebo_draws=5) == 1
