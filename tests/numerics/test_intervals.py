"""Intervals: numbers on paper, parity with scipy and brute force, coverage in simulated worlds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tilth.core.errors import InputError
from tilth.core.estimate import WIDEST, Estimate
from tilth.numerics._means import unit_mean
from tilth.numerics.intervals import (
    balanced_accuracy_interval,
    mean_interval,
    weighted_mean_interval,
    wilson,
)

FEW = [0.3, -1.2, 2.5, 0.0, 0.7]


def covers(estimate: Estimate, truth: float) -> bool:
    return estimate.low <= truth <= estimate.high


# Shares


def test_wilson_equals_scipy() -> None:
    for successes, n in ((0, 1), (8, 10), (10, 10), (399, 1000)):
        ends = stats.binomtest(successes, n).proportion_ci(0.95, method="wilson")
        assert wilson(successes, n).as_list() == pytest.approx([ends.low, ends.high], abs=1e-12)


def test_wilson_is_never_certain() -> None:
    assert wilson(50, 50).low == pytest.approx(50 / (50 + stats.norm.isf(0.025) ** 2))
    assert wilson(50, 50).standard_error > 0


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (3, 2), (-1, 2), (float("nan"), 2)])
def test_wilson_refuses_what_is_no_share(successes: float, n: float) -> None:
    with pytest.raises(InputError):
        wilson(successes, n)


# Means


def test_mean_without_groups_is_students_interval() -> None:
    values = np.array(FEW)
    ends = stats.t.interval(0.9, 4, loc=values.mean(), scale=stats.sem(values))
    estimate = mean_interval(values, 0.9)
    assert estimate.as_list() == pytest.approx(list(ends))
    assert estimate.standard_error == pytest.approx(stats.sem(values))


def test_equal_groups_are_students_interval_of_their_means() -> None:
    values, groups = np.array([*FEW, 4.0]), np.array([7, 7, 1, 1, 3, 3])
    means = values.reshape(3, 2).mean(axis=1)
    ends = stats.t.interval(0.95, 2, loc=means.mean(), scale=stats.sem(means))
    assert mean_interval(values, groups=groups).as_list() == pytest.approx(list(ends))


def test_unequal_groups_are_the_delete_one_group_jackknife() -> None:
    values, groups = np.array(FEW), np.array([0, 0, 0, 1, 2])
    without = [values[groups != g].mean() for g in range(3)]
    variance = 2 / 3 * sum((mean - values.mean()) ** 2 for mean in without)
    parts = unit_mean(values, groups=groups)
    assert parts.variance == pytest.approx(variance)
    assert 1 <= parts.df < 2


def test_degrees_of_freedom_of_unequal_groups_equal_the_matrix_form() -> None:
    sizes = np.array([5, 1, 2, 2, 9])
    groups, w = np.repeat(np.arange(5), sizes), sizes / sizes.sum()
    centre = np.eye(5) - np.outer(np.ones(5), w)
    form = np.diag(w / (1 - w)) @ centre @ centre.T @ np.diag(w / (1 - w))
    parts = unit_mean(np.random.default_rng(0).normal(size=19), groups=groups)
    assert parts.df == pytest.approx(np.trace(form) ** 2 / np.trace(form @ form))


@pytest.mark.parametrize("groups", [None, np.zeros(1, dtype=np.intp)])
def test_one_unit_says_nothing_of_the_spread(groups: np.ndarray | None) -> None:
    assert not mean_interval(np.array([0.5]), groups=groups).is_known
    assert mean_interval(np.array([0.5]), groups=groups).as_list() == [-WIDEST, WIDEST]
    assert mean_interval(np.array([0.5]), groups=groups, bounds=(-1, 1)).as_list() == [-1, 1]


def test_rows_that_all_agree_are_not_certainty_where_bounds_are_known() -> None:
    assert mean_interval(np.ones(50), bounds=(0, 1)).low == pytest.approx(wilson(50, 50).low, abs=0.02)
    nothing = mean_interval(np.zeros(1000), bounds=(-1, 1))
    assert 2 / 1000 < nothing.high < 4 / 1000
    assert nothing.low == pytest.approx(-nothing.high)


def test_bounded_mean_of_many_rows_is_close_to_wilson() -> None:
    correct = np.arange(2000) < 1700
    assert mean_interval(correct.astype(float), bounds=(0, 1)).as_list() == pytest.approx(
        wilson(1700, 2000).as_list(), abs=2e-4
    )


@pytest.mark.parametrize(
    ("values", "options"),
    [
        ([], {}),
        ([1.0, float("nan")], {}),
        ([2.0, 0.0], {"bounds": (-1, 1)}),
        ([1.0, 2.0], {"groups": np.array([0])}),
        ([1.0, 2.0], {"level": 1.0}),
    ],
)
def test_refuses_what_has_no_interval(values: list[float], options: dict) -> None:
    with pytest.raises(InputError):
        mean_interval(np.array(values), **options)


@given(
    st.lists(st.floats(-1, 1), min_size=2, max_size=30),
    st.integers(0, 2**32 - 1),
    st.sampled_from([None, (-1.0, 1.0), (-3.0, 7.0)]),
)
def test_order_of_rows_and_names_of_groups_do_not_matter(
    values: list[float], seed: int, bounds: tuple[float, float] | None
) -> None:
    rng, rows = np.random.default_rng(seed), np.array(values)
    groups, strata = rng.integers(0, 5, len(rows)), rng.integers(0, 3, len(rows))
    order = rng.permutation(len(rows))
    first = weighted_mean_interval(rows, strata, groups=groups, bounds=bounds)
    again = weighted_mean_interval(rows[order], strata[order], groups=9 - groups[order], bounds=bounds)
    assert again.as_list() == pytest.approx(first.as_list(), rel=1e-6, abs=1e-9)
    if bounds is not None:
        assert bounds[0] <= first.low <= first.high <= bounds[1]


# Strata


def test_strata_by_hand() -> None:
    # Means 0.5 and 2; s^2 / n = 0.5 / 2 and 1 / 3: variance (0.25 + 1 / 3) / 4.
    values, strata = np.array([0.0, 1.0, 1.0, 2.0, 3.0]), np.array([4, 4, 0, 0, 0])
    estimate = weighted_mean_interval(values, strata)
    assert estimate.value == pytest.approx(1.25)
    assert estimate.standard_error == pytest.approx(np.sqrt((0.25 + 1 / 3) / 4))
    weighted = weighted_mean_interval(values, strata, weights=np.array([3.0, 0, 0, 0, 1.0]))
    assert weighted.value == pytest.approx(0.75 * 2 + 0.25 * 0.5)


def test_rows_as_groups_change_nothing_in_the_variance() -> None:
    rng = np.random.default_rng(3)
    values, strata = rng.normal(size=40), rng.integers(0, 4, 40)
    alone = weighted_mean_interval(values, strata)
    grouped = weighted_mean_interval(values, strata, groups=np.arange(40))
    assert grouped.standard_error == pytest.approx(alone.standard_error)


def test_balanced_accuracy_is_the_mean_recall_of_the_classes_that_have_rows() -> None:
    labels = np.array([0, 0, 0, 0, 2, 2])
    correct = np.array([True, True, True, False, True, False])
    assert balanced_accuracy_interval(correct, labels, 4).value == pytest.approx((0.75 + 0.5) / 2)
    with pytest.raises(InputError):
        balanced_accuracy_interval(correct, labels, 2)


def test_a_class_with_one_row_is_hardly_known() -> None:
    labels, correct = np.array([0] * 500 + [1]), np.arange(501) != 0
    estimate = balanced_accuracy_interval(correct, labels, 2)
    assert estimate.low < 0.6
    assert weighted_mean_interval(np.array([0.0, 1.0]), np.array([0, 1])).as_list() == [-WIDEST, WIDEST]


# Coverage in worlds where the truth is known: 95 %, give or take Monte Carlo noise; more for rare classes.


def coverage(draw: object, truth: float, rounds: int = 1500) -> float:
    return float(np.mean([covers(draw(), truth) for _ in range(rounds)]))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("rows", "recalls", "least", "most"),
    [
        ([40] * 20, np.linspace(0.8, 1, 20), 0.935, 0.975),
        ([10] * 77, np.linspace(0.8, 1, 77), 0.935, 0.98),
        ([500, 50, 5], [0.9, 0.7, 0.5], 0.92, 0.98),
        ([900, 20], [0.99, 0.95], 0.94, 1.0),
        ([500, 50, 2], [0.9, 0.7, 0.9], 0.94, 1.0),
        ([500, 50, 1], [0.9, 0.7, 0.9], 0.94, 1.0),
    ],
)
def test_coverage_of_balanced_accuracy(rows: list[int], recalls: list, least: float, most: float) -> None:
    rng, labels = np.random.default_rng(5), np.repeat(np.arange(len(rows)), rows)
    chance = np.asarray(recalls)[labels]

    def draw() -> Estimate:
        return balanced_accuracy_interval(rng.random(len(labels)) < chance, labels, len(rows))

    assert least <= coverage(draw, float(np.mean(recalls))) <= most


@pytest.mark.parametrize(("sizes", "alike"), [([8] * 25, 0.5), ([30, 20] + [5] * 30, 0.3), ([8] * 25, 0.0)])
def test_coverage_of_grouped_rows(sizes: list[int], alike: float) -> None:
    rng, groups = np.random.default_rng(6), np.repeat(np.arange(len(sizes)), sizes)

    def draw() -> Estimate:
        shared = rng.normal(size=len(sizes))[groups]
        noise = rng.normal(size=len(groups))
        return mean_interval(np.sqrt(alike) * shared + np.sqrt(1 - alike) * noise, groups=groups)

    assert 0.93 <= coverage(draw, 0.0) <= 0.995


@pytest.mark.parametrize(("n", "rate", "gain"), [(1000, 0.05, 0.01), (4000, 0.1, 0.026), (100, 0.1, 0.05)])
def test_coverage_of_paired_gains(n: int, rate: float, gain: float) -> None:
    rng = np.random.default_rng(7)

    def draw() -> Estimate:
        u = rng.random(n)
        values = (u < (rate + gain) / 2).astype(float) - ((u >= (rate + gain) / 2) & (u < rate))
        return mean_interval(values, bounds=(-1, 1))

    assert 0.935 <= coverage(draw, gain) <= 0.985
