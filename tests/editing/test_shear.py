"""Shear: along either axis, to either side; the middle stays."""

from __future__ import annotations

import numpy as np
from transform_rows import images, pixels

from tilth.editing.shear import Shear
from tilth.operators.transforming import draw_of


def test_a_line_is_slanted_four_ways():
    image = np.zeros((33, 33, 3), dtype=np.uint8)
    image[16, :] = image[:, 16] = 255
    after = pixels(Shear(severity=5).apply(images(40, given=image), draw_of(Shear(), 0)))[..., 0]
    assert (after[:, 16, 16] == 255).all()
    across = after[:, 16, 2] == 255  # the line from left to right is where it was: only the other one leans
    assert 5 < across.sum() < 35
    leans = np.where(across, after[:, 6, :].argmax(axis=1), after[:, :, 6].argmax(axis=1))
    assert set(leans.tolist()) == {13, 19}
