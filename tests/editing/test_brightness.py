"""Brightness: by its factor, up or down."""

from __future__ import annotations

import numpy as np
from transform_rows import images, pixels

from tilth.editing.brightness import Brightness
from tilth.operators.transforming import draw_of


def test_by_hand():
    batch = images(20, given=np.full((4, 4, 3), 100, dtype=np.uint8))
    after = pixels(Brightness(severity=2).apply(batch, draw_of(Brightness(), 0)))
    assert set(after[:, 0, 0, 0].tolist()) == {80, 120}


def test_black_cannot_become_lighter():
    batch = images(3, given=np.zeros((4, 4, 3), dtype=np.uint8))
    assert not Brightness().apply(batch, draw_of(Brightness(), 0)).applied.any()
