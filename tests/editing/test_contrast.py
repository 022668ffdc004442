"""Contrast: values move towards the mean or away from it."""

from __future__ import annotations

import numpy as np
from transform_rows import images, pixels

from tilth.editing.contrast import Contrast
from tilth.operators.transforming import draw_of


def test_by_hand():
    image = np.full((4, 4, 3), 80, dtype=np.uint8)
    image[:2] = 120
    after = pixels(Contrast(severity=2).apply(images(20, given=image), draw_of(Contrast(), 0)))
    assert set(map(tuple, after[:, [0, 3], 0, 0].tolist())) == {(115, 85), (127, 73)}
