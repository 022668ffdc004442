"""Sequences that are rewarded become likely; the likeliest are found exactly."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tilth.numerics.sequence_choice import learn_sequences, likeliest


def test_what_is_rewarded_becomes_likely_and_what_harms_unlikely() -> None:
    worth = np.array([0.0, 0.5, 1.0, -2.0, 0.4])
    rng = np.random.default_rng(3)

    def reward(found: np.ndarray) -> np.ndarray:
        return worth[found].mean(axis=1) + 0.2 * rng.standard_normal(len(found))

    probs = learn_sequences(reward, 5, 2, rounds=25, sequences=24, rng=rng)
    assert probs.shape == (2, 5)
    assert np.allclose(probs.sum(axis=1), 1)
    assert (probs[:, 3] < 0.05).all()
    assert (probs.argmax(axis=1) == 2).all()


def test_without_differences_nothing_is_learnt() -> None:
    probs = learn_sequences(
        lambda found: np.ones(len(found)), 3, 2, rounds=5, sequences=8, rng=np.random.default_rng(0)
    )
    assert np.allclose(probs, 1 / 3)


def test_the_order_of_places_may_count() -> None:
    def reward(found: np.ndarray) -> np.ndarray:
        return ((found[:, 0] == 0) & (found[:, 1] == 1)).astype(float)

    probs = learn_sequences(reward, 3, 2, rounds=40, sequences=30, rng=np.random.default_rng(1))
    assert probs[0].argmax() == 0
    assert probs[1].argmax() == 1


@pytest.mark.parametrize("most", [1, 3, 8, 100])
def test_the_likeliest_are_those_of_all(most: int) -> None:
    probs = np.random.default_rng(4).dirichlet(np.ones(3), size=3)
    every = sorted(
        ((float(np.prod([probs[i, c] for i, c in enumerate(one)])), one) for one in product(range(3), repeat=3)),
        reverse=True,
    )
    found, shares = likeliest(probs, most)
    wanted = every[:most]
    assert [tuple(row) for row in found.tolist()] == [one for _, one in wanted]
    assert np.allclose(shares, np.array([p for p, _ in wanted]) / sum(p for p, _ in wanted))
