"""Neighbour lists of a table that changes: always what a search of all rows finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.core.errors import InputError
from tilth.numerics import near_lists as module
from tilth.numerics.near_lists import NearLists, near_lists, origin_of, renewed, vector_digests
from tilth.numerics.neighbours import k_nearest

K = 5


@pytest.fixture(autouse=True)
def small_tables_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FEWEST", 10)


def as_found(lists: NearLists, rows: np.ndarray) -> None:
    searched = k_nearest(rows, K, metric="euclidean", exclude_self=True)
    found = lists.nearest(K)
    assert np.array_equal(found.positions, searched.positions)
    assert found.distances.tobytes() == searched.distances.tobytes()


def changed(rows: np.ndarray, rng: np.random.Generator, n_gone: int, n_new: int, n_other: int) -> np.ndarray:
    gone = rng.choice(len(rows), n_gone, replace=False)
    rows = np.delete(rows, gone, axis=0)
    rows[rng.choice(len(rows), n_other, replace=False)] = rng.normal(size=(n_other, rows.shape[1]))
    return np.vstack([rows, rng.normal(size=(n_new, rows.shape[1]))]).astype(rows.dtype)


def test_lists_follow_ten_rounds_of_changes() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(600, 6)).astype(np.float32)
    lists, digests = near_lists(rows, K), vector_digests(rows)
    for _ in range(10):
        rows = changed(rows, rng, n_gone=12, n_new=15, n_other=8)
        now = vector_digests(rows)
        origin = origin_of(digests, now)
        assert 0 < (origin < 0).sum() <= 23
        lists, digests = renewed(lists, origin, rows, K), now
        as_found(lists, rows)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(30, 120),
    steps=st.integers(1, 4),
    gone=st.integers(0, 9),
    new=st.integers(0, 9),
    other=st.integers(0, 4),
)
def test_ties_and_copies_change_nothing(seed: int, n: int, steps: int, gone: int, new: int, other: int) -> None:
    """Rows on a small lattice: most distances are tied and many rows are equal."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 4, size=(n, 2)).astype(np.float32)
    lists, digests = near_lists(rows, K), vector_digests(rows)
    for _ in range(steps):
        rows = np.rint(changed(rows, rng, gone, new, other)).astype(np.float32)
        now = vector_digests(rows)
        lists, digests = renewed(lists, origin_of(digests, now), rows, K), now
        as_found(lists, rows)
        if len(rows) < 30:
            return


def test_few_changes_search_few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(800, 5)).astype(np.float32)
    lists, before = near_lists(rows, K), vector_digests(rows)
    asked: list[int] = []
    search = module.k_nearest
    monkeypatch.setattr(
        module, "k_nearest", lambda features, k, **how: asked.append(len(how["queries"])) or search(features, k, **how)
    )
    later = changed(rows, rng, n_gone=8, n_new=0, n_other=8)
    as_found(renewed(lists, origin_of(before, vector_digests(later)), later, K), later)
    assert asked == [8]


def test_many_changes_are_searched_as_a_whole() -> None:
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(100, 3)).astype(np.float32)
    other = rng.normal(size=(100, 3)).astype(np.float32)
    mixed = np.vstack([rows[:50], other[:50]])
    as_found(renewed(near_lists(rows, K), np.r_[np.arange(50), np.full(50, -1)], mixed, K), mixed)


def test_origin_matches_equal_rows_in_order_and_drops_those_that_moved() -> None:
    def digests(letters: str) -> np.ndarray:
        return np.array([[ord(letter), 0] for letter in letters], dtype=np.uint64).reshape(-1, 2)

    assert origin_of(digests("abac"), digests("aabc")).tolist() == [0, 2, -1, 3]
    assert origin_of(digests("abc"), digests("xabcaa")).tolist() == [-1, 0, 1, 2, -1, -1]
    assert origin_of(digests("abc"), digests("c")).tolist() == [2]
    assert origin_of(digests("a"), digests("")).tolist() == []


def test_positions_that_fall_are_refused() -> None:
    rows = np.random.default_rng(3).normal(size=(40, 3))
    with pytest.raises(InputError, match="must rise"):
        renewed(near_lists(rows, K), np.arange(40)[::-1], rows, K)
