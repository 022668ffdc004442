"""Groups are told by marks that the rows outside have not: by hand, planted, the same each time."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from tilth.numerics.telling_marks import telling_groups


def test_by_hand():
    common = np.ones((20, 1))
    first, second = np.zeros((20, 1)), np.zeros((20, 1))
    first[:7], second[5:12] = 1, 1
    groups = telling_groups(csr_array(np.hstack([common, second, first])), np.arange(20) < 12)
    assert [(group.marks.tolist(), group.rows.tolist()) for group in groups] == [
        ([1], list(range(5, 12))),
        ([2], list(range(5))),
    ]
    assert groups[0].elsewhere == 1 / 9


def test_planted_words_are_found_among_noise():
    rng = np.random.default_rng(0)
    marks = rng.random((3_000, 200)) < 0.05
    inside = np.arange(3_000) < 600
    marks[:300, 17] = marks[300:500, 42] = True
    groups = telling_groups(csr_array(marks.astype(float)), inside)
    assert [group.marks[0] for group in groups[:2]] == [17, 42]
    assert all(inside[group.rows].all() for group in groups)
    rows = np.concatenate([group.rows for group in groups])
    assert len(set(rows.tolist())) == len(rows), "no row is in two groups"


def test_nothing_tells():
    rng = np.random.default_rng(1)
    same = csr_array((rng.random((400, 5)) < 0.5).astype(float))
    assert telling_groups(same, np.arange(400) < 100) == []
    assert telling_groups(same, np.zeros(400, dtype=bool)) == []
    assert len(telling_groups(csr_array(np.ones((10, 1))), np.ones(10, dtype=bool))) <= 1
    assert telling_groups(csr_array((10, 0)), np.ones(10, dtype=bool)) == []
