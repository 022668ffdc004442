"""Rows as estimators see them, by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tilth.core.estimate import Estimate
from tilth.testing.views import view_of


def pair(operator: Any, reference: dict[str, Any], current: dict[str, Any], classes=("no", "yes")):
    """Return an operator's views of labelled and of new rows."""
    n = len(next(value for value in current.values() if isinstance(value, np.ndarray)))
    known = view_of(operator, classes=classes, **reference)
    return known, view_of(operator, classes=classes, ids=[f"c{i}" for i in range(n)], **current)


@pytest.fixture
def asked() -> Callable[..., Estimate]:
    """Return what an operator says of labelled and of new rows."""

    def ask(operator: Any, reference: dict[str, Any], current: dict[str, Any], **others: Any) -> Any:
        verb = operator.estimate if hasattr(operator, "estimate") else operator.outlying
        return verb(*pair(operator, reference, current, **others))

    return ask


@pytest.fixture
def drawn() -> Callable[..., dict[str, np.ndarray]]:
    """Return rows of a world with exact predictions, whose first feature may be moved, and whose rule may be turned."""

    def rows(seed: int, n: int, *, moved: float = 0.0, turned: float = 0.0) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(seed)
        x = rng.standard_normal((n, 5))
        x[:, 0] += moved
        p = 1 / (1 + np.exp(-2 * x[:, 0]))
        labels = (rng.random(n) < np.abs(turned * (rng.random(n) < 0.5) - p)).astype(np.intp)
        probs = np.stack([1 - p, p], axis=1)
        scores = (probs.argmax(axis=1) == labels).astype(np.float64)
        return {"embeddings": x.astype(np.float32), "pred_probs": probs, "labels": labels, "scores": scores}

    return rows
