"""Agreement beyond chance: published examples by hand, and intervals that cover what they should."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import InputError
from tilth.numerics.agreement import cohen_kappa, fleiss_kappa, krippendorff_alpha

KRIPPENDORFF = [  # four observers, twelve units; 0 is missing (Krippendorff 2011, section C)
    [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
    [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
]
FLEISS = [  # ten subjects, fourteen raters, five classes (Fleiss 1971)
    [0, 0, 0, 0, 14],
    [0, 2, 6, 4, 2],
    [0, 0, 3, 5, 6],
    [0, 3, 9, 2, 0],
    [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0],
    [2, 5, 3, 2, 2],
    [6, 5, 2, 1, 0],
    [0, 2, 2, 3, 7],
]


def counts_of(matrix, k):
    return np.stack([np.bincount(row[row >= 0], minlength=k) for row in np.asarray(matrix)]).astype(float)


def test_krippendorffs_own_example():
    counts = counts_of(np.array(KRIPPENDORFF).T - 1, 5)
    assert krippendorff_alpha(counts).value == pytest.approx(0.743, abs=5e-4)


def test_fleiss_own_example():
    assert fleiss_kappa(np.array(FLEISS, dtype=float)).value == pytest.approx(0.210, abs=5e-4)


def test_cohen_by_hand():
    """45 + 25 of 100 agree; chance is .6 * .7 + .4 * .3."""
    first = np.repeat([0, 0, 1, 1], [45, 15, 25, 15])
    second = np.repeat([0, 1, 0, 1], [45, 15, 25, 15])
    assert cohen_kappa(first, second, 2).value == pytest.approx((0.6 - 0.54) / 0.46)


@pytest.mark.parametrize("measure", [krippendorff_alpha, fleiss_kappa])
def test_perfect_agreement_is_one_and_chance_is_about_zero(measure):
    rng = np.random.default_rng(0)
    assert measure(np.array([[3.0, 0.0], [0.0, 3.0], [3.0, 0.0]])).as_list() == [1.0, 1.0]
    chance = measure(counts_of(rng.integers(0, 2, (3000, 4)), 2))
    assert chance.low < 0 < chance.high
    assert chance.high - chance.low < 0.06


@pytest.mark.parametrize("measure", [krippendorff_alpha, fleiss_kappa])
def test_what_cannot_be_measured_is_refused(measure):
    with pytest.raises(InputError, match="no row has two votes"):
        measure(np.array([[1.0, 0.0], [0.0, 1.0]]))
    with pytest.raises(InputError, match="one class"):
        measure(np.array([[2.0, 0.0], [3.0, 0.0]]))
    with pytest.raises(InputError):
        cohen_kappa(np.zeros(0, dtype=int), np.zeros(0, dtype=int), 2)


def two_raters(rng, n):
    """Each of two raters says the truth with chance .8, else the other class: the agreement expected is .68, kappa .36."""
    truth = rng.integers(0, 2, n)
    return [np.where(rng.random(n) < 0.8, truth, 1 - truth) for _ in range(2)]


@pytest.mark.parametrize("name", ["alpha", "fleiss", "cohen"])
def test_intervals_cover_the_value_that_rows_without_end_would_have(name):
    rng = np.random.default_rng(4)
    hits = 0
    for _ in range(300):
        first, second = two_raters(rng, 120)
        counts = counts_of(np.stack([first, second], axis=1), 2)
        if name == "cohen":
            found = cohen_kappa(first, second, 2)
        else:
            found = krippendorff_alpha(counts) if name == "alpha" else fleiss_kappa(counts)
        hits += found.low <= 0.36 <= found.high
    assert 0.915 <= hits / 300 <= 0.985
