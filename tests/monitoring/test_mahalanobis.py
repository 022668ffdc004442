"""Distance from the nearest class."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf

from tilth.core.errors import NotApplicable
from tilth.monitoring.mahalanobis import Mahalanobis, class_distance, shrunk_covariance

CROSS = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], dtype=np.float32)


def test_by_hand():
    """Two crosses of variance one half around (0, 0) and (10, 0): squared distances over one half."""
    rows = np.concatenate([CROSS, CROSS + np.float32([10, 0])])
    labels = np.repeat([0, 1], 4)
    asked = np.array([[0, 0], [10, 3], [5, 0]], dtype=np.float32)
    assert class_distance(rows, labels, asked) == pytest.approx([0.0, 18.0, 50.0], abs=1e-9)


@pytest.mark.parametrize(("n", "d"), [(40, 60), (500, 10), (9_000, 3)])
def test_covariance_equals_scikit_learn(n, d):
    rows = np.random.default_rng(n).standard_normal((n, d)) @ np.diag(np.linspace(1, 3, d))
    rows -= rows.mean(axis=0)
    assert shrunk_covariance(rows) == pytest.approx(ledoit_wolf(rows, assume_centered=True)[0], abs=1e-10)


def test_equals_brute_force_in_blocks(monkeypatch):
    rng = np.random.default_rng(1)
    rows, labels = rng.standard_normal((200, 6)).astype(np.float32), rng.integers(3, size=200)
    new = rng.standard_normal((30, 6)).astype(np.float32)
    centres = np.stack([rows[labels == c].astype(float).mean(axis=0) for c in range(3)])
    inverse = np.linalg.inv(shrunk_covariance(rows - centres[labels]))
    gaps = new[:, None] - centres[None]
    expected = np.einsum("mcd,de,mce->mc", gaps, inverse, gaps).min(axis=1)
    monkeypatch.setattr("tilth.monitoring.mahalanobis._BLOCK", 7)
    assert class_distance(rows, labels, new) == pytest.approx(expected)


def test_a_numeric_label_counts_as_one_class(asked):
    found = asked(Mahalanobis(), {"embeddings": CROSS}, {"embeddings": 2 * CROSS}, classes=())
    assert found == pytest.approx([8.0] * 4)


def test_rows_that_are_all_alike_are_refused(asked):
    rows = {"embeddings": np.ones((5, 2), dtype=np.float32), "labels": np.zeros(5, dtype=np.intp)}
    with pytest.raises(NotApplicable, match="do not differ"):
        asked(Mahalanobis(), rows, {"embeddings": CROSS})
