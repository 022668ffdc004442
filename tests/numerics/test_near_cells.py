"""Near neighbours by cells: by hand, against the exact search, and as laws."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import InputError, UsageError
from tilth.numerics.near_cells import k_near
from tilth.numerics.neighbours import k_nearest


def clusters(n=3_000, d=8, seed=0):
    """Rows around forty centres."""
    rng = np.random.default_rng(seed)
    centres = 4 * rng.standard_normal((40, d))
    return (centres[rng.integers(40, size=n)] + rng.standard_normal((n, d))).astype(np.float32)


def near(rows, k=10, **options):
    return k_near(rows, k, metric="euclidean", most_exact=10, **options)


def test_few_rows_are_searched_exactly():
    rows = clusters(200)
    found, wanted = k_near(rows, 5), k_nearest(rows, 5, exclude_self=True)
    assert found.exact
    assert np.array_equal(found.positions, wanted.positions)


def test_a_line_is_cut_into_cells_that_see_their_neighbours():
    found = near(np.arange(5_000.0)[:, None], k=2, compared=2_000)
    assert not found.exact
    assert (found.distances[1:-1] == 1).all()


def test_compared_with_all_rows_it_is_the_exact_search():
    rows = clusters()
    found, wanted = near(rows, compared=len(rows)), k_nearest(rows, 10, metric="euclidean", exclude_self=True)
    assert np.array_equal(found.positions, wanted.positions)
    assert np.array_equal(found.distances, wanted.distances)


def test_distances_are_exact_and_hardly_larger_than_the_nearest():
    rows = clusters(6_000)
    found, wanted = near(rows, compared=1_500), k_nearest(rows, 10, metric="euclidean", exclude_self=True)
    measured = np.linalg.norm(rows[:, None].astype(np.float64) - rows[found.positions], axis=2)
    assert found.distances == pytest.approx(measured)
    assert (found.distances >= wanted.distances - 1e-12).all()
    assert (found.distances[:, -1] / wanted.distances[:, -1]).mean() < 1.01
    assert np.mean([np.isin(*pair).mean() for pair in zip(wanted.positions, found.positions, strict=True)]) > 0.95


def test_planted_near_copies_are_found():
    rows = clusters(6_000)
    rng = np.random.default_rng(1)
    rows[3_000:3_200] = rows[:200] + 1e-3 * rng.standard_normal((200, 8)).astype(np.float32)
    found = near(rows, k=3, compared=1_000)
    assert (found.positions[3_000:3_200] == np.arange(200)[:, None]).any(axis=1).mean() > 0.98


def test_copies_are_neighbours_of_one_another():
    rows = clusters(2_000)
    rows[:50] = rows[0]
    found = near(rows, k=3, compared=500)
    assert (found.distances[:50] == 0).all()
    assert not (found.positions == np.arange(2_000)[:, None]).any()
    assert (found.positions[:50] < 50).all()


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_the_order_of_rows_does_not_matter(metric):
    rows, order = clusters(), np.random.default_rng(2).permutation(3_000)
    found = k_near(rows, 5, metric=metric, most_exact=10, compared=500)
    turned = k_near(rows[order], 5, metric=metric, most_exact=10, compared=500)
    assert np.array_equal(order[turned.positions], found.positions[order])


def test_all_rows_alike():
    found = near(np.ones((100, 3)), k=4, compared=20)
    assert (found.distances == 0).all()
    assert found.positions.shape == (100, 4)


def test_refusals():
    with pytest.raises(UsageError):
        near(clusters(100), k=0)
    with pytest.raises(InputError):
        near(np.full((100, 2), np.nan))
