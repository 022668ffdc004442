"""Filters beside SciPy and Pillow."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageEnhance
from scipy.ndimage import gaussian_filter

from tilth.numerics.image_filters import blurred, coloured, sharpened

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 70, 45, 3), dtype=np.uint8)
FACTORS = np.array([0.3, 1.0, 1.8])


@pytest.mark.parametrize("sigma", [0.3, 1.2, 4.0, 30.0])
def test_blur_is_scipys(sigma):
    expected = gaussian_filter(IMAGES.astype(np.float64), (0, sigma, sigma, 0), mode="reflect")
    assert np.abs(blurred(IMAGES, sigma) - expected).max() <= 0.51


def test_blur_leaves_what_is_flat_or_one_pixel():
    for images in (np.full((1, 40, 3, 3), 255, np.uint8), IMAGES[:, :1, :1]):
        assert np.array_equal(blurred(images, 2.0), images)


def enhanced(kind):
    return np.stack(
        [np.asarray(kind(Image.fromarray(one)).enhance(by)) for one, by in zip(IMAGES, FACTORS, strict=True)]
    )


def test_sharpness_is_pillows_up_to_its_rounding():
    ours = sharpened(IMAGES, FACTORS).astype(int)
    assert np.abs(ours - enhanced(ImageEnhance.Sharpness)).max() <= 1
    assert np.array_equal(ours[1], IMAGES[1])
    assert np.array_equal(sharpened(IMAGES[:, :2], FACTORS), IMAGES[:, :2])


def test_sharpness_by_hand():
    image = np.zeros((1, 3, 3, 3), dtype=np.uint8)
    image[0, 1, 1] = 130
    assert (sharpened(image, np.array([0.0]))[0, 1, 1] == 50).all()  # 5/13 of it
    assert (sharpened(image, np.array([2.0]))[0, 1, 1] == 210).all()  # as much beyond


def test_colour_is_pillows_and_grey_has_none():
    assert np.abs(coloured(IMAGES, FACTORS).astype(int) - enhanced(ImageEnhance.Color)).max() <= 1
    grey = np.repeat(IMAGES[..., :1], 3, axis=-1)
    assert np.array_equal(coloured(grey, FACTORS), grey)
