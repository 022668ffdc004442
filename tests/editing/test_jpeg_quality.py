"""JPEG quality: the traces of compression, as Pillow leaves them."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image
from transform_rows import images, pixels

from tilth.editing.jpeg_quality import JpegQuality
from tilth.operators.transforming import draw_of


def distance(severity):
    batch = images(4, 32)
    after = JpegQuality(severity=severity).apply(batch, draw_of(JpegQuality(), 0))
    return np.abs(pixels(after).astype(float) - pixels(batch)).mean()


def test_it_rises_with_severity():
    found = [distance(severity) for severity in (1, 2, 3, 4, 5)]
    assert found == sorted(found)
    assert found[0] > 0


def test_it_is_pillows_jpeg():
    batch = images(1, 32)
    sink = BytesIO()
    Image.fromarray(pixels(batch)[0]).save(sink, format="JPEG", quality=30)
    expected = np.asarray(Image.open(sink))
    assert np.array_equal(pixels(JpegQuality(severity=3).apply(batch, draw_of(JpegQuality(), 0)))[0], expected)
