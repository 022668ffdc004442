"""ambiguous: by hand, planted rows between two classes, weak models, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import NotApplicable
from tilth.detection.ambiguous import Ambiguous, ambiguity
from tilth.numerics.neighbours import Neighbours, k_nearest


def test_by_hand():
    probs = np.array([[0.5, 0.5, 0.0], [0.6, 0.4, 0.0], [0.45, 0.35, 0.2], [0.9, 0.1, 0.0]])
    votes = np.array([[0.5, 0.5, 0.0], [0.9, 0.1, 0.0], [0.5, 0.5, 0.0], [0.5, 0.5, 0.0]])
    severity, first, second = ambiguity(probs, votes)
    assert np.allclose(severity, [1.0, 0.2, 0.7, 0.2])
    assert first.tolist() == [0, 0, 0, 0]
    assert second.tolist() == [1, 1, 1, 1]


def line(n=600):
    """Rows on a line, class by side, a fair coin in the middle tenth."""
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(-1, 1, n))
    p = np.clip(0.5 + x * 5, 0, 1)
    labels = (rng.random(n) < p).astype(np.intp)
    return x, labels, np.stack([1 - p, p], axis=1), k_nearest(x[:, None], 10, metric="euclidean", exclude_self=True)


def test_planted_rows_in_the_middle(view_of):
    x, labels, probs, near = line()
    detector = Ambiguous()
    (finding,) = detector.find(view_of(detector, labels=labels, pred_probs=probs, neighbours=near))
    assert (np.abs(x[finding.flagged]) < 0.11).all()
    assert finding.flagged[np.abs(x) < 0.03].mean() > 0.5
    assert "'no' and 'yes'" in finding.summary


def test_trusted_rows_are_left_alone(view_of):
    _, labels, probs, near = line()
    detector = Ambiguous()
    view = view_of(detector, labels=labels, pred_probs=probs, neighbours=near, trusted=np.ones(600, bool))
    assert detector.find(view) == []


def test_a_third_label_is_not_ambiguous_but_wrong(view_of):
    n = 40
    probs = np.tile([0.5, 0.5, 0.0], (n, 1))
    near = Neighbours(np.tile(np.arange(10), (n, 1)), np.ones((n, 10)))
    labels = np.arange(n) % 2
    labels[20] = 2
    detector = Ambiguous(most_share=1.0)
    (finding,) = detector.find(
        view_of(detector, classes=("a", "b", "c"), labels=labels, pred_probs=probs, neighbours=near)
    )
    assert finding.flagged.sum() == n - 1
    assert not finding.flagged[20]


def test_a_weak_model_is_named_as_such(view_of):
    n = 100
    near = Neighbours(np.tile(np.arange(10), (n, 1)), np.ones((n, 10)))
    detector = Ambiguous()
    view = view_of(detector, labels=np.arange(n) % 2, pred_probs=np.full((n, 2), 0.5), neighbours=near)
    (finding,) = detector.find(view)
    assert "weak model" in finding.summary
    assert finding.severity.max() == pytest.approx(0.2)


def test_refusals(view_of):
    detector = Ambiguous()
    near = Neighbours(np.zeros((3, 1), int), np.zeros((3, 1)))
    with pytest.raises(NotApplicable, match="number"):
        detector.find(view_of(detector, classes=(), numbers=np.zeros(30)))
    with pytest.raises(NotApplicable, match="fewer"):
        detector.find(view_of(detector, labels=np.zeros(3, int), pred_probs=np.ones((3, 2)) / 2, neighbours=near))
    with pytest.raises(NotApplicable, match="one class"):
        detector.find(
            view_of(detector, classes=("a",), labels=np.zeros(30, int), pred_probs=np.ones((30, 1)), neighbours=near)
        )
