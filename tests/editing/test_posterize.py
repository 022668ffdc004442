"""Posterize: so many bits are left."""

from __future__ import annotations

import numpy as np
from transform_rows import images, pixels

from tilth.editing.posterize import Posterize
from tilth.operators.transforming import draw_of


def test_by_hand():
    image = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=2)
    for severity, bits in zip((1, 2, 3, 4, 5), (6, 5, 4, 3, 2), strict=True):
        transform = Posterize(severity=severity)
        after = pixels(transform.apply(images(1, given=image), draw_of(transform, 0)))[0, ..., 0]
        assert np.array_equal(after.ravel(), np.arange(256) // 2 ** (8 - bits) * 2 ** (8 - bits))
