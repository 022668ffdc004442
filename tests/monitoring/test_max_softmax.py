"""One minus the largest probability."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import NotApplicable
from tilth.monitoring.max_softmax import MaxSoftmax, unsureness


def test_by_hand(asked):
    probs = np.array([[0.7, 0.2, 0.1], [1 / 3, 1 / 3, 1 / 3]])
    assert unsureness(probs) == pytest.approx([0.3, 2 / 3])
    assert asked(MaxSoftmax(), {"pred_probs": probs}, {"pred_probs": probs}) == pytest.approx([0.3, 2 / 3])


def test_without_classes_it_is_refused(asked):
    rows = {"embeddings": np.zeros((2, 2), dtype=np.float32)}
    with pytest.raises(NotApplicable, match="there is none"):
        asked(MaxSoftmax(), rows, rows, classes=())
