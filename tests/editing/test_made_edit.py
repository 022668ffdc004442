"""Made rows among very many real ones: they are judged beside their parents and some others."""

from __future__ import annotations

import numpy as np

from tilth.editing import _made_rows


def test_parents_are_always_among_the_rows_beside(monkeypatch):
    monkeypatch.setattr(_made_rows, "MOST_BESIDE", 50)
    real, parents = np.arange(0, 2_000, 2), np.array([[4, 8], [1_998, 600]])
    beside = _made_rows._beside(real, parents)
    assert set(parents.ravel()) <= set(beside)
    assert set(beside) <= set(real)
    assert 50 <= len(beside) <= 54
    assert (np.diff(beside) > 0).all()
    few = real[:50]
    assert _made_rows._beside(few, parents) is few
