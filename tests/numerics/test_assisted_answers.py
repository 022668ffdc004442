"""Answers helped by predictions: by hand, as a law of large numbers, and against McNemar's exact test."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import InputError
from tilth.numerics.assisted_answers import (
    ENOUGH_ANSWERS,
    ONE_SURPRISE,
    assisted_answers_to_decide,
    assisted_gain,
    foretold_share,
)
from tilth.numerics.detectability import answers_to_decide


def population(rng, n, win, lose, quality, lean=0.0):
    """Differences of n disagreeing rows, and predictions that tell them with some quality and else lean to a side."""
    truth = rng.choice([1.0, -1.0, 0.0], n, p=[win, lose, 1 - win - lose])
    noise = rng.choice([1.0, -1.0, 0.0], n, p=[0.3 + lean, 0.3 - lean, 0.4])
    return truth, np.where(rng.random(n) < quality, truth, noise)


def asked(rng, n, answers):
    known = np.zeros(n, dtype=bool)
    known[rng.permutation(n)[:answers]] = True
    return known


def test_by_hand():
    """30 of 60 rows answered, of 600; predictions are 1 for half of the answered rows and for 20 of the others."""
    truth = np.r_[np.repeat([1.0, -1.0], [12, 3]), np.repeat([1.0, -1.0], [5, 10]), np.zeros(30)]
    predictions = np.r_[np.repeat([1.0, 0.0], [15, 15]), np.repeat([1.0, 0.0], [20, 10])]
    found = assisted_gain(truth, np.arange(60) < 30, predictions, 600)
    # Means 9/15 and -5/15: the slope is 14/15; the mean over all rows is 35/60, over the answered ones 1/2.
    mean = 4 / 30 + 14 / 15 * (35 / 60 - 1 / 2)
    assert found.gain == pytest.approx(0.1 * mean)
    residual = 12 * 0.4**2 + 3 * 1.6**2 + 5 * (4 / 3) ** 2 + 10 * (2 / 3) ** 2
    leverage = (35 / 60 - 1 / 2) ** 2 / (30 * 0.25)
    sampling = 0.1**2 * (residual + ONE_SURPRISE) / 28 * 0.5 * (1 / 30 + leverage)
    fresh = (0.1 * 31 / 31 - found.gain**2) / 600
    assert found.standard_error == pytest.approx(np.sqrt(sampling + fresh))


@pytest.mark.parametrize(("quality", "lean"), [(0.0, 0.0), (0.6, 0.0), (0.9, 0.25), (1.0, 0.0)])
def test_size_and_coverage_hold_however_good_or_bent_the_predictions(quality, lean):
    rng = np.random.default_rng(3)
    rejected, covered, gains, runs = 0, 0, [], 1500
    for _ in range(runs):
        n = max(60, rng.binomial(4000, 0.05))
        truth, predictions = population(rng, n, 0.35, 0.35, quality, lean)
        found = assisted_gain(truth, asked(rng, n, 60), predictions, 4000)
        rejected += found.p_value <= 0.05
        covered += found.low <= 0.0 <= found.high
        gains.append(found.gain)
    assert abs(np.mean(gains)) < 4 * np.std(gains) / np.sqrt(runs)
    assert rejected / runs < 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)
    assert covered / runs > 0.95 - 3 * np.sqrt(0.05 * 0.95 / runs)


def test_the_number_of_answers_decides_as_often_as_it_says():
    rng = np.random.default_rng(4)
    share, n_dev, win, lose, level = 0.05, 4000, 0.55, 0.30, 0.005
    truth, predictions = population(rng, 100_000, win, lose, 0.8)
    foretold = float(np.corrcoef(truth, predictions)[0, 1] ** 2)
    gain = share * (win - lose)
    needed = assisted_answers_to_decide(gain, win + lose, 200, n_dev, level, foretold=foretold)
    assert needed is not None
    assert needed < 0.8 * answers_to_decide(gain, share, 200, level, decisive=win + lose)
    runs, decided = 800, 0
    for _ in range(runs):
        n = max(needed, rng.binomial(n_dev, share))
        truth, predictions = population(rng, n, win, lose, 0.8)
        decided += assisted_gain(truth, asked(rng, n, needed), predictions, n_dev).p_value <= level
    assert decided / runs == pytest.approx(0.8, abs=0.05)


def test_predictions_that_say_nothing_new_are_left_out():
    rng = np.random.default_rng(5)
    truth, predictions = population(rng, 100, 0.5, 0.3, 0.7)
    known = asked(rng, 100, 40)
    plain = assisted_gain(truth, known, predictions[:, None], 1000)
    doubled = assisted_gain(truth, known, np.column_stack([predictions, 2 * predictions, np.ones(100)]), 1000)
    assert doubled.gain == pytest.approx(plain.gain)
    assert doubled.standard_error == pytest.approx(plain.standard_error)


def test_all_answered_leaves_the_error_of_the_dev_rows_alone():
    truth = np.repeat([1.0, -1.0], [60, 40])
    found = assisted_gain(truth, np.ones(100, dtype=bool), np.zeros(100), 1000)
    assert found.gain == pytest.approx(0.02)
    assert found.standard_error == pytest.approx(np.sqrt((0.1 - 0.02**2) / 1000))


def test_answers_of_other_rows_are_not_read():
    rng = np.random.default_rng(6)
    truth, predictions = population(rng, 80, 0.5, 0.3, 0.7)
    known = asked(rng, 80, 40)
    other = np.where(known, truth, 1.0)
    assert assisted_gain(truth, known, predictions, 900) == assisted_gain(other, known, predictions, 900)


def test_refuses_what_does_not_fit():
    truth, known = np.zeros(40), np.ones(40, dtype=bool)
    with pytest.raises(InputError, match=f"needs {ENOUGH_ANSWERS}"):
        assisted_gain(truth, np.arange(40) < ENOUGH_ANSWERS - 1, truth, 100)
    with pytest.raises(InputError, match="one difference"):
        assisted_gain(truth, known[:30], truth, 100)
    with pytest.raises(InputError, match="do not fit 30 dev rows"):
        assisted_gain(truth, known, truth, 30)
    with pytest.raises(InputError, match="finite"):
        assisted_gain(truth, known, np.full(40, np.nan), 100)
    with pytest.raises(InputError, match="between 0 and 1"):
        assisted_answers_to_decide(0.01, 0.0, 40, 100, 0.05, foretold=0.5)


def test_none_where_even_all_answers_would_not_do():
    assert assisted_answers_to_decide(0.001, 0.8, 200, 4000, 0.005, foretold=0.9) is None
    assert assisted_answers_to_decide(0.02, 0.8, 20, 400, 0.05, foretold=0.9) is None


@pytest.mark.parametrize(
    ("expected", "decisive", "share"), [([0.5, -0.5], 1.0, 0.25), ([0.0, 0.0], 0.8, 0.0), ([], 1.0, 0.0)]
)
def test_foretold_share(expected, decisive, share):
    assert foretold_share(np.array(expected), decisive) == pytest.approx(share)
