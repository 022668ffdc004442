"""Equalize: the whole way is Pillow's, flat images stay."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageOps
from transform_rows import images, pixels

from tilth.editing.equalize import Equalize
from tilth.operators.transforming import draw_of


def test_the_whole_way_and_half_of_it():
    image = (np.random.default_rng(0).beta(2, 6, (30, 30, 3)) * 180).astype(np.uint8)
    batch = images(2, given=image)
    whole = pixels(Equalize(severity=5).apply(batch, draw_of(Equalize(), 0)))
    wanted = np.asarray(ImageOps.equalize(Image.fromarray(image)))
    assert np.array_equal(whole, [wanted, wanted])
    part = pixels(Equalize(severity=3).apply(batch, draw_of(Equalize(), 0)))[0]
    assert np.abs(part - (0.4 * image + 0.6 * wanted)).max() <= 0.51


def test_flat_images_stay():
    assert not Equalize().apply(images(3, flat=True), draw_of(Equalize(), 0)).applied.any()
