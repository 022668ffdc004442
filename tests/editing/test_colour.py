"""Colour: by its factor, more or less; grey images have none."""

from __future__ import annotations

import numpy as np
from transform_rows import images, pixels

from tilth.editing.colour import Colour
from tilth.operators.transforming import draw_of


def test_by_hand():
    image = np.full((4, 4, 3), 100, dtype=np.uint8)
    image[..., 0] = 140  # grey is 100 + 0.299 * 40 = 112
    after = pixels(Colour(severity=2).apply(images(20, given=image), draw_of(Colour(), 0)))
    found = {tuple(one[0, 0].tolist()) for one in after}
    near = ((128.8, 104.8), (151.2, 95.2))
    assert all(min(abs(r - a) + abs(g - b) for a, b in near) <= 2 for r, g, _ in found)
    assert len(found) == 2


def test_grey_images_stay():
    assert not Colour().apply(images(3, flat=True), draw_of(Colour(), 0)).applied.any()
