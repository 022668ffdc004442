"""Paired tests: exact small cases, and the size of every rule in worlds without a gain.

A size is accepted when a test of exactly that size would give as many false alarms, or more, in one of 1,000
simulations at most: with few worlds the bound at .002 is coarse, so the slow suite repeats all with many.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product

import numpy as np
import pytest
from scipy import stats

from tilth.core.errors import InputError
from tilth.numerics._means import unit_mean
from tilth.numerics.paired_tests import (
    beats_nothing,
    beats_placebo,
    exact_binomial,
    sign_flip,
    skew_t,
)

World = Callable[[np.random.Generator], float]
"""Draws data without a gain and returns the p-value."""


def ternary(rng: np.random.Generator, n: int, wins: object, losses: object) -> tuple[np.ndarray, np.ndarray]:
    """Scores of two models whose differences are 1, -1 and 0 with the given chances."""
    u = rng.random(n)
    won = u < wins
    return won.astype(float), (~won & (u < np.add(wins, losses))).astype(float)


# Exact cases


def test_exact_binomial_by_hand() -> None:
    assert exact_binomial(3, 1) == pytest.approx(5 / 16)
    assert exact_binomial(0, 0) == 1
    assert exact_binomial(0, 4) == 1
    assert exact_binomial(30, 12) == pytest.approx(stats.binomtest(30, 42, alternative="greater").pvalue)


def test_sign_flip_equals_all_sign_patterns() -> None:
    rng = np.random.default_rng(1)
    for _ in range(5):
        values = rng.normal(0.6, 1, 9)
        sums = np.array(list(product([-1, 1], repeat=9))) @ np.abs(values)
        truth = np.mean(sums >= values.sum() - 1e-9)
        found = sign_flip(values, rng, n_flips=20_000)
        assert found == pytest.approx(truth, rel=0.08)


def test_sign_flip_reaches_far_below_its_number_of_draws() -> None:
    few = sign_flip(np.ones(40), np.random.default_rng(0))
    assert few == pytest.approx(2.0**-40, rel=0.5)
    mixed = np.repeat([1.0, -1.0], [260, 140])
    exact = exact_binomial(260, 140)
    assert sign_flip(mixed, np.random.default_rng(0)) == pytest.approx(exact, rel=0.3)


def test_sign_flip_ignores_zeros_scale_and_order() -> None:
    values = np.array([0.3, -0.1, 0.9, 0.2])
    again = np.concatenate([np.zeros(50), 7 * values[::-1]])
    assert sign_flip(values, np.random.default_rng(4)) == pytest.approx(sign_flip(again, np.random.default_rng(4)))


def test_skew_t_is_more_careful_with_rare_great_losses() -> None:
    gains = np.concatenate([np.full(95, 0.2), np.full(5, -1.0)])
    plain = stats.ttest_1samp(gains, 0, alternative="greater").pvalue
    assert skew_t(unit_mean(gains)) > 3 * plain
    assert skew_t(unit_mean(-gains)) > 0.9


# What the functions choose


def test_correctness_of_single_rows_is_tested_exactly() -> None:
    after, before = np.array([1.0] * 12 + [0.0] * 3 + [1.0] * 85), np.array([0.0] * 12 + [1.0] * 88)
    result = beats_nothing(after, before, rng=np.random.default_rng(0))
    assert result.p_value == exact_binomial(12, 3)
    assert result.gain == pytest.approx(0.09)
    assert result.low < 0.09 < result.high
    assert result.estimate.as_list() == [result.low, result.high]


def test_equal_models_have_no_gain() -> None:
    scores = np.linspace(-1, 1, 30)
    assert beats_nothing(scores, scores, rng=np.random.default_rng(0)).p_value == 1
    assert beats_placebo(scores, np.tile(scores, (5, 1)), rng=np.random.default_rng(0)).p_value == 1


def test_least_moves_the_hypothesis() -> None:
    gains = np.random.default_rng(0).normal(0.5, 1, 400)
    p_values = [
        beats_nothing(gains, np.zeros(400), rng=np.random.default_rng(1), least=least).p_value
        for least in (0.0, 0.4, 0.5, 0.7)
    ]
    assert p_values == sorted(p_values)
    assert p_values[0] < 1e-9 < 0.2 < p_values[2] < p_values[3]


def test_one_generator_one_answer() -> None:
    gains = np.random.default_rng(0).normal(0.1, 1, 200)
    first, again = (beats_nothing(gains, 0 * gains, rng=np.random.default_rng(8)) for _ in range(2))
    assert first == again


def test_inputs_are_not_changed() -> None:
    gains = np.random.default_rng(0).normal(size=50)
    gains.flags.writeable = False
    draws = np.zeros((5, 50))
    draws.flags.writeable = False
    groups = np.arange(50) // 2
    groups.flags.writeable = False
    beats_nothing(gains, draws[0], groups, groups % 3, rng=np.random.default_rng(0))
    beats_placebo(gains, draws, groups, groups % 3, rng=np.random.default_rng(0))


def test_more_different_draws_mean_less_certainty() -> None:
    rng = np.random.default_rng(2)
    rows = rng.normal(size=500)
    shifts = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])[:, None]
    near = beats_placebo(rows + 0.5, rows + 0.01 * shifts, rng=rng)
    far = beats_placebo(rows + 0.5, rows + 0.5 * shifts, rng=rng)
    assert near.gain == pytest.approx(far.gain)
    assert far.standard_error == pytest.approx(0.5 * np.sqrt(2.5 / 5), rel=1e-3)
    assert near.p_value < 1e-6 < 0.05 < far.p_value
    assert far.high - far.low == pytest.approx(2 * stats.t.isf(0.025, 4) * far.standard_error, rel=1e-3)


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("in_one_group", [True, False])
@pytest.mark.parametrize("in_one_stratum", [True, False])
@pytest.mark.parametrize("scale", [1.0, 2.5])
def test_next_to_no_rows_decide_nothing(n: int, in_one_group: bool, in_one_stratum: bool, scale: float) -> None:
    groups = np.zeros(n, dtype=np.intp) if in_one_group else None
    strata = np.zeros(n, dtype=np.intp) if in_one_stratum else np.arange(n)
    scores, rng = np.full(n, scale), np.random.default_rng(0)
    nothing = beats_nothing(scores, np.zeros(n), groups, strata, rng=rng)
    over_placebo = beats_placebo(scores, np.zeros((5, n)), groups, strata, rng=rng)
    assert min(nothing.p_value, over_placebo.p_value) >= 0.5**n * 0.99
    assert nothing.estimate.value == over_placebo.estimate.value == pytest.approx(scale)


@pytest.mark.parametrize("shape", [(1, 4), (5, 3), (4,)])
def test_placebo_needs_draws_that_score_the_same_rows(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError):
        beats_placebo(np.ones(4), np.ones(shape), rng=np.random.default_rng(0))


def test_models_must_score_the_same_rows() -> None:
    with pytest.raises(InputError):
        beats_nothing(np.ones(4), np.ones(5), rng=np.random.default_rng(0))
    with pytest.raises(InputError, match="row 2"):
        beats_nothing(np.array([0, 1, np.nan]), np.ones(3), rng=np.random.default_rng(0))


# Worlds without a gain


def sparse(n: int, rate: float) -> World:
    def world(rng: np.random.Generator) -> float:
        after, before = ternary(rng, n, rate / 2, rate / 2)
        return beats_nothing(after, before, rng=rng).p_value

    return world


def sparse_shifted(n: int, rate: float, least: float) -> World:
    def world(rng: np.random.Generator) -> float:
        after, before = ternary(rng, n, (rate + least) / 2, (rate - least) / 2)
        return beats_nothing(after, before, rng=rng, least=least).p_value

    return world


def log_loss_gains(rng: np.random.Generator, n: int, sharp: float, dull: float) -> np.ndarray:
    margin = np.abs(rng.normal(0, 2, n))
    margin[rng.random(n) > 1 / (1 + np.exp(-margin))] *= -1
    return np.logaddexp(0, -dull * margin) - np.logaddexp(0, -sharp * margin)


@cache
def mean_log_loss_gain(sharp: float, dull: float) -> float:
    return float(log_loss_gains(np.random.default_rng(99), 2_000_000, sharp, dull).mean())


def log_loss(n: int, *, sharp: float, dull: float) -> World:
    """Differences of log likelihood of two models, less their true mean: skewed by the sharp one's losses."""

    def world(rng: np.random.Generator) -> float:
        gains = log_loss_gains(rng, n, sharp, dull) - mean_log_loss_gain(sharp, dull)
        return beats_nothing(gains, np.zeros(n), rng=rng).p_value

    return world


def heavy_losses(n: int, spread: float, rate: float) -> World:
    """Most rows zero, the others minus a lognormal plus its mean."""

    def world(rng: np.random.Generator) -> float:
        differ = rng.random(n) < rate
        values = np.where(differ, np.exp(spread**2 / 2) - np.exp(spread * rng.normal(size=n)), 0)
        return beats_nothing(values, np.zeros(n), rng=rng).p_value

    return world


def grouped(n_groups: int, mean_size: float, rate: float | None) -> World:
    """Rows of a group lean to one side; group sizes are geometric."""

    def world(rng: np.random.Generator) -> float:
        groups = np.repeat(np.arange(n_groups), rng.geometric(1 / mean_size, n_groups))
        n, lean = len(groups), rng.normal(size=n_groups)[groups]
        if rate is None:
            return beats_nothing(lean + rng.normal(size=n), np.zeros(n), groups, rng=rng).p_value
        share = np.where(lean > 0, 0.9, 0.1)
        after, before = ternary(rng, n, rate * share, rate * (1 - share))
        return beats_nothing(after, before, groups, rng=rng).p_value

    return world


def stratified(rows: tuple[int, ...], rate: float, *, opposed: bool) -> World:
    """Balanced accuracy without a gain; when opposed, even classes gain what odd classes lose."""
    labels = np.repeat(np.arange(len(rows)), rows)
    share = np.where(labels % 2 == 0, 0.9, 0.1) if opposed else np.full(len(labels), 0.5)

    def world(rng: np.random.Generator) -> float:
        after, before = ternary(rng, len(labels), rate * share, rate * (1 - share))
        return beats_nothing(after, before, strata=labels, rng=rng).p_value

    return world


def placebo(n: int, draws: int, between: float) -> World:
    """A candidate as good as all draws are on average; their means vary by `between` / sqrt(n)."""

    def world(rng: np.random.Generator) -> float:
        rows = rng.normal(size=n)
        shift = between / np.sqrt(n) * rng.normal(size=(draws, 1))
        scores = rows + shift + 0.3 * rng.normal(size=(draws, n))
        return beats_placebo(rows + rng.normal(size=n), scores, rng=rng).p_value

    return world


def placebo_correctness(n: int, draws: int, between: float) -> World:
    def one(rng: np.random.Generator, right: np.ndarray, gained: float) -> np.ndarray:
        u = rng.random(n)
        return np.where(right, u >= 0.05, u < gained).astype(float)

    def world(rng: np.random.Generator) -> float:
        right = rng.random(n) < 0.8
        gained = np.clip(0.2 + between * rng.normal(size=draws), 0, 0.4)
        scores = np.array([one(rng, right, share) for share in gained])
        return beats_placebo(one(rng, right, 0.2), scores, rng=rng).p_value

    return world


WORLDS: dict[str, World] = {
    "ternary, 5 rows of 1,000 differ": sparse(1000, 0.005),
    "ternary, 10 rows of 100 differ": sparse(100, 0.1),
    "ternary, 400 rows of 4,000 differ": sparse(4000, 0.1),
    "ternary, gain of .01 against a least gain of .01": sparse_shifted(1000, 0.06, 0.01),
    "log loss, overconfident candidate": log_loss(100, sharp=1.8, dull=0.7),
    "log loss, overconfident candidate, 400 rows": log_loss(400, sharp=1.8, dull=0.7),
    "log loss, dull candidate": log_loss(200, sharp=0.7, dull=1.8),
    "heavy losses, 400 rows": heavy_losses(400, 1.0, 1.0),
    "heavy losses in 300 of 3,000 rows": heavy_losses(3000, 0.7, 0.1),
    "groups, continuous": grouped(40, 5, None),
    "groups, ternary": grouped(150, 4, 0.1),
    "strata, 20 classes of 26 rows": stratified((26,) * 20, 0.1, opposed=False),
    "strata, the rare class loses": stratified((900, 40), 0.1, opposed=True),
    "strata, the rare class gains": stratified((40, 900), 0.1, opposed=True),
    "strata, four classes opposed": stratified((100,) * 4, 0.1, opposed=True),
    "placebo, draws alike": placebo(300, 5, 0.0),
    "placebo, draws vary like rows": placebo(300, 5, 1.0),
    "placebo, draws vary more than rows": placebo(300, 5, 3.0),
    "placebo, correctness": placebo_correctness(400, 5, 0.0),
    "placebo, correctness, draws vary": placebo_correctness(400, 5, 0.1),
}


def assert_size(world: World, rounds: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    p_values = np.array([world(rng) for _ in range(rounds)])
    for alpha in (0.05, 0.01, 0.002):
        assert (p_values <= alpha).sum() <= stats.binom.ppf(0.999, rounds, alpha), (alpha, p_values.min())


@pytest.mark.parametrize("name", WORLDS)
def test_size(name: str) -> None:
    assert_size(WORLDS[name], 300, seed=11)


@pytest.mark.slow
@pytest.mark.parametrize("name", WORLDS)
def test_size_in_many_worlds(name: str) -> None:
    assert_size(WORLDS[name], 10_000, seed=12)


# Gains are found


def test_power_of_four_standard_errors() -> None:
    rng, labels = np.random.default_rng(13), np.arange(2000) % 10
    found = []
    for _ in range(80):
        after, before = ternary(rng, 2000, 0.065, 0.035)
        draws = np.array([ternary(rng, 2000, 0.05, 0.05)[0] for _ in range(5)])
        right = (labels < 8).astype(float)
        candidate = np.clip(right + after - before, 0, 1)
        found.append(
            (
                beats_nothing(after, before, strata=labels, rng=rng).p_value,
                beats_nothing(after + 0.5, before + 0.5, rng=rng).p_value,
                beats_placebo(candidate + 0.03, np.clip(right + draws - draws.mean(), 0, 1), rng=rng).p_value,
            )
        )
    assert (np.mean(np.array(found) <= 0.0095, axis=0) >= 0.9).all()


def test_intervals_cover_the_gain_over_placebo() -> None:
    rng, n, hits = np.random.default_rng(14), 150, 0
    for _ in range(300):
        rows = rng.normal(size=n)
        scores = rows + 0.07 * rng.normal(size=(5, 1)) + 0.3 * rng.normal(size=(5, n))
        result = beats_placebo(rows + 0.2 + rng.normal(size=n), scores, rng=rng)
        hits += result.low <= 0.2 <= result.high
    assert hits / 300 >= 0.935
