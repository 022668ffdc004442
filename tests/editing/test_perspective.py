"""Perspective: corners move by no more than they may; each image differently."""

from __future__ import annotations

import numpy as np
from transform_rows import images, pixels

from tilth.editing.perspective import Perspective
from tilth.operators.transforming import draw_of


def test_the_middle_hardly_moves_and_images_differ():
    image = np.zeros((40, 40, 3), dtype=np.uint8)
    image[18:22, 18:22] = 255
    after = pixels(Perspective(severity=1).apply(images(12, given=image), draw_of(Perspective(), 0)))[..., 0]
    assert (after[:, 20, 20] > 100).all()
    assert len({one.tobytes() for one in after}) > 8


def test_a_straight_line_stays_straight():
    image = np.zeros((64, 64, 3), dtype=np.uint8)
    image[:, :30] = 255
    after = pixels(Perspective(severity=5).apply(images(6, given=image), draw_of(Perspective(), 0)))[..., 0]
    rows = np.arange(64)
    for one in after:
        edge = one[:, :45].sum(axis=1) / 255.0
        bend = edge - np.polyval(np.polyfit(rows, edge, 1), rows)
        assert np.abs(bend).max() < 0.5
        assert edge.std() > 0.1
