"""worst_slices: planted truth, shares of the error, no false discoveries beyond the promise, what is explained is left out."""

from __future__ import annotations

import numpy as np

from tilth.numerics.joint_counts import JointCounts
from tilth.numerics.worst_slices import worst_slices


def codes_of(rng, n, features, values=6):
    return [rng.integers(0, values, n).astype(np.uint16) for _ in range(features)]


def test_planted_slices_of_one_two_and_three_conditions():
    rng = np.random.default_rng(0)
    codes = codes_of(rng, 20_000, 8)
    bad = [
        (codes[0] >= 1) & (codes[0] <= 2) & (codes[1] == 3),
        codes[4] == 5,
        (codes[2] == 0) & (codes[3] == 1) & (codes[6] == 4),
    ]
    chance = np.select(bad, [0.45, 0.25, 0.7], 0.1)
    found = worst_slices(JointCounts(codes, [6] * 8, (rng.random(20_000) < chance).astype(float)), [6] * 8)
    assert [one.limits for one in found] == [((2, 0, 0), (3, 1, 1), (6, 4, 4)), ((0, 1, 2), (1, 3, 3)), ((4, 5, 5),)]
    assert all(0 < one.p_value <= one.q_value <= 0.05 for one in found)
    assert all(one.worth > 0 for one in found)


def test_what_another_slice_explains_is_left_out():
    rng = np.random.default_rng(0)
    codes = codes_of(rng, 10_000, 2, 4)
    codes.append(np.where(rng.random(10_000) < 0.6, codes[0], rng.integers(0, 4, 10_000)).astype(np.uint16))
    losses = (rng.random(10_000) < np.where(codes[0] == 2, 0.4, 0.1)).astype(float)
    found = worst_slices(JointCounts(codes, [4] * 3, losses), [0] * 3)
    assert [one.limits for one in found] == [((0, 2, 2),)]


def test_a_slice_within_a_bad_one_is_reported_beside_it():
    rng = np.random.default_rng(1)
    codes = codes_of(rng, 20_000, 3, 4)
    outer, inner = codes[0] == 1, (codes[0] == 1) & (codes[1] == 2)
    losses = (rng.random(20_000) < np.select([inner, outer], [0.7, 0.3], 0.1)).astype(float)
    found = worst_slices(JointCounts(codes, [4] * 3, losses), [0] * 3)
    assert [one.limits for one in found] == [((0, 1, 1), (1, 2, 2)), ((0, 1, 1),)]


def test_nothing_is_found_more_often_than_promised_where_nothing_is_wrong():
    rng = np.random.default_rng(0)
    spoken = 0
    for run in range(60):
        codes = codes_of(rng, 800, 5, 5)
        losses = (rng.random(800) < 0.2).astype(float) if run % 2 else rng.gamma(0.5, size=800)
        spoken += bool(worst_slices(JointCounts(codes, [5] * 5, losses), [5] * 5, least_rows=20))
    assert spoken <= 7  # P(Bin(60, 0.05) > 7) = 0.01


def test_losses_that_are_all_alike():
    codes = [np.repeat([0, 1], 100).astype(np.uint16)]
    for loss in (0.0, 3.0):
        assert worst_slices(JointCounts(codes, [2], np.full(200, loss)), [0]) == []
    assert worst_slices(JointCounts([np.zeros(0, np.uint16)], [2], np.zeros(0)), [0]) == []
