"""Factors of a rank-one matrix: exact, and unmoved by a minority of odd cells."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.numerics.rank_one import rank_one_squares


def test_factors_are_found_despite_odd_cells():
    true = np.linspace(0.2, 0.9, 12)
    products = np.outer(true, true)
    products[0, 1] = products[1, 0] = products[0, 2] = products[2, 0] = 0.95
    found = rank_one_squares(products, np.ones((12, 12), dtype=bool), np.ones((12, 12)), least=1e-4)
    assert found == pytest.approx(true**2)


def test_without_a_triplet_there_is_no_factor():
    usable = np.zeros((4, 4), dtype=bool)
    usable[:2, :2] = True
    assert np.isnan(rank_one_squares(np.ones((4, 4)), usable, np.ones((4, 4)), least=0.1)).all()


def test_partners_that_share_most_come_first():
    true = np.full(40, 0.5)
    products, shared = np.outer(true, true), np.ones((40, 40))
    products[0, 35:] = products[35:, 0] = -1.0
    shared[0, 35:] = shared[35:, 0] = 0.0
    found = rank_one_squares(products, np.ones((40, 40), dtype=bool), shared, least=0.01)
    assert found[0] == pytest.approx(0.25)
