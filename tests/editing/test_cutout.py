"""Cutout: a grey square of a share of the sides."""

from __future__ import annotations

import numpy as np
from transform_rows import images, pixels

from tilth.editing.cutout import Cutout
from tilth.operators.transforming import draw_of


def test_its_area():
    after = pixels(
        Cutout(severity=5).apply(images(5, given=np.zeros((20, 30, 3), dtype=np.uint8)), draw_of(Cutout(), 0))
    )
    assert ((after == 128).sum(axis=(1, 2, 3)) == 10 * 15 * 3).all()
