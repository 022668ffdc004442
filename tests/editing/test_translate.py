"""Translate: by a share of a side, along either axis, to either side."""

from __future__ import annotations

import numpy as np
from transform_rows import images, pixels

from tilth.editing.translate import Translate
from tilth.operators.transforming import draw_of


def test_by_hand():
    image = np.zeros((20, 40, 3), dtype=np.uint8)
    image[10, 20] = 255
    after = pixels(Translate(severity=2).apply(images(40, given=image), draw_of(Translate(), 0)))[..., 0]
    found = {tuple(np.argwhere(one == 255)[0].tolist()) for one in after}
    assert found == {(8, 20), (12, 20), (10, 16), (10, 24)}


def test_a_small_image_is_moved_by_a_pixel_and_one_pixel_not_at_all():
    batch = images(8, 2)
    assert (pixels(Translate(severity=1).apply(batch, draw_of(Translate(), 0))) != pixels(batch)).any()
    assert not Translate().apply(images(8, 1), draw_of(Translate(), 0)).applied.any()
