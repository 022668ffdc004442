"""A time budget in counted work: how many finalists it pays for, decided before the first is tried."""

from __future__ import annotations

from typing import Any

from tilth.loop.arena import ENOUGH_PLACEBOS, FEWEST_PLACEBOS
from tilth.loop.bench import Bench
from tilth.loop.candidates import fits_of_forecasts
from tilth.loop.forecast import SCREENING_ROWS, SHARED_FITS

__all__ = ["affordable_trials"]

FLOPS_PER_SECOND = 1e10
"""Assumed speed by which a time budget becomes a counted one: fixed, so that wall time decides nothing."""
DEAR_FLOPS_PER_SECOND = 3e10
"""The same for learners that train a network, whose operations come in large blocks."""
STEPS_PER_FIT = 30
FITS_OF_SLOPES = 1
"""Two of half of the rows, for one finalist that makes rows."""


def affordable_trials(bench: Bench, seconds: float, n_candidates: int, placebo_draws: int) -> int:
    """Return how many finalists a time budget pays for, by a counted cost of fits; at least one.

    Forecasts of all candidates come first and take half of it at most. A trial is one fit of the edit and one for each placebo; one
    of the finalists is reckoned to beat doing nothing, which calls for more placebos.
    """
    n_rows, classes = bench.train.num_rows, max(bench.schema.task.n_classes, 1)
    if bench.is_dear:
        learner: Any = bench.learner
        fits = seconds * DEAR_FLOPS_PER_SECOND / learner.work(n_rows)
        return max(1, int((fits - 1 - FITS_OF_SLOPES) / (1 + max(FEWEST_PLACEBOS, placebo_draws))))
    work = 4.0 * n_rows * bench.features.shape[1] * classes * STEPS_PER_FIT
    fits = seconds * FLOPS_PER_SECOND / max(work, 1e6)
    of_all = min(1.0, SCREENING_ROWS / max(n_rows, 1))
    screening = min((fits_of_forecasts(n_candidates) + SHARED_FITS) * of_all, fits / 2)
    draws = max(FEWEST_PLACEBOS, placebo_draws)
    more = max(0, ENOUGH_PLACEBOS - draws)
    return max(1, int((fits - screening - more) / (1 + draws)))
