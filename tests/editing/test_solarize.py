"""Solarize: what is light is turned over."""

from __future__ import annotations

import numpy as np
from transform_rows import images, pixels

from tilth.editing.solarize import Solarize
from tilth.operators.transforming import draw_of


def test_by_hand():
    image = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=2)
    after = pixels(Solarize(severity=4).apply(images(1, given=image), draw_of(Solarize(), 0)))[0, ..., 0].ravel()
    assert np.array_equal(after[:128], np.arange(128))
    assert np.array_equal(after[128:], 255 - np.arange(128, 256))


def test_dark_images_stay():
    dark = images(3, given=np.full((4, 4, 3), 90, dtype=np.uint8))
    assert not Solarize(severity=5).apply(dark, draw_of(Solarize(), 0)).applied.any()
