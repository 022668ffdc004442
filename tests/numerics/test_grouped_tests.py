"""grouped_tests: by hand, parity with rows that stand alone, and their promise where rows of a group are alike."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.estimate import WIDEST
from tilth.numerics.grouped_tests import grouped_gap, grouped_stratified_tail
from tilth.numerics.joint_counts import JointCounts
from tilth.numerics.slice_tests import Losses, stratified_tail
from tilth.numerics.soft_scores import chance_of_low, soft_mean
from tilth.numerics.worst_slices import worst_slices


def world(rng, n_groups=60, size=20, spread=True):
    """Rows in groups, each with an error rate of its own; `value` is a group's, and says nothing of it."""
    rates = rng.beta(0.6, 2.4, size=n_groups) if spread else np.full(n_groups, 0.2)
    groups = np.repeat(np.arange(n_groups), size)
    return (rng.random(len(groups)) < rates[groups]).astype(float), (rng.integers(4, size=n_groups))[groups], groups


def test_by_hand():
    # both means are .5, so that each row gives ±.25: .25 four times in the first group, -.25 twice in the second; within 6 · .25
    losses = np.array([1.0, 1, 0, 0, 0, 1])
    inside = np.array([True, True, False, False, True, False])
    found = grouped_gap(losses, inside, np.array([0, 0, 0, 0, 1, 1]))
    assert found.gap == pytest.approx(1 / 3)  # 2/3 - 1/3
    assert found.standard_error == pytest.approx(np.sqrt(2 * (1.0**2 + 0.5**2)) / 1.5)
    assert found.df == pytest.approx(1.25**2 / (1 + 0.5**4) - 1)


def test_rows_alone_are_groups_of_one():
    rng = np.random.default_rng(0)
    losses, inside = rng.random(400), rng.random(400) < 0.3
    found = grouped_gap(losses, inside, np.arange(400))
    one, other = losses[inside], losses[~inside]
    assert found.gap == pytest.approx(one.mean() - other.mean())
    error = np.sqrt(one.var() / len(one) + other.var() / len(other))
    assert found.standard_error == pytest.approx(error, rel=0.03)
    strata = np.zeros(400, dtype=np.intp)
    assert grouped_stratified_tail(losses, inside, strata, np.arange(400)) == pytest.approx(found.p_value)


@pytest.mark.parametrize("groups", [np.zeros(10, dtype=np.intp), np.arange(10)])
def test_where_nothing_is_known_the_chance_is_one(groups):
    assert grouped_gap(np.ones(10), np.arange(10) < 3, groups).p_value == 1.0
    assert grouped_gap(np.arange(10.0), np.ones(10, bool), groups).p_value == 1.0
    assert grouped_gap(np.arange(10.0), np.arange(10) < 3, np.zeros(10, dtype=np.intp)).p_value == 1.0


def test_the_promise_holds_where_rows_of_a_group_are_alike_and_is_broken_without_groups():
    rng, runs = np.random.default_rng(1), 500
    with_groups, without = 0, 0
    for _ in range(runs):
        losses, value, groups = world(rng)
        inside = value == 0
        with_groups += Losses(losses, groups).p_value(inside) <= 0.05
        without += Losses(losses).p_value(inside) <= 0.05
    assert with_groups <= runs * 0.05 + 2.3 * np.sqrt(runs * 0.05 * 0.95)
    assert without > runs * 0.15


def test_worst_slices_of_groups_that_differ_by_nothing_but_themselves_are_hardly_ever_named():
    rng, named, alone = np.random.default_rng(2), 0, 0
    for _ in range(60):
        losses, value, groups = world(rng)
        counts = JointCounts([value.astype(np.uint16)], [4], losses)
        named += bool(worst_slices(counts, [0], groups=groups))
        alone += bool(worst_slices(counts, [0]))
    assert named <= 6
    assert alone >= 12


def test_a_slice_across_many_groups_is_found_all_the_same_with_a_lower_bound():
    rng = np.random.default_rng(3)
    losses, _, groups = world(rng, 200, 10)
    inside = rng.random(2000) < 0.2
    losses[inside & (rng.random(2000) < 0.5)] = 1.0
    counts = JointCounts([inside.astype(np.uint16)], [2], losses)
    (with_groups,), (without,) = worst_slices(counts, [0], groups=groups), worst_slices(counts, [0])
    assert with_groups.limits == without.limits == ((0, 1, 1),)
    assert 0 < with_groups.worth <= without.worth


def test_chances_and_means_of_soft_slices_respect_groups():
    rng = np.random.default_rng(4)
    losses, value, groups = world(rng)
    membership = np.where(value == 0, 0.9, 0.1)
    assert chance_of_low(-losses, membership, groups) >= chance_of_low(-losses, membership)
    plain, wide = soft_mean(losses, membership), soft_mean(losses, membership, groups=groups)
    assert wide.value == plain.value
    assert wide.high - wide.low > 1.3 * (plain.high - plain.low)
    alone = soft_mean(losses, membership, groups=np.arange(len(losses)))
    assert alone.as_list() == pytest.approx(plain.as_list(), abs=0.01)
    numbers = losses + 0.1 * rng.standard_normal(len(losses))
    assert soft_mean(numbers, membership, groups=groups).standard_error > soft_mean(numbers, membership).standard_error
    assert soft_mean(numbers, np.ones(len(numbers)), groups=np.zeros(len(numbers), int)).high == WIDEST
    agreed = soft_mean(np.ones(100), np.ones(100), groups=np.repeat(np.arange(5), 20))
    assert agreed.low == pytest.approx(soft_mean(np.ones(5), np.ones(5)).low)


def test_strata_respect_groups():
    rng = np.random.default_rng(5)
    losses, value, groups = world(rng)
    inside, other = value == 0, rng.random(len(losses)) < 0.5
    assert stratified_tail(losses, inside, [other], groups) >= stratified_tail(losses, inside, [other])
