"""Coverage, overlap, conflict and polarity by hand and against loops; copies that were planted are found, and no others."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.numerics.vote_analysis import alike_pairs, polarity, tallies, vote_shares


def sparse(matrix):
    rows, sources = np.nonzero(matrix >= 0)
    return rows, sources, matrix[rows, sources]


def test_by_hand():
    #             a  b  c
    votes = sparse(np.array([[0, 0, 1], [1, -1, -1], [1, 1, -1], [-1, -1, -1]]))
    shares = vote_shares(*votes, n_rows=4, n_labelers=3, n_classes=2)
    assert shares.coverage.tolist() == [0.75, 0.5, 0.25]
    assert shares.overlap.tolist() == [0.5, 0.5, 0.25]
    assert shares.conflict.tolist() == [0.25, 0.25, 0.25]
    assert polarity(votes[1], votes[2], 3, 2).tolist() == [[1, 2], [1, 1], [0, 1]]
    assert tallies(votes[0], votes[2], 4, 2).tolist() == [[2, 1], [0, 1], [0, 2], [0, 0]]


def test_a_labeler_is_not_in_conflict_with_itself():
    rows, sources, said = np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1]), np.array([0, 1, 0, 1])
    shares = vote_shares(rows, sources, said, n_rows=2, n_labelers=2, n_classes=2)
    assert shares.coverage.tolist() == [1.0, 0.5]
    assert shares.overlap.tolist() == [0.5, 0.5]
    assert shares.conflict.tolist() == [0.5, 0.5]


def loops(rows, sources, said, n, m):
    found = np.zeros((3, m))
    for j in range(m):
        for i in range(n):
            own = {c for x, y, c in zip(rows, sources, said, strict=True) if (x, y) == (i, j)}
            others = {c for x, y, c in zip(rows, sources, said, strict=True) if x == i and y != j}
            found[0, j] += bool(own)
            found[1, j] += bool(own and others)
            found[2, j] += any(c != d for c in own for d in others)
    return found / n


@pytest.mark.parametrize("seed", range(20))
def test_shares_are_those_of_loops_with_repeated_votes(seed):
    rng = np.random.default_rng(seed)
    size = int(rng.integers(0, 30))
    votes = tuple(rng.integers(0, most, size) for most in (6, 4, 3))
    got = vote_shares(*votes, n_rows=6, n_labelers=4, n_classes=3)
    np.testing.assert_allclose(np.stack(got), loops(*votes, 6, 4))


def world(rng, n, m, k, coverage, least):
    truth = rng.choice(k, n, p=[0.6, *[0.4 / (k - 1)] * (k - 1)])
    right = rng.random((n, m)) < rng.uniform(least, 0.95, m)
    said = np.where(right, truth[:, None], (truth[:, None] + rng.integers(1, k, (n, m))) % k)
    return np.where(rng.random((n, m)) < coverage, said, -1)


def found_in(matrix, k):
    rows, sources, said = sparse(matrix)
    labels = tallies(rows, said, len(matrix), k).argmax(axis=1)
    return alike_pairs(rows, sources, said, labels, n_labelers=matrix.shape[1], n_classes=k)


@pytest.mark.parametrize(
    "shape", [(2000, 10, 2, 0.5, 0.55), (4000, 8, 4, 0.8, 0.5), (1500, 5, 2, 1.0, 0.6), (400, 4, 2, 1.0, 0.9)]
)
def test_copies_are_found_and_labelers_that_err_independently_are_not(shape):
    rng = np.random.default_rng(sum(shape[:3]))
    matrix = world(rng, *shape)
    k = shape[2]
    assert found_in(matrix, k) == []
    copied = np.column_stack([matrix, matrix[:, 1]])
    pairs = found_in(copied, k)
    assert [(pair.first, pair.second) for pair in pairs] == [(1, shape[1])]
    assert pairs[0].agreement == pytest.approx(1.0)
    assert pairs[0].shared == int((matrix[:, 1] >= 0).sum())


def test_a_copy_with_errors_of_its_own_is_found():
    rng = np.random.default_rng(7)
    matrix = world(rng, 4000, 10, 2, 0.5, 0.55)
    flipped = np.where((rng.random(4000) < 0.08) & (matrix[:, 2] >= 0), 1 - matrix[:, 2], matrix[:, 2])
    assert [(pair.first, pair.second) for pair in found_in(np.column_stack([matrix, flipped]), 2)] == [(2, 10)]


def test_one_sided_labelers_that_agree_where_they_meet_are_no_copies():
    rng = np.random.default_rng(3)
    truth = rng.random(3000) < 0.4
    matrix = np.where(truth[:, None] & (rng.random((3000, 4)) < 0.5), 1, -1)
    matrix = np.column_stack([matrix, np.where(~truth[:, None] & (rng.random((3000, 3)) < 0.5), 0, -1)])
    assert found_in(matrix, 2) == []


def test_the_same_votes_everywhere_are_named_though_one_sided():
    rng = np.random.default_rng(3)
    one = np.where(rng.random(500) < 0.2, 1, -1)
    matrix = np.column_stack([one, one, rng.integers(0, 2, 500)])
    assert [(pair.first, pair.second) for pair in found_in(matrix, 2)] == [(0, 1)]


def test_nothing_to_compare():
    empty = np.zeros(0, dtype=np.intp)
    assert alike_pairs(empty, empty, empty, np.zeros(3, dtype=np.intp), n_labelers=2, n_classes=2) == []
    assert found_in(np.array([[0], [1]]), 2) == []
