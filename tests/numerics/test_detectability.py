"""Detectability: claimed power against simulated power, and gains from answers in finite populations."""

from __future__ import annotations

from itertools import combinations
from math import factorial, prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.core.errors import InputError
from tilth.numerics.detectability import (
    answers_to_decide,
    gain_from_answers,
    least_detectable_difference,
    least_detectable_gain,
    power_of_exact_test,
)
from tilth.numerics.intervals import mean_interval
from tilth.numerics.paired_tests import beats_nothing, exact_binomial


def answers(wins: int, losses: int, ties: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Correctness before and after on answered rows."""
    after = np.repeat([True, False, False], [wins, losses, ties])
    return np.repeat([False, True, False], [wins, losses, ties]), after


# Power


def test_power_equals_the_sum_over_all_outcomes() -> None:
    n, rate, gain = 12, 0.5, 0.3
    for alpha in (0.05, 0.03125, 0.2):
        truth = 0.0
        for wins in range(n + 1):
            for losses in range(n + 1 - wins):
                ways = _multinomial(wins, losses, n - wins - losses)
                chance = ways * 0.4**wins * 0.1**losses * 0.5 ** (n - wins - losses)
                truth += chance * (exact_binomial(wins, losses) <= alpha)
        assert power_of_exact_test(n, rate, gain, alpha) == pytest.approx(truth, abs=1e-7)


def _multinomial(*counts: int) -> float:
    return factorial(sum(counts)) / prod(factorial(count) for count in counts)


def test_power_without_a_gain_is_the_size() -> None:
    assert 0.03 < power_of_exact_test(4000, 0.1, 0.0, 0.05) <= 0.05
    assert power_of_exact_test(100, 0.0, 0.0, 0.05) == 0


@pytest.mark.parametrize(("rate", "n", "alpha"), [(0.104, 4000, 0.05), (0.05, 1000, 0.006), (0.004, 500, 0.05)])
def test_stated_least_gain_has_the_stated_power(rate: float, n: int, alpha: float) -> None:
    gain = least_detectable_gain(rate, n, alpha)
    differing = max(rate, gain)
    rng = np.random.default_rng(0)
    wins = rng.binomial(n, (differing + gain) / 2, 4000)
    losses = rng.binomial(n - wins, (differing - gain) / 2 / (1 - (differing + gain) / 2))
    found = np.mean([exact_binomial(w, lost) <= alpha for w, lost in zip(wins, losses, strict=True)])
    assert found == pytest.approx(0.8, abs=0.025)


def test_least_gain_where_models_agree_needs_enough_wins() -> None:
    # Five wins of five are needed at .05: P(Bin(1000, g) >= 5) = .8 at g = .00672.
    assert least_detectable_gain(0.0, 1000, 0.05) == pytest.approx(0.00672, abs=1e-4)
    assert least_detectable_gain(0.5, 4, 0.05) == 1.0


@settings(max_examples=25, deadline=None)
@given(st.floats(0.001, 0.9), st.integers(30, 20_000), st.floats(0.0005, 0.1))
def test_least_gain_falls_with_rows_and_rises_with_disagreement(rate: float, n: int, alpha: float) -> None:
    gain = least_detectable_gain(rate, n, alpha)
    assert 0 < gain <= 1
    assert least_detectable_gain(rate, 3 * n, alpha) < gain
    assert least_detectable_gain(min(1.0, 1.5 * rate), n, alpha) >= gain * 0.98
    assert least_detectable_gain(rate, n, alpha / 4) >= gain


def test_least_difference_has_the_stated_power_in_the_paired_test() -> None:
    rng, n = np.random.default_rng(1), 500
    gain = least_detectable_difference(2.0, n, 0.01)
    found = [beats_nothing(rng.normal(gain, 2.0, n), np.zeros(n), rng=rng).p_value <= 0.01 for _ in range(120)]
    assert np.mean(found) == pytest.approx(0.76, abs=0.12)
    assert least_detectable_difference(0.0, n, 0.01) == 0


# Answers


@pytest.mark.parametrize(("gain", "rate", "alpha"), [(0.026, 0.104, 0.05), (0.026, 0.104, 0.006), (0.02, 0.054, 0.05)])
def test_that_many_answers_decide(gain: float, rate: float, alpha: float) -> None:
    needed = answers_to_decide(gain, rate, 2000, alpha)
    assert needed is not None
    wins = np.random.default_rng(2).binomial(needed, (1 + gain / rate) / 2, 4000)
    found = np.mean([exact_binomial(w, needed - w) <= alpha for w in wins])
    assert found >= 0.8 - 0.02
    assert power_of_exact_test(needed, 1.0, gain / rate, alpha) >= 0.8
    assert answers_to_decide(-gain, rate, 2000, alpha) == needed


def test_rows_where_both_models_are_wrong_cost_less_than_they_take() -> None:
    all_decisive = answers_to_decide(0.026, 0.104, 2000, 0.05)
    some = answers_to_decide(0.026, 0.104, 2000, 0.05, decisive=0.79)
    assert all_decisive is not None
    assert some is not None
    assert some < all_decisive


def test_not_enough_rows_to_ask_about() -> None:
    assert answers_to_decide(0.026, 0.104, 90, 0.05) is None
    assert answers_to_decide(0.0, 0.104, 400, 0.05) is None
    assert answers_to_decide(0.01, 0.01, 0, 0.05) is None


def test_dev_rows_need_fewer_answers_than_fresh_rows() -> None:
    fresh = answers_to_decide(0.026, 0.104, 416, 0.05)
    assert fresh is not None
    assert answers_to_decide(0.026, 0.104, 416, 0.05, about="dev_rows") == int(np.ceil(fresh / (1 + (fresh - 1) / 416)))
    assert answers_to_decide(0.01, 0.104, 416, 0.05, about="dev_rows") is not None


@pytest.mark.parametrize(("asked", "wins", "losses", "error"), [(60, 31, 16, 0.0106), (120, 62, 32, 0.0068)])
def test_known_figures_of_pruning_at_forty_percent_noise(asked: int, wins: int, losses: int, error: float) -> None:
    # 10.4 % of 4,000 dev rows differ, gain .026: measured +- .0106 with 60 answers, +- .0068 with 120.
    estimate = gain_from_answers(*answers(wins, losses, asked - wins - losses), 416, 4000, about="dev_rows")
    assert estimate.value == pytest.approx(0.026, abs=1e-4)
    assert estimate.standard_error == pytest.approx(error, rel=0.05)


def test_all_answers_leave_nothing_open_on_dev() -> None:
    before, after = answers(3, 1, 2)
    estimate = gain_from_answers(before, after, 6, 100, about="dev_rows")
    assert estimate.as_list() == pytest.approx([0.02, 0.02])
    assert estimate.standard_error == 0


def test_all_answers_equal_the_paired_interval_on_fresh_rows() -> None:
    before, after = answers(250, 150, 60)
    whole = np.concatenate([after.astype(float) - before, np.zeros(3540)])
    expected = mean_interval(whole, bounds=(-1, 1))
    estimate = gain_from_answers(before, after, 460, 4000)
    assert estimate.value == pytest.approx(expected.value)
    assert estimate.as_list() == pytest.approx(expected.as_list(), abs=2e-4)


def test_unbiased_over_all_draws() -> None:
    before, after = answers(3, 2, 1)
    estimates = [
        gain_from_answers(before[list(rows)], after[list(rows)], 6, 50).value for rows in combinations(range(6), 3)
    ]
    assert np.mean(estimates) == pytest.approx(1 / 50)


def test_one_answer_and_no_disagreement() -> None:
    one = gain_from_answers(np.array([False]), np.array([True]), 10, 100, about="dev_rows")
    assert one.as_list() == pytest.approx([-0.08, 0.1], abs=0.011)
    none = np.zeros(0, dtype=bool)
    assert gain_from_answers(none, none, 0, 1000, about="dev_rows").as_list() == [0, 0]
    fresh = gain_from_answers(none, none, 0, 1000)
    assert fresh.low < 0 < fresh.high < 0.004


@pytest.mark.parametrize(("asked", "rate", "gain"), [(60, 0.1, 0.03), (30, 0.1, 0.0), (50, 0.05, 0.03)])
def test_coverage_on_dev_and_on_fresh_rows(asked: int, rate: float, gain: float) -> None:
    rng, n, rounds, hits = np.random.default_rng(3), 2000, 800, np.zeros(2)
    for _ in range(rounds):
        n_disagree = int(rng.binomial(n, rate))
        u, mean = rng.random(n_disagree), gain / rate
        after = u < (0.8 + mean) / 2
        before = ~after & (u < 0.8)
        rows = rng.choice(n_disagree, asked, replace=False)
        of_dev = (after.sum() - before.sum()) / n
        dev = gain_from_answers(before[rows], after[rows], n_disagree, n, about="dev_rows")
        fresh = gain_from_answers(before[rows], after[rows], n_disagree, n)
        hits += [dev.low - 1e-12 <= of_dev <= dev.high + 1e-12, fresh.low <= gain <= fresh.high]
    assert ((hits / rounds >= 0.93) & (hits / rounds <= 0.985)).all()


@pytest.mark.parametrize(
    "call",
    [
        lambda: gain_from_answers(np.ones(3, bool), np.ones(2, bool), 5, 10),
        lambda: gain_from_answers(np.ones(6, bool), np.ones(6, bool), 5, 10),
        lambda: gain_from_answers(np.ones(0, bool), np.ones(0, bool), 5, 10),
        lambda: power_of_exact_test(10, 0.1, 0.2, 0.05),
        lambda: least_detectable_gain(1.2, 10, 0.05),
        lambda: least_detectable_gain(0.2, 0, 0.05),
        lambda: least_detectable_gain(0.2, 10, 0.0),
        lambda: least_detectable_difference(-1.0, 10, 0.05),
        lambda: answers_to_decide(0.1, 0.0, 10, 0.05),
    ],
)
def test_refuses_counts_that_do_not_fit(call: object) -> None:
    with pytest.raises(InputError):
        call()  # type: ignore[operator]
