"""Sensitivity: the least gain that a trial could have found, and how many answers would decide what it left open."""

from __future__ import annotations

import math

import numpy as np

from tilth.core.estimate import WIDEST
from tilth.loop.bench import Bench, Judged
from tilth.loop.judge import Judgement
from tilth.numerics.assisted_answers import ENOUGH_ANSWERS, assisted_answers_to_decide
from tilth.numerics.detectability import answers_to_decide, least_detectable_difference, least_detectable_gain

__all__ = ["answers_needed", "least_detectable"]


def answers_needed(judgement: Judgement, level: float) -> int | None:
    """Return how many answers on disagreeing rows would decide at a level, or None where they cannot.

    The gain expected is the measured one; where dev labels look noisy, the geometric mean of it and of the corrected one: noise
    shrinks the first, and a weak model overstates the second. Answers that were too few to decide have cost error budget.
    """
    if not judgement.n_disagreeing:
        return None
    rate = judgement.n_disagreeing / judgement.n_rows
    gain, corrected = judgement.nothing.gain, judgement.corrected
    if corrected is not None and corrected.value > gain > 0:
        gain = math.sqrt(gain * min(corrected.value, rate))
    if gain <= 0:
        return None
    n, gain = judgement.n_disagreeing, min(gain, rate)
    alone = answers_to_decide(gain, rate, n, level)
    if judgement.foretold is None or (alone is not None and alone < ENOUGH_ANSWERS):
        return alone
    decisive = max(judgement.decisive, gain / rate)
    return assisted_answers_to_decide(gain, decisive, n, judgement.n_rows, level, foretold=judgement.foretold)


def least_detectable(bench: Bench, judged: Judged, judgement: Judgement, level: float) -> float:
    """Return the least true gain that this trial's comparison with nothing would have found in four of five cases.

    Parameters
    ----------
    level : what the p-value had to meet if no other edit helps: the run's share over all that it tries
    """
    if bench.schema.task.is_regression or bench.metric.stratified or judged.groups is not None:
        if judgement.n_rows < 2 or judgement.nothing.standard_error == WIDEST:
            return WIDEST
        spread = judgement.nothing.standard_error * float(np.sqrt(judgement.n_rows))
        return float(least_detectable_difference(spread, judgement.n_rows, level))
    rate = judgement.n_disagreeing / max(judgement.n_rows, 1)
    return float(least_detectable_gain(rate, judgement.n_rows, level))
