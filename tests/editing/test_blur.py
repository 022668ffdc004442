"""Blur: a Gaussian; flat images stay, an edge becomes soft."""

from __future__ import annotations

import numpy as np
from transform_rows import images, pixels

from tilth.editing.blur import Blur
from tilth.operators.transforming import draw_of


def distance(severity):
    batch = images(4, 32)
    after = Blur(severity=severity).apply(batch, draw_of(Blur(), 0))
    return np.abs(pixels(after).astype(float) - pixels(batch)).mean()


def test_it_rises_with_severity():
    found = [distance(severity) for severity in (1, 2, 3, 4, 5)]
    assert found == sorted(found)
    assert found[0] > 0


def test_a_flat_image_stays():
    batch = images(2, 32, flat=True)
    after = Blur(severity=5).apply(batch, draw_of(Blur(), 0))
    assert not after.applied.any()
    assert after.columns["image"].equals(batch.column("image"))
