"""Autocontrast: values reach from 0 to 255 afterwards; flat images stay."""

from __future__ import annotations

import numpy as np
from transform_rows import images, pixels

from tilth.editing.autocontrast import Autocontrast
from tilth.operators.transforming import draw_of


def test_by_hand():
    image = np.repeat(np.arange(50, 150, dtype=np.uint8).reshape(10, 10, 1), 3, axis=2)
    after = pixels(Autocontrast(severity=5).apply(images(1, given=image), draw_of(Autocontrast(), 0)))[
        0, ..., 0
    ].ravel()
    assert (after[:9] == 0).all()  # 8 % may, and the value behind them becomes 0 itself
    assert (after[91:] == 255).all()
    assert np.abs(np.diff(after[8:92].astype(int)) - 255 / 83).max() < 1


def test_flat_images_stay():
    assert not Autocontrast().apply(images(3, flat=True), draw_of(Autocontrast(), 0)).applied.any()
