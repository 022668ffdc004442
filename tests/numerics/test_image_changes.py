"""Changes of images beside SciPy, Pillow and NumPy written out."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from tilth.numerics.image_changes import (
    blurred,
    brightness_tables,
    contrast_tables,
    cropped,
    cut_out,
    flipped,
    fused,
    looked_up,
    noisy,
    rotated,
)

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 24, 30, 3), dtype=np.uint8)
FACTORS = np.array([0.5, 1.0, 1.3, 2.0])


def test_tables_do_what_the_formula_says():
    lighter = looked_up(IMAGES, brightness_tables(FACTORS))
    assert np.array_equal(lighter, np.clip(np.rint(IMAGES * FACTORS[:, None, None, None]), 0, 255))
    harder = looked_up(IMAGES, contrast_tables(IMAGES, FACTORS))
    mean = IMAGES.reshape(4, -1).mean(axis=1)[:, None, None, None]
    assert np.array_equal(harder, np.clip(np.rint(mean + FACTORS[:, None, None, None] * (IMAGES - mean)), 0, 255))


def test_fused_tables_are_one_pass_for_two():
    first, second = brightness_tables(FACTORS), brightness_tables(FACTORS[::-1])
    assert np.array_equal(looked_up(IMAGES, fused(first, second)), looked_up(looked_up(IMAGES, first), second))


def test_blur_is_scipys():
    expected = gaussian_filter(IMAGES.astype(np.float64), (0, 1.2, 1.2, 0), mode="reflect")
    assert np.abs(blurred(IMAGES, 1.2) - expected).max() <= 0.51


def test_a_right_angle_is_numpys_and_no_angle_nothing():
    square = IMAGES[:, :, :24]
    assert np.array_equal(rotated(square, np.full(4, 90.0)), np.rot90(square, axes=(1, 2)))
    assert np.array_equal(rotated(IMAGES, np.zeros(4)), IMAGES)


def test_small_angles_are_pillows_inside():
    smooth = blurred(IMAGES, 2.0)
    expected = np.stack([np.asarray(Image.fromarray(one).rotate(10, Image.Resampling.BILINEAR)) for one in smooth])
    difference = np.abs(rotated(smooth, np.full(4, 10.0)).astype(int) - expected)[:, 7:-7, 7:-7]
    assert difference.mean() < 1.5


def test_a_crop_of_everything_is_nothing_and_of_a_half_is_pillows():
    whole = np.tile([0.0, 0.0, 1.0, 1.0], (4, 1))
    assert np.array_equal(cropped(IMAGES, whole), IMAGES)
    half = cropped(IMAGES, np.tile([0.25, 0.5, 0.5, 0.5], (4, 1)))
    for image, after in zip(IMAGES, half, strict=True):
        part = Image.fromarray(image[6:18, 15:30]).resize((30, 24), Image.Resampling.BILINEAR)
        inside = np.abs(np.asarray(part).astype(int) - after)[1:-1, 1:-1]
        assert inside.max() <= 1


def test_the_others_by_hand():
    assert np.array_equal(flipped(flipped(IMAGES)), IMAGES)
    covered = cut_out(IMAGES, np.tile([0.5, 0.0, 0.5, 0.1], (4, 1)))
    assert (covered[:, 12:, :3] == 128).all()
    assert np.array_equal(covered[:, :12], IMAGES[:, :12])
    assert np.array_equal(noisy(IMAGES, np.full(IMAGES.shape, 300, np.float32)), np.full_like(IMAGES, 255))
