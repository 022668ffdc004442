"""Elastic: neighbours move together; how far rises with severity."""

from __future__ import annotations

import numpy as np
from transform_rows import images, pixels

from tilth.editing.elastic import Elastic
from tilth.operators.transforming import draw_of


def moved(severity):
    ramp = np.repeat(np.tile(np.arange(0, 240, 3, dtype=np.uint8), (80, 1))[:, :, None], 3, axis=2)
    transform = Elastic(severity=severity)
    return (pixels(transform.apply(images(10, given=ramp), draw_of(transform, 0))).astype(float) - ramp)[..., 0] / 3


def test_how_far_it_moves_and_how_smoothly():
    weak, strong = moved(1)[:, 8:-8, 8:-8], moved(5)[:, 8:-8, 8:-8]
    assert 0.15 < weak.std() < 0.6  # 0.4 pixels at the grid's points, less between them
    assert 0.9 < strong.std() < 3.6
    assert np.abs(np.diff(strong, axis=1)).max() < 1.5
