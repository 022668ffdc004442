"""Audio noise: at its ratio, silence stays silent."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from transform_rows import texts

from tilth.core.errors import NotApplicable
from tilth.editing.audio_noise import AudioNoise
from tilth.operators.transforming import draw_of


def sounds(matrix):
    return texts(sound=pa.array(np.asarray(matrix).tolist(), pa.list_(pa.float32(), np.shape(matrix)[1])))


def after(made, matrix):
    return np.array(made.apply(sounds(matrix), draw_of(made, 0)).columns["sound"].to_pylist())


def test_columns_have_to_be_named():
    with pytest.raises(NotApplicable, match="which columns hold them"):
        AudioNoise().apply(sounds([[0.0, 0.1]]), draw_of(AudioNoise(), 0))


def test_at_its_ratio():
    made = AudioNoise(severity=3, columns=("sound",))
    before = np.sin(np.arange(4000) / 5)[None] * np.array([[0.5], [0.05], [0.0]])
    gap = after(made, before) - before.astype(np.float32)
    assert 20 * np.log10(before[:2].std(1) / gap[:2].std(1)) == pytest.approx([20, 20], abs=0.5)
    assert not gap[2].any()
