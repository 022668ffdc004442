"""Simple changes of images by hand, and noise beside the normal law."""

from __future__ import annotations

import numpy as np

from tilth.numerics.image_changes import cut_out, flipped, noise_of, noisy

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 24, 30, 3), dtype=np.uint8)


def test_mirrored_twice_is_nothing_and_once_is_numpys():
    assert np.array_equal(flipped(IMAGES), IMAGES[:, :, ::-1])
    assert np.array_equal(flipped(flipped(IMAGES)), IMAGES)


def test_a_box_of_grey():
    covered = cut_out(IMAGES, np.tile([0.5, 0.0, 0.5, 0.1], (4, 1)))
    assert (covered[:, 12:, :3] == 128).all()
    assert np.array_equal(covered[:, :12], IMAGES[:, :12])


def test_noise_is_added_and_clipped():
    assert np.array_equal(noisy(IMAGES, np.full(IMAGES.shape, 300, np.int16)), np.full_like(IMAGES, 255))
    assert np.array_equal(noisy(IMAGES, np.full(IMAGES.shape, -300, np.int16)), np.zeros_like(IMAGES))
    assert np.array_equal(noisy(IMAGES, np.zeros(IMAGES.shape, np.int16)), IMAGES)


def test_noise_is_normal():
    words = np.random.default_rng(1).integers(0, 1 << 16, 200_000, dtype=np.uint16)
    noise = noise_of(words, 20.0)
    assert abs(noise.mean()) < 0.2
    assert abs(noise.std() - 20.0) < 0.2
    assert abs((np.abs(noise) > 39).mean() - 0.0483) < 0.003  # beyond 1.975 deviations
    every = noise_of(np.arange(1 << 16, dtype=np.uint16).reshape(256, 256), 10.0)
    assert every.shape == (256, 256)
    assert np.array_equal(every.ravel(), -every.ravel()[::-1])
