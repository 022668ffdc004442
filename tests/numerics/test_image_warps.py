"""Moved pixels beside SciPy, Pillow and NumPy written out."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import map_coordinates

from tilth.numerics.image_filters import blurred
from tilth.numerics.image_warps import bent, corner_matrices, cropped, rotated, seen_aside, sheared, shifted

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 24, 30, 3), dtype=np.uint8)
WHOLE = np.array([[0, 0], [0, 1], [1, 1], [1, 0]], dtype=np.float64)
PLACES = np.mgrid[:24, :30].astype(np.float64)


def from_places(image: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    planes = [map_coordinates(image[..., c].astype(float), [y, x], order=1, mode="reflect") for c in range(3)]
    return np.stack(planes, axis=-1)


def close(ours: np.ndarray, wanted: np.ndarray) -> bool:
    """Places are known to a 256th of a pixel, so neighbours that differ by d leave an error of d / 256 at most."""
    return bool(np.abs(ours.astype(float) - wanted).max() <= 2.5)


def test_a_right_angle_is_numpys_and_no_angle_nothing():
    square = IMAGES[:, :, :24]
    assert np.array_equal(rotated(square, np.full(4, 90.0)), np.rot90(square, axes=(1, 2)))
    assert np.array_equal(rotated(IMAGES, np.zeros(4)), IMAGES)


def test_rotation_is_scipys():
    middle_y, middle_x = 11.5, 14.5
    for image, degrees in zip(IMAGES, (5.0, -20.0, 45.0, 170.0), strict=True):
        a, y, x = np.deg2rad(degrees), PLACES[0] - middle_y, PLACES[1] - middle_x
        wanted = from_places(image, np.cos(a) * y + np.sin(a) * x + middle_y, -np.sin(a) * y + np.cos(a) * x + middle_x)
        assert close(rotated(image[None], np.array([degrees]))[0], wanted)


def test_small_angles_are_pillows_inside():
    smooth = blurred(IMAGES, 2.0)
    expected = np.stack([np.asarray(Image.fromarray(one).rotate(10, Image.Resampling.BILINEAR)) for one in smooth])
    difference = np.abs(rotated(smooth, np.full(4, 10.0)).astype(int) - expected)[:, 7:-7, 7:-7]
    assert difference.mean() < 1.5


def test_each_image_is_turned_by_its_own_angle_in_any_order():
    degrees = np.array([10.0, -10.0, 10.0, 33.0])
    together = rotated(IMAGES, degrees)
    for row in range(4):
        assert np.array_equal(together[row], rotated(IMAGES[row : row + 1], degrees[row : row + 1])[0])
    assert np.array_equal(rotated(IMAGES[::-1], degrees[::-1]), together[::-1])


def test_shear_is_scipys_and_by_hand():
    across = sheared(IMAGES, np.full(4, 0.3), np.zeros(4))
    assert close(across[1], from_places(IMAGES[1], PLACES[0], PLACES[1] - 0.3 * (PLACES[0] - 11.5)))
    down = sheared(IMAGES, np.zeros(4), np.full(4, -0.2))
    assert close(down[2], from_places(IMAGES[2], PLACES[0] + 0.2 * (PLACES[1] - 14.5), PLACES[1]))
    odd = IMAGES[:, :23]
    whole = sheared(odd, np.ones(4), np.zeros(4))
    assert np.array_equal(whole[:, 13, 2:], odd[:, 13, :-2])  # two rows below the middle: two pixels to the right
    assert np.array_equal(whole[:, 11], odd[:, 11])


@pytest.mark.parametrize(("down", "right"), [(0, 0), (3, 0), (-5, 0), (0, 4), (0, -29), (23, 7)])
def test_shifts_are_numpys_padding(down, right):
    ours = shifted(IMAGES, np.full(4, down), np.full(4, right))
    padded = np.pad(IMAGES, ((0, 0), (30, 30), (30, 30), (0, 0)), mode="symmetric")
    assert np.array_equal(ours, padded[:, 30 - down : 54 - down, 30 - right : 60 - right])


def test_a_crop_of_everything_is_nothing_and_of_a_half_is_pillows():
    whole = np.tile([0.0, 0.0, 1.0, 1.0], (4, 1))
    assert np.array_equal(cropped(IMAGES, whole), IMAGES)
    half = cropped(IMAGES, np.tile([0.25, 0.5, 0.5, 0.5], (4, 1)))
    for image, after in zip(IMAGES, half, strict=True):
        part = Image.fromarray(image[6:18, 15:30]).resize((30, 24), Image.Resampling.BILINEAR)
        inside = np.abs(np.asarray(part).astype(int) - after)[1:-1, 1:-1]
        assert inside.max() <= 1
    wanted = from_places(IMAGES[0], 0.5 * PLACES[0] + 6 - 0.25, 0.5 * PLACES[1] + 15 - 0.25)
    assert close(half[0], wanted)


def test_corners_go_where_they_are_sent():
    corners = WHOLE + np.random.default_rng(1).uniform(-0.2, 0.2, (5, 4, 2))
    for matrix, goal in zip(corner_matrices(corners), corners, strict=True):
        found = np.column_stack([WHOLE, np.ones(4)]) @ matrix.T
        assert np.allclose(found[:, :2] / found[:, 2:], goal)


def test_perspective_by_hand():
    assert np.array_equal(seen_aside(IMAGES, np.tile(WHOLE, (4, 1, 1))), IMAGES)
    mirrored = np.tile(WHOLE[[1, 0, 3, 2]], (4, 1, 1))
    assert np.array_equal(seen_aside(IMAGES, mirrored), IMAGES[:, :, ::-1])
    half = np.tile(np.array([0.25, 0.5]) + WHOLE * 0.5, (4, 1, 1))
    assert close(seen_aside(IMAGES, half)[3], cropped(IMAGES, np.tile([0.25, 0.5, 0.5, 0.5], (4, 1)))[3])
    tilted = np.array([[0.1, 0.2], [0.0, 0.9], [1.0, 1.0], [0.9, 0.0]])
    y, x = (PLACES[0] + 0.5) / 24, (PLACES[1] + 0.5) / 30
    up, left, depth = np.tensordot(corner_matrices(tilted[None])[0], np.stack([y, x, np.ones_like(y)]), axes=1)
    wanted = from_places(IMAGES[0], up / depth * 24 - 0.5, left / depth * 30 - 0.5)
    assert close(seen_aside(IMAGES[:1], tilted[None])[0], wanted)


def test_a_flat_field_is_a_shift_and_none_is_nothing():
    fields = np.zeros((4, 2, 5, 5))
    assert np.array_equal(bent(IMAGES, fields), IMAGES)
    fields[:, 0], fields[:, 1] = 2.0, -3.0
    assert np.array_equal(bent(IMAGES, fields), shifted(IMAGES, np.full(4, -2), np.full(4, 3)))


def test_a_bump_moves_its_neighbourhood_only():
    fields = np.zeros((4, 2, 7, 7))
    fields[:, 1, 3, 3] = 2.0
    moved = (bent(IMAGES, fields) != IMAGES).any(axis=(0, 3))
    assert moved[12, 15]
    assert not moved[:3].any()
    assert not moved[:, :3].any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 1), (2, 2)])
def test_the_smallest_images_stay_in_size(shape):
    images = np.random.default_rng(2).integers(0, 256, (2, *shape, 3), dtype=np.uint8)
    two = np.array([30.0, -45.0])
    assert rotated(images, two).shape == images.shape
    assert sheared(images, two / 100, two / 100).shape == images.shape
    assert cropped(images, np.tile([0.2, 0.2, 0.5, 0.5], (2, 1))).shape == images.shape
    assert seen_aside(images, np.tile(WHOLE, (2, 1, 1)) * 0.9).shape == images.shape
    assert bent(images, np.full((2, 2, 6, 6), 0.3)).shape == images.shape
    assert np.array_equal(shifted(images, np.zeros(2, int), np.zeros(2, int)), images)
    assert rotated(images[:0], two[:0]).shape == images[:0].shape
