"""Thumbnails, signatures and pixel distance: by hand, against a box filter, and after re-encoding."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tilth.core.errors import InputError
from tilth.numerics import image_signature
from tilth.numerics.image_signature import pixel_distance, signature, signatures, thumbnail


def photograph(seed, height=160, width=200):
    """Blobs of colour at several scales: as smooth and as detailed as a photograph."""
    rng = np.random.default_rng(seed)
    image = np.zeros((height, width, 3))
    for cells, weight in ((3, 1.0), (8, 0.6), (20, 0.3), (50, 0.15)):
        grid = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        image += weight * np.asarray(grid.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float64)
    return (image / image.max() * 255).astype(np.uint8)


def jpeg(image, quality):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


def resized(image, height, width):
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS))


def bits_apart(one, two):
    return int(np.bitwise_count(one ^ two).sum())


# thumbnails


def test_a_thumbnail_of_its_own_size_is_the_image():
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    assert np.array_equal(thumbnail(image), image)


def test_blocks_are_averaged_and_halves_rounded_up():
    image = np.zeros((64, 64), dtype=np.uint8)
    image[0, 0] = 2
    image[0, 2] = 1
    small = thumbnail(image)
    assert small[0, 0].tolist() == [1, 1, 1]
    assert small[0, 1].tolist() == [0, 0, 0]


def test_cells_share_the_pixels_that_they_cut():
    """48 pixels on 32 cells: cell 0 covers pixel 0 and half of pixel 1."""
    image = np.zeros((32, 48), dtype=np.uint8)
    image[:, 1] = 90
    assert thumbnail(image)[0, :3, 0].tolist() == [30, 30, 0]


def test_small_images_are_enlarged():
    assert thumbnail(np.full((1, 1), 9, dtype=np.uint8)).tolist() == np.full((32, 32, 3), 9).tolist()


def test_thumbnails_agree_with_the_box_filter_of_pillow():
    image = photograph(1, 123, 77)
    reference = np.asarray(Image.fromarray(image).resize((32, 32), Image.Resampling.BOX)).astype(int)
    assert np.abs(reference - thumbnail(image)).max() <= 12  # Pillow gives cut pixels to one cell or the other
    even = photograph(1, 128, 96)
    reference = np.asarray(Image.fromarray(even).resize((32, 32), Image.Resampling.BOX)).astype(int)
    assert np.abs(reference - thumbnail(even)).max() <= 1


@settings(max_examples=25, deadline=None)
@given(height=st.integers(1, 70), width=st.integers(1, 70), numbers=st.integers(1, 5_000))
def test_law_chunks_of_rows_change_nothing(height, width, numbers):
    image = np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8)
    whole = thumbnail(image)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(image_signature, "NUMBERS", numbers)
        assert np.array_equal(thumbnail(image), whole)
    assert abs(float(whole.mean()) - float(image.mean())) <= 0.51


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4), np.float64),
        np.zeros((0, 4), np.uint8),
        np.zeros(4, np.uint8),
        np.zeros((1, 4, 4, 3), np.uint8),
    ],
)
def test_other_arrays_are_refused(image):
    with pytest.raises(InputError, match="not \\(h, w\\)"):
        thumbnail(image)


def test_only_thumbnails_have_signatures():
    with pytest.raises(InputError, match="make them with thumbnail"):
        signatures(np.zeros((2, 16, 16, 3), np.uint8))


# signatures


def test_exact_copies_and_grey_in_colour_have_one_signature():
    image = photograph(2)
    grey = image[:, :, 0]
    assert bits_apart(signature(image), signature(image.copy())) == 0
    assert bits_apart(signature(grey), signature(np.repeat(grey[:, :, None], 3, axis=2))) == 0


def test_enlarging_by_whole_numbers_changes_nothing():
    image = photograph(3, 64, 64)
    assert np.array_equal(signature(image), signature(image.repeat(3, axis=0).repeat(2, axis=1)))


def test_re_encoding_and_resizing_change_few_bits_and_strangers_many():
    images = [photograph(seed) for seed in range(12)]
    words = np.stack([signature(image) for image in images])
    for image, own in zip(images, words, strict=True):
        for changed in (
            jpeg(image, 90),
            jpeg(image, 50),
            resized(image, 120, 150),
            jpeg(resized(image, 250, 310), 75),
        ):
            assert bits_apart(signature(changed), own) <= 20
            assert pixel_distance(thumbnail(changed), thumbnail(image)) < 0.03
    for i in range(12):
        for j in range(i):
            assert bits_apart(words[i], words[j]) > 40
            assert pixel_distance(thumbnail(images[i]), thumbnail(images[j])) > 0.06


def test_smooth_images_keep_their_signature():
    """Without the margin, rounding would decide most bits of an image without detail."""
    grid = np.random.default_rng(4).integers(60, 200, (3, 3, 3), dtype=np.uint8)
    smooth = resized(grid, 256, 256)
    assert bits_apart(signature(smooth), signature(jpeg(smooth, 60))) <= 12
    flat = np.full((50, 60, 3), 77, dtype=np.uint8)
    assert bits_apart(signature(flat), signature(jpeg(flat, 60))) == 0


def test_signatures_do_not_depend_on_their_company(monkeypatch):
    thumbnails = np.random.default_rng(5).integers(0, 256, (7, 32, 32, 3), dtype=np.uint8)
    whole = signatures(thumbnails)
    monkeypatch.setattr(image_signature, "NUMBERS", 3_072)
    assert np.array_equal(whole, signatures(thumbnails))
    assert signatures(thumbnails[:0]).shape == (0, 4)


# pixel distance


def test_pixel_distance_by_hand():
    black = np.zeros((2, 2, 3), dtype=np.uint8)
    one_red = black.copy()
    one_red[0, 0, 0] = 255
    assert pixel_distance(black, one_red) == pytest.approx(np.sqrt(1 / 12))
    assert pixel_distance(black, np.full_like(black, 255)) == 1.0
    assert pixel_distance(black, black) == 0.0


def test_pixel_distance_broadcasts_stacks():
    stack = np.random.default_rng(6).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    distances = pixel_distance(stack, stack[2])
    assert distances.shape == (5,) and distances[2] == 0
    assert distances[0] == pixel_distance(stack[2], stack[0])


def test_sizes_must_agree():
    with pytest.raises(InputError, match="cannot be compared"):
        pixel_distance(np.zeros((2, 2, 3), np.uint8), np.zeros((3, 2, 3), np.uint8))
