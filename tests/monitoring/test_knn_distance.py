"""Distance to the k-th nearest reference row."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import NotApplicable
from tilth.monitoring.knn_distance import KnnDistance, kth_distance


def test_by_hand():
    """Only directions count: (1, 0) is at 0 from (2, 0) and at the root of 2 from (0, 1)."""
    rows, new = np.array([[2, 0], [0, 1]], dtype=np.float32), np.array([[1, 0], [-3, 0]], dtype=np.float32)
    assert kth_distance(rows, new, k=1) == pytest.approx([0.0, np.sqrt(2)])
    assert kth_distance(rows, new, k=2) == pytest.approx([np.sqrt(2), 2.0])
    assert kth_distance(rows, new, k=9) == pytest.approx([np.sqrt(2), 2.0])


def test_equals_brute_force():
    rng = np.random.default_rng(0)
    rows, new = rng.standard_normal((100, 8)).astype(np.float32), rng.standard_normal((20, 8)).astype(np.float32)
    unit = [part / np.linalg.norm(part.astype(float), axis=1, keepdims=True) for part in (rows, new)]
    gaps = np.linalg.norm(unit[1][:, None] - unit[0][None], axis=2)
    assert kth_distance(rows, new, k=5) == pytest.approx(np.sort(gaps, axis=1)[:, 4], abs=1e-6)


def test_without_reference_it_is_refused(asked):
    empty, some = np.zeros((0, 2), dtype=np.float32), np.ones((3, 2), dtype=np.float32)
    with pytest.raises(NotApplicable, match="no reference rows"):
        asked(KnnDistance(), {"embeddings": empty}, {"embeddings": some})
