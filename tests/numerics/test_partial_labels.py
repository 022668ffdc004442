"""Labels of which only a set is known: planted classes, and laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilth.core.errors import InputError
from tilth.numerics.partial_labels import LEAST, entropy_within, within_sets


def planted(n=400, k=4, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)
    return (np.eye(k)[truth] + rng.normal(0, 0.25, (n, k))).astype(np.float32), truth


def test_a_few_known_rows_settle_planted_classes_within_their_sets():
    features, truth = planted()
    known = np.arange(400) < 24
    pairs = (truth // 2)[~known]
    sets = (np.arange(4) // 2)[None, :] == pairs[:, None]
    probs = within_sets(features, truth, known, sets, 0.1)
    assert (probs[~sets] == 0).all()
    assert (probs.argmax(axis=1) == truth[~known]).mean() > 0.97


def test_a_class_that_no_known_row_shows_is_improbable_but_possible():
    features, truth = planted(k=3)
    known = (np.arange(400) < 40) & (truth != 2)
    sets = np.ones((int((~known).sum()), 3), dtype=bool)
    probs = within_sets(features, truth, known, sets, 0.1)
    assert (probs > 0).all()
    assert probs[:, 2].max() < 10 * LEAST


def test_sets_of_unseen_classes_are_shared_evenly():
    features, truth = planted(k=4)
    known = (np.arange(400) < 40) & (truth < 2)
    sets = np.tile([False, False, True, True], (int((~known).sum()), 1))
    assert np.allclose(within_sets(features, truth, known, sets, 0.1), [0, 0, 0.5, 0.5])


def test_nothing_known_and_empty_sets_are_refused():
    features, truth = planted(n=4)
    with pytest.raises(InputError, match="no row is known"):
        within_sets(features, truth, np.zeros(4, dtype=bool), np.ones((4, 4), dtype=bool), 0.1)
    with pytest.raises(InputError, match="set of possible classes is empty"):
        within_sets(features, truth, np.array([True, True, True, False]), np.zeros((1, 4), dtype=bool), 0.1)


@given(st.integers(0, 50), st.integers(2, 5))
def test_probabilities_stay_within_sets_and_sum_to_one(seed, k):
    rng = np.random.default_rng(seed)
    features, labels = rng.normal(size=(30, 3)).astype(np.float32), rng.integers(0, k, 30)
    known = rng.random(30) < 0.5
    known[0] = True
    sets = rng.random((int((~known).sum()), k)) < 0.5
    sets[np.arange(len(sets)), rng.integers(0, k, len(sets))] = True
    probs = within_sets(features, labels, known, sets, 1.0)
    assert np.allclose(probs.sum(axis=1), 1)
    assert (probs[sets] > 0).all()
    assert (probs[~sets] == 0).all()
    entropy = entropy_within(probs, sets)
    assert ((entropy >= 0) & (entropy <= 1)).all()


def test_entropy_by_hand():
    probs = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]])
    sets = np.array([[True, True, False], [True, True, False], [True, True, True]])
    assert entropy_within(probs, sets) == pytest.approx([1.0, 0.0, 1.0])
