"""F1 as a mean over rows."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.numerics.class_f1 import f1_rows


def test_the_mean_is_f1():
    rng = np.random.default_rng(0)
    truth, said = rng.random(500) < 0.3, rng.random(500) < 0.4
    both = (truth & said).sum()
    assert f1_rows(truth, said).mean() == pytest.approx(2 * both / (truth.sum() + said.sum()))


def test_a_class_that_is_neither_there_nor_said_has_nothing_wrong():
    assert f1_rows(np.zeros(3, dtype=bool), np.zeros(3, dtype=bool)).tolist() == [1.0, 1.0, 1.0]
    assert f1_rows(np.array([True, False]), np.zeros(2, dtype=bool)).mean() == 0.0


def test_the_spread_of_the_difference_is_that_of_the_difference_of_f1():
    rng = np.random.default_rng(1)

    def draw(n=400):
        truth = rng.random(n) < 0.3
        before = np.where(rng.random(n) < 0.8, truth, ~truth)
        after = np.where(rng.random(n) < 0.9, before, truth)
        return f1_rows(truth, after) - f1_rows(truth, before)

    draws = [draw() for _ in range(600)]
    found = np.std([rows.mean() for rows in draws])
    told = np.mean([rows.std() / np.sqrt(len(rows)) for rows in draws])
    assert told == pytest.approx(found, rel=0.12)
