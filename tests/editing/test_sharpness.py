"""Sharpness: softer or sharper by its share; flat images stay."""

from __future__ import annotations

import numpy as np
from transform_rows import images, pixels

from tilth.editing.sharpness import Sharpness
from tilth.operators.transforming import draw_of


def test_by_hand():
    image = np.full((3, 3, 3), 100, dtype=np.uint8)
    image[1, 1] = 230  # the smoothed value is 100 + 130 * 5 / 13 = 150
    after = pixels(Sharpness(severity=2).apply(images(20, given=image), draw_of(Sharpness(), 0)))
    assert set(after[:, 1, 1, 0].tolist()) == {198, 255}
    assert (after[:, 0] == 100).all()


def test_flat_images_stay():
    assert not Sharpness().apply(images(3, flat=True), draw_of(Sharpness(), 0)).applied.any()
