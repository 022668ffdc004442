"""lattice: the search against brute force, the bound, counts that are carried through edits."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.core.errors import InputError
from tilth.numerics.joint_counts import JointCounts
from tilth.numerics.lattice import search
from tilth.numerics.lower_bound import LowerBound
from tilth.numerics.ranges import RangeCounts


def world(seed, n=600, features=5, values=4, *, is_real=False):
    rng = np.random.default_rng(seed)
    codes = [rng.integers(0, values, n).astype(np.uint16) for _ in range(features)]
    bad = (codes[0] == 1) & (codes[2] == 3)
    losses = (rng.random(n) < np.where(bad, 0.8, 0.2)).astype(float)
    if is_real:
        losses = losses * rng.gamma(2.0, size=n)
    return codes, [values - 1] * features, losses  # the last value is of no interest


def brute_force(codes, sizes, losses, bound, depth, least_rows):
    found = []
    for d in range(1, depth + 1):
        for features in combinations(range(len(codes)), d):
            for values in product(*(range(sizes[f]) for f in features)):
                inside = np.all([codes[f] == v for f, v in zip(features, values, strict=True)], axis=0)
                if inside.sum() >= least_rows:
                    worth = bound.worth(np.array([inside.sum()]), np.array([losses[inside].sum()]), d)[0]
                    found.append((-worth, d, features, values))
    return sorted(found), [sum(one[1] == d for one in found) for d in range(1, depth + 1)]


@pytest.mark.parametrize("is_real", [False, True])
@pytest.mark.parametrize("most", [3, 1000])
def test_the_search_finds_what_brute_force_finds(most, is_real):
    for seed in range(4):
        codes, sizes, losses = world(seed, is_real=is_real)
        bound = LowerBound(losses, (0.2, 0.1, 0.1), 8)
        wanted, counted = brute_force(codes, sizes, losses, bound, 3, 8)
        wanted = [one for one in wanted if one[0] < 0][:most]
        searched = search(
            JointCounts(codes, sizes, losses), lambda _, b=bound: b, depth=3, least_rows=8, most=most, refine=None
        )
        assert [(one.features, one.values) for one in searched.found] == [one[2:] for one in wanted]
        assert np.allclose([one.worth for one in searched.found], [-one[0] for one in wanted])
        assert searched.sizes[:2] == tuple(counted[:2])
        assert searched.sizes[2] >= counted[2]  # a bound: its three pairs have rows enough


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.booleans(), st.integers(1, 30))
def test_no_part_of_a_group_is_worth_more_than_its_bound(seed, is_real, least_rows):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(least_rows + 2, 80))
    losses = rng.gamma(0.3, size=n) if is_real else (rng.random(n) < rng.random()).astype(float)
    bound = LowerBound(losses, (float(rng.uniform(1e-9, 0.4)),), least_rows)
    group = rng.permutation(n)[: int(rng.integers(least_rows, n))]
    top = bound.bound(float(losses[group].sum()), 1)
    worst_first = group[np.argsort(-losses[group], kind="stable")]
    rows = np.arange(1, len(group) + 1)
    worths = bound.worth(rows, np.cumsum(losses[worst_first]), 1)[least_rows - 1 :]
    assert worths.max(initial=-np.inf) <= max(top, 0.0) + 1e-9


def test_what_repeats_its_part_is_left_out():
    rng = np.random.default_rng(0)
    codes = [rng.integers(0, 3, 3000).astype(np.uint16) for _ in range(4)]
    losses = (rng.random(3000) < np.where(codes[1] == 2, 0.5, 0.1)).astype(float)

    def found(refine):
        counts = JointCounts(codes, [3] * 4, losses)
        bound = LowerBound(losses, (0.01,) * 3, 30)
        return [one.values for one in search(counts, lambda _: bound, depth=3, refine=refine).found]

    assert found(0.05) == [(2,)]
    assert len(found(None)) > 10


def test_ranges_sum_up_their_values():
    rng = np.random.default_rng(0)
    codes = [rng.integers(0, 5, 500).astype(np.uint16), rng.integers(0, 3, 500).astype(np.uint16)]
    losses = rng.random(500)
    counts = JointCounts(codes, [5, 2], losses)
    ranges = RangeCounts(counts, [4, 0])
    table = ranges.of((0, 1))
    assert ranges.sizes == (10, 2)
    for place, (low, high) in enumerate(ranges.limits[0]):
        for other, (value, _) in enumerate(ranges.limits[1]):
            inside = (codes[0] >= low) & (codes[0] <= high) & (codes[1] == value)
            assert table.rows[place, other] == inside.sum()
            assert table.losses[place, other] == pytest.approx(losses[inside].sum())


@pytest.mark.parametrize("is_real", [False, True])
def test_counts_carried_through_edits_are_those_of_a_fresh_count(is_real):
    codes, sizes, losses = world(0, n=2000, is_real=is_real)
    counts = JointCounts(codes, sizes, losses)
    asked = [c for d in (1, 2, 3) for c in combinations(range(5), d)]
    for features in asked:
        counts.of(features)
    rng = np.random.default_rng(1)
    rows = rng.choice(2000, 20, replace=False)
    changed = [rng.integers(0, 4, 20).astype(np.uint16) for _ in range(5)]
    more = [code[:30] for code in codes]
    for after in (
        counts.edited(rows, changed, losses[rows][::-1]),
        counts.dropped(rows),
        counts.added(more, losses[:30]),
        counts.edited(rows, changed, losses[rows]).dropped(rows[:5]).added(more, losses[:30]),
    ):
        fresh = JointCounts(after.codes, sizes, after.losses)
        assert set(after._made) == set(asked)
        for features in asked:
            assert np.array_equal(after.of(features).rows, fresh.of(features).rows)
            assert np.array_equal(after.of(features).losses, fresh.of(features).losses)
        again, once = (
            search(c, lambda _, c=c: LowerBound(c.losses, (0.1,) * 3, 10), depth=3, least_rows=10).found
            for c in (after, fresh)
        )
        assert again == once
    assert np.array_equal(counts.of((0,)).rows, JointCounts(codes, sizes, losses).of((0,)).rows)


def test_a_loss_beyond_the_grid_is_counted_anew():
    counts = JointCounts([np.zeros(4, dtype=np.uint16)], [1], np.array([0.25, 1.0, 0.5, 0.0]))
    assert counts.of((0,)).losses.tolist() == [1.75]
    more = counts.added([np.zeros(1, dtype=np.uint16)], np.array([1e9]))
    assert more.of((0,)).losses[0] == pytest.approx(1e9 + 1.75, rel=1e-8)


def test_losses_that_are_none_are_refused():
    code = [np.zeros(2, dtype=np.uint16)]
    for losses in ([np.nan, 1.0], [-1.0, 0.0], [1.0]):
        with pytest.raises(InputError):
            JointCounts(code, [1], np.array(losses))
