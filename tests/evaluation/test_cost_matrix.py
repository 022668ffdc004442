"""cost_matrix: by hand, a brute-force sum."""

from __future__ import annotations

import numpy as np
import pytest
from metric_worlds import world

from tilth.core.errors import InputError
from tilth.evaluation.cost_matrix import CostMatrix, minus_cost


def test_by_hand():
    costs = np.array([[0.0, 1.0], [5.0, 0.0]])
    probs = np.array([[0.9, 0.1], [0.4, 0.6], [0.9, 0.1]])
    assert minus_cost(np.array([0, 0, 1]), probs, costs).tolist() == [0, -1, -5]


def test_without_costs_every_error_costs_one():
    labels, probs = world(3)
    assert -CostMatrix().measure(labels, probs).mean() == pytest.approx((probs.argmax(axis=1) != labels).mean())


def test_parity_with_a_sum_over_the_confusion_matrix():
    labels, probs = world(3)
    costs = np.arange(9.0)
    table = np.zeros((3, 3))
    np.add.at(table, (labels, probs.argmax(axis=1)), 1)
    total = -CostMatrix(costs=tuple(costs)).measure(labels, probs).sum()
    assert total == pytest.approx((table * costs.reshape(3, 3)).sum())


def test_costs_that_are_no_table_are_refused():
    labels, probs = world(3)
    with pytest.raises(InputError, match="4 costs are no table of 3 by 3"):
        CostMatrix(costs=(0.0, 1.0, 1.0, 0.0)).measure(labels, probs)
