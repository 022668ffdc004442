"""Rotate: by its degrees to either side; the middle stays."""

from __future__ import annotations

import numpy as np
from transform_rows import images, pixels

from tilth.editing.rotate import Rotate
from tilth.operators.transforming import draw_of


def test_the_middle_stays_and_both_sides_are_turned_to():
    image = np.zeros((33, 33, 3), dtype=np.uint8)
    image[16, 16:] = 255
    batch = images(20, given=image)
    after = pixels(Rotate(severity=5).apply(batch, draw_of(Rotate(), 0)))
    assert (after[:, 16, 16] > 200).all()
    up, down = after[:, 8, 24, 0] > 100, after[:, 24, 24, 0] > 100
    assert (up ^ down).all()
    assert 0 < up.sum() < 20
