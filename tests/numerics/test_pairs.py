"""Pairs, ragged runs and copies."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tilth.numerics._pairs import (
    digests,
    distinct,
    first_of_equals,
    hits,
    link_copies,
    offsets_within,
    pair_keys,
    sorted_pairs,
    split_keys,
)


def test_offsets_within_skips_empty_runs():
    assert offsets_within(np.array([2, 0, 3])).tolist() == [0, 1, 0, 1, 2]
    assert offsets_within(np.array([], dtype=np.intp)).tolist() == []


def test_sorted_pairs_orders_ends_and_drops_repeats_and_self_pairs():
    left, right = np.array([5, 1, 2, 0, 3]), np.array([0, 1, 3, 5, 2])
    pairs, measure = sorted_pairs(left, right, np.array([0.5, 9.0, 0.2, 0.5, 0.2]), 6)
    assert pairs.tolist() == [[0, 5], [2, 3]]
    assert measure.tolist() == [0.5, 0.2]


def test_pair_keys_survive_large_positions():
    low, high, n = np.array([3_000_000_000]), np.array([3_999_999_999]), 4_000_000_000
    assert split_keys(pair_keys(low, high, n), n).tolist() == [[3_000_000_000, 3_999_999_999]]


@given(values=hnp.arrays(np.uint64, st.integers(0, 30), elements=st.integers(0, 9)))
def test_law_distinct_is_a_sorted_set(values):
    assert distinct(values).tolist() == sorted(set(values.tolist()))


@given(mask=hnp.arrays(np.bool_, st.tuples(st.integers(0, 9), st.integers(1, 9))), most=st.integers(1, 20))
def test_law_hits_are_the_true_cells_in_order_by_whole_rows(mask, most):
    parts = list(hits(mask, most))
    cells = [cell for rows, columns in parts for cell in np.stack([rows, columns], axis=1).tolist()]
    assert cells == np.argwhere(mask).tolist()
    for rows, _ in parts:
        assert len(rows) <= most or len(set(rows.tolist())) == 1
    seen = [row for rows, _ in parts for row in set(rows.tolist())]
    assert len(seen) == len(set(seen))


@given(values=st.lists(st.sampled_from([b"a", b"b", b"c", b""]), max_size=20))
def test_law_first_of_equals_is_the_lowest_position(values):
    assert first_of_equals(digests(values)).tolist() == [values.index(value) for value in values]


def test_copies_are_linked_to_their_first_and_to_its_neighbours():
    first = np.array([0, 1, 0, 1, 0, 5])
    pairs, measure = link_copies(first, np.array([[0, 1]]), np.array([0.9]), same=1.0)
    assert pairs.tolist() == [[0, 1], [0, 2], [0, 3], [0, 4], [1, 2], [1, 3], [1, 4]]
    assert measure.tolist() == [0.9, 1.0, 0.9, 1.0, 0.9, 1.0, 0.9]


def test_ten_thousand_copies_make_ten_thousand_links():
    pairs, _ = link_copies(np.zeros(10_000, np.intp), np.empty((0, 2), np.intp), np.empty(0), same=1.0)
    assert len(pairs) == 9_999 and (pairs[:, 0] == 0).all()
