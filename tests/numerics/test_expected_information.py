"""How much an answer is expected to tell, against brute force; and who is given which row."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tilth.core.errors import InputError
from tilth.numerics.expected_information import assigned, expected_information


def entropy(p):
    p = p[p > 0]
    return float(-(p * np.log(p)).sum())


def test_by_hand():
    sure, even = np.array([1.0, 0.0]), np.array([0.5, 0.5])
    three_of_four = np.array([[0.75, 0.25], [0.25, 0.75]])
    found = expected_information(np.stack([sure, even]), three_of_four[None])
    wanted = np.log(2) - entropy(np.array([0.75, 0.25]))
    assert found.tolist() == pytest.approx(np.array([[0.0], [wanted]]))


def test_equals_entropy_before_minus_expected_entropy_after():
    rng = np.random.default_rng(0)
    posterior = rng.dirichlet(np.full(4, 0.5), 30)
    posterior[0] = [1, 0, 0, 0]
    confusions = rng.dirichlet(np.full(4, 0.5), (5, 4))
    confusions[0] = np.eye(4)
    found = expected_information(posterior, confusions)
    for i, j in product(range(30), range(5)):
        after = 0.0
        for c in range(4):
            joint = posterior[i] * confusions[j, :, c]
            if joint.sum() > 0:
                after += joint.sum() * entropy(joint / joint.sum())
        assert found[i, j] == pytest.approx(entropy(posterior[i]) - after, abs=1e-12)
    assert (found >= 0).all()


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(InputError):
        expected_information(np.ones((2, 3)) / 3, np.ones((2, 2, 2)) / 2)


def test_without_a_cap_each_row_goes_to_the_best_and_ties_are_shared_out():
    gains = np.array([[0.1, 0.3], [0.1, 0.3], [0.2, 0.2], [0.2, 0.2], [0.5, 0.9]])
    may = np.ones((5, 2), dtype=bool)
    may[4, 1] = False
    assert assigned(gains, may).tolist() == [1, 1, 0, 0, 0]
    may[3] = False
    assert assigned(gains, may).tolist() == [1, 1, 0, -1, 0]


@pytest.mark.parametrize("seed", range(4))
def test_with_a_cap_the_gain_of_all_rows_is_greatest(seed):
    rng = np.random.default_rng(seed)
    gains, may = rng.random((5, 3)), rng.random((5, 3)) < 0.7
    given = assigned(gains, may, cap=2)
    assert max(np.bincount(given[given >= 0], minlength=3)) <= 2
    options = [
        choice
        for choice in product(range(-1, 3), repeat=5)
        if all(j < 0 or may[i, j] for i, j in enumerate(choice)) and max(choice.count(j) for j in range(3)) <= 2
    ]
    most = max(sum(j >= 0 for j in choice) for choice in options)
    best = max(
        sum(gains[i, j] for i, j in enumerate(choice) if j >= 0)
        for choice in options
        if sum(j >= 0 for j in choice) == most
    )
    assert sum(given >= 0) == most
    assert sum(gains[i, j] for i, j in enumerate(given) if j >= 0) == pytest.approx(best)


def test_nobody_and_nothing():
    assert assigned(np.zeros((0, 2)), np.zeros((0, 2), dtype=bool)).tolist() == []
    assert assigned(np.zeros((2, 0)), np.zeros((2, 0), dtype=bool)).tolist() == [-1, -1]
    with pytest.raises(InputError):
        assigned(np.zeros((1, 1)), np.ones((1, 1), dtype=bool), cap=0)
