"""Flip: as in a mirror; twice is nothing."""

from __future__ import annotations

import numpy as np
from transform_rows import images, pixels

from tilth.editing.flip import Flip
from tilth.operators.transforming import draw_of


def test_by_hand():
    batch = images(3, 16)
    after = Flip().apply(batch, draw_of(Flip(), 0))
    assert np.array_equal(pixels(after), pixels(batch)[:, :, ::-1])


def test_what_is_no_image_stays():
    batch = images(1, cells=[b"none", None])
    after = Flip().apply(batch, draw_of(Flip(), 0))
    assert after.columns["image"].to_pylist() == [b"none", None]
    assert not after.applied.any()
