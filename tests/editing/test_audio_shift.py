"""Audio shift: within its share, both ways, silence behind."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from transform_rows import texts

from tilth.core.errors import NotApplicable
from tilth.editing.audio_shift import AudioShift
from tilth.operators.transforming import draw_of


def sounds(matrix):
    return texts(sound=pa.array(np.asarray(matrix).tolist(), pa.list_(pa.float32(), np.shape(matrix)[1])))


def after(made, matrix):
    return np.array(made.apply(sounds(matrix), draw_of(made, 0)).columns["sound"].to_pylist())


def test_columns_have_to_be_named():
    with pytest.raises(NotApplicable, match="which columns hold them"):
        AudioShift().apply(sounds([[0.0, 0.1]]), draw_of(AudioShift(), 0))


def test_within_its_share():
    made = AudioShift(severity=4, columns=("sound",))
    before = np.zeros((300, 50))
    before[:, 25] = 1
    found = after(made, before)
    moved = found.argmax(1) - 25
    assert (found.sum(1) == 1).all()
    assert np.abs(moved).max() == 10
    assert np.abs(moved).min() == 1
    assert {-1, 1} <= set(np.sign(moved))
