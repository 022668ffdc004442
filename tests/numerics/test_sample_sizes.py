"""sample_sizes: the figures of the paper, formulas by hand, sizes that keep their promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from tilth.core.errors import InputError
from tilth.numerics.sample_sizes import (
    Adaptivity,
    bennett_rows,
    exact_difference_rows,
    exact_share_rows,
    hoeffding_rows,
    observed_rows,
    share_of_look,
)


def test_the_papers_figures():
    """ease.ml/ci, section 4.1: p = 0.1, 1 − δ = 0.9999, one point; its chance of error is split in four."""
    tail = 0.0001 / 4
    assert bennett_rows(0.1, 0.01, tail) * 0.1 == pytest.approx(2189, abs=1)  # labels for one look
    once, always = share_of_look(1, 32), share_of_look(1, 32, Adaptivity.FULL)
    assert round(bennett_rows(0.1, 0.01, tail * once), -3) == 29_000
    assert round(bennett_rows(0.1, 0.01, tail * always), -3) in (67_000, 68_000)


def test_by_hand():
    assert hoeffding_rows(2.0, 0.1, math.exp(-3)) == 600
    assert observed_rows(100, 0.2, 0.1) == 400


def test_looks_share_the_chance_of_error():
    assert sum(share_of_look(k, 5) for k in range(1, 6)) == pytest.approx(1)
    assert share_of_look(3, 5, Adaptivity.FIRST_CHANGE) == 1 / 5
    models = sum(3 ** (k - 1) for k in range(1, 5))
    assert share_of_look(2, 4, Adaptivity.FULL, outcomes=3) == pytest.approx(1 / models)


def test_exact_is_less_than_bennett_is_less_than_hoeffding():
    sizes = exact_difference_rows(0.1, 0.01, 0.001), bennett_rows(0.1, 0.01, 0.001), hoeffding_rows(2.0, 0.01, 0.001)
    assert sizes[0] < sizes[1] < sizes[2]
    assert exact_share_rows(0.5, 0.01, 0.001) < hoeffding_rows(1.0, 0.01, 0.001)


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_share_keeps_its_promise(share):
    n = exact_share_rows(share, 0.05, 0.01)
    law = stats.binom(n, share)
    assert law.sf(math.ceil(n * (share + 0.05)) - 1) <= 0.01
    assert law.cdf(math.floor(n * (share - 0.05))) <= 0.0101


def test_a_difference_keeps_its_promise():
    n = exact_difference_rows(0.1, 0.03, 0.01)
    drawn = np.random.default_rng(0).multinomial(n, [0.05, 0.05, 0.9], size=20_000)
    assert np.mean((drawn[:, 0] - drawn[:, 1]) / n >= 0.03) <= 0.0125


@pytest.mark.parametrize(
    "ask", [lambda: hoeffding_rows(1, 0, 0.1), lambda: bennett_rows(0, 0.1, 0.1), lambda: share_of_look(0, 1)]
)
def test_what_is_no_aim_is_refused(ask):
    with pytest.raises(InputError):
        ask()
