"""confusion_pairs: quasi-independence by hand, a planted pair, silence where the margins say all."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import NotApplicable
from tilth.slicing.confusion_pairs import ConfusionPairs, expected_errors
from tilth.testing.views import view_of

CLASSES = ("cat", "dog", "it's", "cow")


def view(given, said, classes=CLASSES):
    operator = ConfusionPairs()
    given, said = np.asarray(given), np.asarray(said)
    probs = np.eye(max(len(classes), 1))[said]
    return view_of(operator, classes=classes, labels=given, pred_probs=probs, scores=(given == said).astype(float))


def test_by_hand():
    rows, columns = np.array([3.0, 2.0, 5.0, 1.0]), np.array([1.0, 4.0, 2.0, 6.0])
    errors = np.round(1000 * np.outer(rows, columns) / 10).astype(int)
    np.fill_diagonal(errors, 7)
    wanted = np.where(np.eye(4, dtype=bool), 0, errors)
    assert np.allclose(expected_errors(errors), wanted, rtol=1e-3)  # independent off the diagonal: as it is
    assert np.allclose(expected_errors(np.array([[5, 8, 0], [0, 5, 0], [0, 0, 5]]))[0], [0, 8, 0])


def test_a_planted_pair_is_found():
    rng = np.random.default_rng(0)
    given = rng.integers(0, 4, 4000)
    said = np.where(rng.random(4000) < 0.1, rng.integers(0, 4, 4000), given)
    taken = (given == 2) & (rng.random(4000) < 0.2)
    said[taken] = 1
    (pair,) = ConfusionPairs().discover(view(given, said))
    assert pair.slice.name == "it's taken for dog"
    assert pair.slice.where == "label = 'it''s' AND tilth_predicted = 'dog'"
    assert pair.n_rows == int(((given == 2) & (said == 1)).sum())
    assert pair.score.value == 0.0
    assert pair.slice.facts["expected_rows"] < pair.n_rows / 2


def test_errors_as_the_margins_let_expect_are_no_slice():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        given = rng.integers(0, 4, 1000)
        said = np.where(rng.random(1000) < 0.3, rng.integers(0, 4, 1000), given)
        assert ConfusionPairs().discover(view(given, said)) == []


def test_no_error_two_classes_and_numbers():
    assert ConfusionPairs().discover(view([0, 1, 2] * 20, [0, 1, 2] * 20)) == []
    with pytest.raises(NotApplicable, match="three classes"):
        ConfusionPairs().discover(view([0, 1] * 20, [0, 1] * 20, ("a", "b")))
