"""Pairs within a radius: by hand, against brute force, between groups."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tilth.core.errors import InputError, UsageError
from tilth.numerics import _close_pairs, _rows
from tilth.numerics.neighbours import pairs_within


def brute(rows, radius, keep=None):
    """Pairs i < j by a loop in float64."""
    gaps = np.sqrt(np.square(rows[:, None].astype(float) - rows[None].astype(float)).sum(axis=2))
    close = np.triu(gaps <= radius, 1)
    if keep is not None:
        close &= keep | keep.T
    return np.argwhere(close), gaps[close]


def test_by_hand_and_the_radius_itself_counts():
    pairs, distances = pairs_within(np.array([[0.0], [3.0], [1.0], [2.5]]), 1.0, "euclidean")
    assert pairs.tolist() == [[0, 2], [1, 3]]
    assert distances.tolist() == [1.0, 0.5]


def test_radius_zero_finds_copies_and_scaled_copies_by_cosine():
    rows = np.array([[1, 2], [3, 1], [1, 2], [2, 4]], dtype=np.float32)
    assert pairs_within(rows, 0.0, "euclidean")[0].tolist() == [[0, 2]]
    assert pairs_within(rows, 1e-12, "cosine")[0].tolist() == [[0, 2], [0, 3], [2, 3]]


def test_groups_need_one_row_each():
    rows = np.zeros((4, 1))
    left = np.array([True, True, False, False])
    pairs, _ = pairs_within(rows, 0.0, "euclidean", left=left, right=~left)
    assert pairs.tolist() == [[0, 2], [0, 3], [1, 2], [1, 3]]
    one_side, _ = pairs_within(rows, 0.0, "euclidean", left=np.array([False, False, True, False]))
    assert one_side.tolist() == [[0, 2], [1, 2], [2, 3]]
    nobody, distances = pairs_within(rows, 0.0, "euclidean", left=np.zeros(4, bool), right=left)
    assert nobody.shape == (0, 2) and distances.shape == (0,)
    nothing, _ = pairs_within(rows, 0.0, "euclidean", left=left, right=np.zeros(4, bool))
    assert nothing.shape == (0, 2)


rows_on_a_grid = hnp.arrays(
    np.float32,
    st.tuples(st.integers(0, 20), st.integers(1, 3)),
    elements=st.one_of(st.integers(-2, 2).map(float), st.floats(-9, 9, width=32, allow_subnormal=False)),
)


@settings(max_examples=80, deadline=None)
@given(rows=rows_on_a_grid, radius=st.sampled_from([0.0, 1.0, 2.0, 2.5]), size=st.integers(1, 300))
def test_law_agrees_with_brute_force_in_blocks_of_any_size(rows, radius, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_close_pairs, "STRIP", size)
        patch.setattr(_close_pairs, "HITS", size)
        patch.setattr(_rows, "EXACT_NUMBERS", size)
        pairs, distances = pairs_within(rows, radius, "euclidean")
    wanted, gaps = brute(rows, radius)
    assert np.array_equal(pairs, wanted)
    assert distances == pytest.approx(gaps, rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(rows=rows_on_a_grid, seed=st.integers(0, 99))
def test_law_overlapping_groups_agree_with_brute_force(rows, seed):
    left, right = np.random.default_rng(seed).random((2, len(rows))) < 0.5
    pairs, _ = pairs_within(rows, 2.0, "euclidean", left=left, right=right)
    assert np.array_equal(pairs, brute(rows, 2.0, left[:, None] & right[None, :])[0])


def test_near_copies_with_a_large_offset_are_told_apart():
    rng = np.random.default_rng(0)
    rows = 1e5 + rng.normal(size=(50, 30))
    rows[10] = rows[20] + 1e-6
    pairs, distances = pairs_within(rows, 1e-3, "euclidean")
    assert pairs.tolist() == [[10, 20]]
    assert distances[0] == pytest.approx(1e-6 * np.sqrt(30), rel=1e-3)


def test_refuses_a_flood_of_pairs():
    with pytest.raises(InputError, match="more than 100 pairs"):
        pairs_within(np.zeros((50, 2)), 1.0, "euclidean", max_pairs=100)


def test_refusals():
    rows = np.ones((3, 2))
    with pytest.raises(UsageError, match="radius"):
        pairs_within(rows, -1.0)
    with pytest.raises(UsageError, match="radius"):
        pairs_within(rows, float("nan"))
    with pytest.raises(InputError, match="a mask covers 2 rows"):
        pairs_within(rows, 1.0, left=np.ones(2, bool))
