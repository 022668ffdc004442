"""What tests of slicers share."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def planted():
    """Return what draws rows of two classes with a slice that fails."""
    return _planted


def _planted(n: int = 1_200, seed: int = 0, inside_share: float = 0.1):
    """Rows of two classes; some of the second lie aside and are taken for the first."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n)
    inside = (rng.random(n) < inside_share) & (labels == 1)
    features = rng.standard_normal((n, 8)) + 4.0 * labels[:, None] * np.eye(8)[0] + 4.0 * inside[:, None] * np.eye(8)[1]
    said = np.where(inside & (rng.random(n) < 0.7), 0, labels)
    said = np.where(rng.random(n) < 0.05, 1 - said, said)
    probs = np.where(np.eye(2)[said] > 0, 0.93, 0.07)
    return {
        "labels": labels,
        "pred_probs": probs,
        "embeddings": features.astype(np.float32),
        "scores": (said == labels).astype(np.float64),
    }, inside
