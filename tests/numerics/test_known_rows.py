"""Known rows: near ones of the own class, never the row itself; a brute-force search finds the same."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tilth.numerics.known_rows import KnownRows, class_codes_of, sample_places


def digests(n, start=0):
    return np.column_stack([np.arange(start, start + n), np.arange(n)]).astype(np.uint64)


def brute(known, vector, own, cls, k):
    far = np.sqrt(((known.vectors - vector) ** 2).sum(1))
    order = [row for row in np.argsort(far, kind="stable") if row != own]
    wanted = cls if cls >= 0 else known.classes[order[0]]
    return [row for row in order if known.classes[row] == wanted][:k]


@pytest.mark.parametrize("seed", range(3))
def test_as_by_brute_force(seed):
    rng = np.random.default_rng(seed)
    known = KnownRows(digests(60), rng.normal(size=(60, 3)), rng.integers(0, 3, 60))
    new = rng.normal(size=(20, 3))
    queries, ids = np.vstack([known.vectors, new]), np.vstack([digests(60), digests(20, 1_000)])
    for pick in (0.0, 0.4, 0.99):
        found = known.near(queries, ids, 4, np.full(80, pick))
        for row in range(80):
            own, cls = (row, known.classes[row]) if row < 60 else (-1, -1)
            near = brute(known, queries[row], own, cls, 4)
            assert found[row] == near[int(pick * len(near))]


def test_a_class_of_one_row_has_no_neighbour():
    known = KnownRows(digests(3), np.array([[0.0], [1.0], [2.0]]), np.array([0, 1, 1]))
    assert known.near(known.vectors, digests(3), 2, np.zeros(3)).tolist() == [-1, 2, 1]
    assert known.near(np.zeros((0, 1)), digests(0), 2, np.zeros(0)).tolist() == []
    none = KnownRows(digests(0), np.zeros((0, 1)), np.zeros(0, np.intp))
    assert none.near(np.zeros((2, 1)), digests(2), 1, np.zeros(2)).tolist() == [-1, -1]


def test_a_sample_by_digest_and_codes():
    ids = np.array([[5, 1], [2, 9], [2, 3]], np.uint64)
    assert sample_places(ids, 2).tolist() == [2, 1]
    assert class_codes_of(pa.array(["b", None, "a", "b"]), 4).tolist() == [1, -1, 0, 1]
    one = KnownRows(ids, np.zeros((3, 1)), np.zeros(3, np.intp))
    assert one == KnownRows(ids.copy(), np.zeros((3, 1)), np.zeros(3, np.intp))
    assert one != KnownRows(ids, np.ones((3, 1)), np.zeros(3, np.intp))
    assert one != 1
