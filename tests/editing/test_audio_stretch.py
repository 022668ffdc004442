"""Audio stretch: the middle of a tone comes earlier or later, within the rate."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from transform_rows import texts

from tilth.core.errors import NotApplicable
from tilth.editing.audio_stretch import AudioStretch
from tilth.operators.transforming import draw_of


def sounds(matrix):
    return texts(sound=pa.array(np.asarray(matrix).tolist(), pa.list_(pa.float32(), np.shape(matrix)[1])))


def after(made, matrix):
    return np.array(made.apply(sounds(matrix), draw_of(made, 0)).columns["sound"].to_pylist())


def test_columns_have_to_be_named():
    with pytest.raises(NotApplicable, match="which columns hold them"):
        AudioStretch().apply(sounds([[0.0, 0.1]]), draw_of(AudioStretch(), 0))


def test_within_its_rate():
    made = AudioStretch(severity=4, columns=("sound",))
    before = np.zeros((60, 2000))
    before[:, :1000] = np.sin(np.arange(1000) / 3) / 2
    found = after(made, before)
    middle = np.square(found) @ np.arange(2000) / np.square(found).sum(1)
    assert middle.max() <= 500 * 1.2 + 20
    assert middle.min() >= 500 / 1.2 - 20
    assert middle.max() > 540
    assert middle.min() < 460
