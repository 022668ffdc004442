"""Nearest neighbours: by hand, against sklearn and brute force, and as laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.neighbors import NearestNeighbors

from tilth.core.errors import InputError, UsageError
from tilth.numerics import _nearest, _rows
from tilth.numerics.neighbours import Neighbours, identical_rows, k_nearest, neighbour_votes

METRICS = ("cosine", "euclidean")


def brute_distances(left, right, metric):
    """All distances in float64, by differences."""
    left, right = left.astype(np.float64), right.astype(np.float64)
    if metric == "cosine":
        left, right = directions(left), directions(right)
    squared = np.square(left[:, None, :] - right[None, :, :]).sum(axis=2)
    return np.sqrt(squared) if metric == "euclidean" else np.minimum(squared / 2, 2)


def directions(rows):
    """Unit rows, with an axis of its own for rows of zeros."""
    lengths = np.linalg.norm(rows, axis=1)
    wide = np.column_stack([rows, lengths == 0])
    return wide / np.where(lengths == 0, 1, lengths)[:, None]


def small_blocks(monkeypatch, size=64):
    for name in ("STRIP", "HITS"):
        monkeypatch.setattr(_nearest, name, size)
    monkeypatch.setattr(_rows, "EXACT_NUMBERS", size)


# by hand


def test_points_on_a_line():
    found = k_nearest(np.array([[0.0], [1.0], [3.0], [7.0]]), 2, metric="euclidean", exclude_self=True)
    assert found.positions.tolist() == [[1, 2], [0, 2], [1, 0], [2, 1]]
    assert found.distances.tolist() == [[1, 3], [1, 2], [2, 3], [4, 6]]


def test_cosine_ignores_length_and_sees_direction():
    rows = np.array([[1, 0], [5, 0], [0, 2], [-3, 0]], dtype=np.float32)
    found = k_nearest(rows, 3, metric="cosine", exclude_self=True)
    assert found.positions[0].tolist() == [1, 2, 3]
    assert found.distances[0] == pytest.approx([0, 1, 2], abs=1e-15)


def test_equal_distances_go_to_the_lower_position():
    rows = np.array([[0.0], [1.0], [-1.0], [1.0], [-1.0]])
    assert k_nearest(rows, 4, metric="euclidean", exclude_self=True).positions[0].tolist() == [1, 2, 3, 4]


def test_a_row_is_barred_from_itself_but_its_copies_are_not():
    rows = np.array([[2.0], [2.0], [2.0], [9.0]])
    apart = k_nearest(rows, 1, metric="euclidean", exclude_self=True)
    assert apart.positions.ravel().tolist() == [1, 0, 0, 0]
    assert apart.distances.ravel().tolist() == [0, 0, 0, 7]
    assert k_nearest(rows, 1, metric="euclidean", exclude_self=False).positions.ravel().tolist() == [
        0,
        0,
        0,
        3,
    ]


def test_queries_are_matched_to_the_features():
    found = k_nearest(
        np.array([[0.0], [10.0]]), 1, queries=np.array([[9.0], [1e6]]), metric="euclidean", exclude_self=False
    )
    assert found.positions.ravel().tolist() == [1, 1]
    assert found.distances.ravel().tolist() == [1, 999_990]


def test_fewer_rows_than_asked_for_gives_all_of_them():
    rows = np.eye(3, dtype=np.float32)
    assert k_nearest(rows, 9, exclude_self=True).positions.shape == (3, 2)
    assert k_nearest(rows[:1], 9, exclude_self=True).positions.shape == (1, 0)
    assert k_nearest(rows[:0], 9, exclude_self=True).positions.shape == (0, 0)
    assert k_nearest(rows[:0], 9, queries=rows, exclude_self=False).distances.shape == (3, 0)


def test_rows_of_zeros_are_near_each_other_only():
    rows = np.array([[0, 0], [1, 0], [0, 0]], dtype=np.float32)
    found = k_nearest(rows, 2, metric="cosine", exclude_self=True)
    assert found.positions.tolist() == [[2, 1], [0, 2], [0, 1]]
    assert found.distances.tolist() == [[0, 1], [1, 1], [0, 1]]


# float32 cancellation


@pytest.mark.parametrize("metric", METRICS)
def test_copies_far_from_the_origin_are_at_distance_zero(metric):
    rng = np.random.default_rng(0)
    rows = (1e4 + rng.normal(size=(60, 384))).astype(np.float32)
    rows[41] = rows[7]
    found = k_nearest(rows, 1, metric=metric, exclude_self=True)
    assert found.positions[7, 0] == 41 and found.distances[7, 0] == 0.0
    assert found.positions[41, 0] == 7 and found.distances[41, 0] == 0.0


def test_differences_that_a_float32_product_cannot_see_are_ordered():
    base = np.full(64, 1.0, dtype=np.float64)
    rows = np.stack([base, base, base, -base])
    rows[1, 0] += 2e-9
    rows[2, 0] += 1e-9
    found = k_nearest(rows, 2, metric="euclidean", exclude_self=True)
    assert found.positions[0].tolist() == [2, 1]
    assert found.distances[0] == pytest.approx([1e-9, 2e-9], rel=1e-6)


def test_one_distant_row_does_not_blur_the_rest():
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(80, 8)).astype(np.float32)
    rows[3] = 1e18
    found = k_nearest(rows, 5, metric="euclidean", exclude_self=True)
    wanted = brute_distances(rows, rows, "euclidean")
    np.fill_diagonal(wanted, np.inf)
    assert np.array_equal(found.positions, np.argsort(wanted, axis=1, kind="stable")[:, :5])


# parity


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("exclude_self", [True, False])
def test_agrees_with_scikit_learn(metric, exclude_self):
    rows = np.random.default_rng(2).normal(size=(300, 24)).astype(np.float32)
    found = k_nearest(rows, 7, metric=metric, exclude_self=exclude_self)
    reference = NearestNeighbors(n_neighbors=7, metric=metric, algorithm="brute").fit(rows.astype(np.float64))
    distances, positions = reference.kneighbors(None if exclude_self else rows.astype(np.float64))
    assert np.array_equal(found.positions, positions)
    assert found.distances == pytest.approx(distances, abs=1e-6)


@pytest.mark.parametrize("metric", METRICS)
def test_agrees_with_scikit_learn_on_queries(metric):
    rng = np.random.default_rng(3)
    rows, queries = rng.normal(size=(200, 5)), rng.normal(size=(40, 5)) * 3
    found = k_nearest(rows, 4, queries=queries, metric=metric, exclude_self=False)
    distances, positions = NearestNeighbors(n_neighbors=4, metric=metric).fit(rows).kneighbors(queries)
    assert np.array_equal(found.positions, positions)
    assert found.distances == pytest.approx(distances, abs=1e-12)


small_rows = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 24), st.integers(1, 4)),
    elements=st.one_of(st.integers(-2, 2).map(float), st.floats(-1e3, 1e3, width=32, allow_subnormal=False)),
)


@settings(max_examples=80, deadline=None)
@given(rows=small_rows, k=st.integers(1, 8), metric=st.sampled_from(METRICS))
def test_law_agrees_with_brute_force_ties_included(rows, k, metric):
    found = k_nearest(rows, k, metric=metric, exclude_self=True)
    wanted = brute_distances(rows, rows, metric)
    np.fill_diagonal(wanted, np.inf)
    nearest = np.sort(wanted, axis=1)[:, : found.positions.shape[1]]
    assert found.distances == pytest.approx(nearest, rel=1e-12, abs=1e-14)
    rising = np.diff(found.distances, axis=1)
    assert (rising >= 0).all()
    assert (np.diff(found.positions, axis=1)[rising == 0] > 0).all()
    assert (found.positions != np.arange(len(rows))[:, None]).all()


@settings(max_examples=60, deadline=None)
@given(rows=small_rows, size=st.integers(1, 200), metric=st.sampled_from(METRICS))
def test_law_blocks_change_nothing(rows, size, metric):
    whole = k_nearest(rows, 5, metric=metric, exclude_self=False)
    with pytest.MonkeyPatch.context() as patch:
        small_blocks(patch, size)
        blocked = k_nearest(rows, 5, metric=metric, exclude_self=False)
    assert np.array_equal(whole.positions, blocked.positions)
    assert np.array_equal(whole.distances, blocked.distances)


@pytest.mark.parametrize("metric", METRICS)
def test_blocks_and_order_of_columns_in_memory_change_nothing_at_full_width(metric, monkeypatch):
    rows = np.random.default_rng(4).normal(size=(700, 96)).astype(np.float32)
    rows[500:520] = rows[3]
    whole = k_nearest(rows, 10, metric=metric, exclude_self=True)
    small_blocks(monkeypatch, 5_000)
    blocked = k_nearest(np.asfortranarray(rows), 10, metric=metric, exclude_self=True)
    assert np.array_equal(whole.positions, blocked.positions)
    assert np.array_equal(whole.distances, blocked.distances)


def test_a_subset_of_queries_gets_the_same_answers():
    rows = np.random.default_rng(5).normal(size=(200, 16)).astype(np.float32)
    whole = k_nearest(rows, 3, exclude_self=False)
    some = k_nearest(rows, 3, queries=rows[50:60], exclude_self=False)
    assert np.array_equal(whole.positions[50:60], some.positions)
    assert np.array_equal(whole.distances[50:60], some.distances)


def test_thousands_of_copies_are_searched_once(monkeypatch):
    rows = np.zeros((4_000, 4), dtype=np.float32)
    rows[:5] = np.random.default_rng(6).normal(size=(5, 4))
    measured = []
    real = _rows.Space.distances

    def counted(self, left, other, right):
        measured.append(len(left))
        return real(self, left, other, right)

    monkeypatch.setattr(_rows.Space, "distances", counted)
    found = k_nearest(rows, 3, metric="euclidean", exclude_self=True)
    assert sum(measured) <= 36
    assert found.positions[5].tolist() == [6, 7, 8]
    assert found.positions[3_999].tolist() == [5, 6, 7]


# refusals


def test_inputs_are_left_alone_and_may_be_read_only():
    rows = np.random.default_rng(7).normal(size=(20, 3)).astype(np.float32)
    before = rows.copy()
    rows.flags.writeable = False
    k_nearest(rows, 2, exclude_self=True)
    assert np.array_equal(rows, before)


def test_refusals_say_where():
    rows = np.ones((4, 2), dtype=np.float32)
    with pytest.raises(UsageError, match="k is 0"):
        k_nearest(rows, 0, exclude_self=False)
    with pytest.raises(UsageError, match="not among"):
        k_nearest(rows, 1, queries=rows, exclude_self=True)
    with pytest.raises(UsageError, match="no metric 'manhattan'"):
        k_nearest(rows, 1, metric="manhattan", exclude_self=True)
    with pytest.raises(InputError, match="3 columns, features 2"):
        k_nearest(rows, 1, queries=np.ones((1, 3)), exclude_self=False)
    with pytest.raises(InputError, match="shape"):
        k_nearest(rows[0], 1, exclude_self=False)
    bad = rows.copy()
    bad[2, 1] = np.nan
    with pytest.raises(InputError, match="positions 2"):
        k_nearest(bad, 1, exclude_self=False)


# identical rows


def test_identical_rows_point_at_the_first():
    rows = np.array([[0.0, 1.0], [1.0, 0.0], [-0.0, 1.0], [1.0, 1e-300], [1.0, 0.0]])
    assert identical_rows(rows).tolist() == [0, 1, 0, 3, 1]


@given(rows=small_rows)
def test_law_identical_rows_is_exact(rows):
    wanted = [int(np.flatnonzero((rows == row).all(axis=1))[0]) for row in rows]
    assert identical_rows(rows).tolist() == wanted


def test_identical_rows_survives_colliding_hashes(monkeypatch):
    monkeypatch.setattr(_rows, "row_hashes", lambda rows: np.zeros(len(rows), dtype=np.uint64))
    rows = np.array([[1.0], [2.0], [1.0], [3.0], [2.0]])
    assert identical_rows(rows).tolist() == [0, 1, 0, 3, 1]


# votes


def test_votes_are_shares_of_the_neighbours_labels():
    found = Neighbours(np.array([[1, 2], [0, 2]]), np.zeros((2, 2)))
    votes = neighbour_votes(found, np.array([0, 1, 1]), 3)
    assert votes.tolist() == [[0, 1, 0], [0.5, 0.5, 0]]


def test_weights_scale_votes_and_silence_rows_without_a_label():
    found = Neighbours(np.array([[1, 2], [2, 2]]), np.zeros((2, 2)))
    labelled = np.array([True, True, False])
    labels = np.array([0, 1, 10**9])
    votes = neighbour_votes(found, labels, 2, labelled[found.positions].astype(float))
    assert votes.tolist() == [[0, 1], [0, 0]]
    assert neighbour_votes(found, np.array([0, 1, 0]), 2, np.array([[3.0, 1.0], [1.0, 1.0]])).tolist() == [
        [0.25, 0.75],
        [1, 0],
    ]


def test_no_neighbours_no_votes():
    assert neighbour_votes(Neighbours(np.empty((2, 0), int), np.empty((2, 0))), np.array([0, 1]), 2).sum() == 0


@pytest.mark.parametrize(
    ("labels", "weights"),
    [([0, 5, 0], None), ([0, -1, 0], None), ([0, 1, 0], -np.ones((2, 2))), ([0, 1, 0], [[1.0]])],
)
def test_votes_refuse_what_cannot_be_meant(labels, weights):
    found = Neighbours(np.array([[1, 2], [0, 2]]), np.zeros((2, 2)))
    with pytest.raises(UsageError):
        neighbour_votes(found, np.array(labels), 2, None if weights is None else np.asarray(weights))
