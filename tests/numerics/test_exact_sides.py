"""exact_sides: by hand, parity with brute force and SciPy, sizes that hold."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from tilth.core.errors import InputError
from tilth.numerics.exact_sides import (
    difference_above,
    lowest_consistent,
    share_above,
    share_ends,
    tail_of_difference,
)


def test_by_hand():
    assert share_above(5, 5, 0.5) == pytest.approx(1 / 32)
    assert tail_of_difference(1, 1, 0.5, 0.0) == pytest.approx(0.25)


def test_parity_with_scipy():
    found = stats.binomtest(7, 20).proportion_ci(0.9, method="exact")
    assert share_ends(7, 20, 0.05) == pytest.approx((found.low, found.high))
    assert share_above(7, 20, 0.2) == pytest.approx(stats.binomtest(7, 20, 0.2, alternative="greater").pvalue)


def test_no_row_that_counts_and_all_rows_that_count():
    assert share_ends(0, 5, 0.05)[0] == 0 and share_ends(5, 5, 0.05)[1] == 1
    assert (share_above(1, 2, -0.1), share_above(1, 2, 1.0)) == (0.0, 1.0)


@pytest.mark.parametrize(("changed", "truth"), [(0.4, 0.1), (0.9, -0.2), (1.0, 0.0), (0.3, 0.3)])
def test_the_tail_of_a_difference_equals_brute_force(changed, truth):
    p = {1: (changed + truth) / 2, -1: (changed - truth) / 2, 0: 1 - changed}
    n = 6
    law = np.zeros(2 * n + 1)
    for signs in itertools.product(p, repeat=n):
        law[sum(signs) + n] += np.prod([p[sign] for sign in signs])
    for surplus in range(-n, n + 1):
        assert tail_of_difference(surplus, n, changed, truth) == pytest.approx(law[surplus + n :].sum(), abs=1e-12)


def test_far_tails_are_not_rounded_away():
    assert 0 < tail_of_difference(300, 2000, 0.1, 0.0) < 1e-40


@pytest.mark.parametrize(
    ("n", "changed", "least"), [(300, 0.1, 0.02), (300, 0.1, 0.0), (1000, 0.05, -0.01), (60, 0.5, 0.1)]
)
@pytest.mark.parametrize("level", [0.05, 0.005])
def test_the_size_is_at_most_the_level(n, changed, least, level):
    """Over all outcomes, weighted by their chance at the edge of "no better than `least`"."""
    rng = np.random.default_rng(0)
    runs = 4000
    drawn = rng.multinomial(n, [(changed + least) / 2, (changed - least) / 2, 1 - changed], size=runs)
    pairs, counts = np.unique(drawn[:, :2], axis=0, return_counts=True)
    wrong = sum(
        c
        for (won, lost), c in zip(pairs, counts, strict=True)
        if difference_above(int(won), int(lost), n, least, level) <= level
    )
    assert wrong / runs <= level + 3 * np.sqrt(level / runs)


def test_the_lower_limit_by_bisection_is_clopper_pearsons():
    found = lowest_consistent(lambda least: share_above(13, 40, least), 0.025, 0.0, 1.0)
    assert found == pytest.approx(share_ends(13, 40, 0.025)[0], abs=1e-5)


def test_what_is_no_share_is_refused():
    with pytest.raises(InputError, match="3 of 2 rows"):
        share_above(3, 2, 0.5)
