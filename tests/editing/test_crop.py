"""Crop: a part of the image, in the image's size."""

from __future__ import annotations

import numpy as np
from transform_rows import images, pixels

from tilth.editing.crop import Crop
from tilth.operators.transforming import draw_of


def test_a_ramp_becomes_a_part_of_itself():
    ramp = np.repeat(np.arange(64, dtype=np.uint8)[None, :, None] * 4, 64, axis=0).repeat(3, axis=2)
    after = pixels(Crop(severity=5).apply(images(10, given=ramp), draw_of(Crop(), 0)))
    assert after.shape == (10, 64, 64, 3)
    spans = after[:, 0, -1, 0].astype(int) - after[:, 0, 0, 0]
    assert (abs(spans - 126) <= 3).all(), "half of the ramp"
    assert len(set(after[:, 0, 0, 0].tolist())) > 3, "at places drawn at random"
