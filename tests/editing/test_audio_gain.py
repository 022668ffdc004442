"""Audio gain: within its decibels, both ways."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from transform_rows import texts

from tilth.core.errors import NotApplicable
from tilth.editing.audio_gain import AudioGain
from tilth.operators.transforming import draw_of


def sounds(matrix):
    return texts(sound=pa.array(np.asarray(matrix).tolist(), pa.list_(pa.float32(), np.shape(matrix)[1])))


def after(made, matrix):
    return np.array(made.apply(sounds(matrix), draw_of(made, 0)).columns["sound"].to_pylist())


def test_columns_have_to_be_named():
    with pytest.raises(NotApplicable, match="which columns hold them"):
        AudioGain().apply(sounds([[0.0, 0.1]]), draw_of(AudioGain(), 0))


def test_within_its_decibels():
    made = AudioGain(severity=3, columns=("sound",))
    before = np.random.default_rng(0).uniform(-0.4, 0.4, (300, 8))
    louder = 20 * np.log10(np.abs(after(made, before)).max(1) / np.abs(before).max(1))
    assert np.abs(louder).max() <= 6.01
    assert louder.max() > 5
    assert louder.min() < -5
