"""Tables of values beside NumPy written out and Pillow; fused tables are one pass for several."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps

from tilth.numerics.image_tables import (
    autocontrast_tables,
    brightness_tables,
    channel_counts,
    contrast_tables,
    equalize_tables,
    fused,
    glance_at,
    looked_up,
    looked_up_by_channel,
    posterize_tables,
    solarize_tables,
)

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (4, 24, 30, 3), dtype=np.uint8)
LARGE = RNG.integers(0, 256, (3, 110, 102, 3), dtype=np.uint8)
FACTORS = np.array([0.5, 1.0, 1.3, 2.0])
WIDE = FACTORS[:, None, None, None]


def test_tables_do_what_the_formula_says():
    lighter = looked_up(IMAGES, brightness_tables(FACTORS))
    assert np.array_equal(lighter, np.clip(np.rint(IMAGES * WIDE), 0, 255))
    mean = IMAGES.reshape(4, -1).mean(axis=1)
    harder = looked_up(IMAGES, contrast_tables(mean, FACTORS))
    mean = mean[:, None, None, None]
    assert np.array_equal(harder, np.clip(np.rint(mean + WIDE * (IMAGES - mean)), 0, 255))


@pytest.mark.parametrize("level", [0, 100, 256])
def test_solarize_is_pillows(level):
    ours = looked_up(IMAGES, solarize_tables(np.full(4, level)))
    assert np.array_equal(ours, [np.asarray(ImageOps.solarize(Image.fromarray(one), level)) for one in IMAGES])


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_posterize_is_pillows(bits):
    ours = looked_up(IMAGES, posterize_tables(np.full(4, bits)))
    assert np.array_equal(ours, [np.asarray(ImageOps.posterize(Image.fromarray(one), bits)) for one in IMAGES])


@pytest.mark.parametrize("images", [IMAGES, LARGE, LARGE[:, :, :101], LARGE[:, ::-1], LARGE[:0], LARGE[:, :0]])
def test_large_and_odd_images_are_looked_up_alike(images):
    tables = RNG.integers(0, 256, (len(images), 256), dtype=np.uint8)
    expected = np.stack([table[image] for table, image in zip(tables, images, strict=True)]) if len(images) else images
    assert np.array_equal(looked_up(images, tables), expected)
    same = np.tile(tables[:1], (len(images), 1))
    assert np.array_equal(looked_up(images, same), tables[0][images] if len(images) else images)


def test_fused_tables_are_one_pass_for_two():
    first, second = brightness_tables(FACTORS), brightness_tables(FACTORS[::-1])
    assert np.array_equal(looked_up(IMAGES, fused(first, second)), looked_up(looked_up(IMAGES, first), second))


def test_a_glance_knows_what_the_tables_do():
    first, second = brightness_tables(FACTORS), solarize_tables(np.full(4, 90))
    seen = glance_at(IMAGES)
    assert len(seen) == 4
    assert np.allclose(seen.means(), IMAGES.reshape(4, -1).mean(axis=1))
    after = looked_up(looked_up(IMAGES, first), second)
    assert np.array_equal(seen.after(first).after(second).means(), glance_at(after).means())
    assert np.array_equal(looked_up(IMAGES, seen.after(first).after(second).tables), after)


def test_a_glance_at_a_large_image_takes_some_lines():
    seen = glance_at(LARGE)
    assert np.array_equal(seen.lines, LARGE[:, ::6])
    assert np.array_equal(seen.means(), LARGE[:, ::6].reshape(3, -1).mean(axis=1))
    assert np.abs(seen.means() - LARGE.reshape(3, -1).mean(axis=1)).max() < 5
    assert glance_at(LARGE[:0]).means().shape == (0,)


# -- a table per channel


def skewed(rows):
    return (RNG.beta(2, 5, (rows, 20, 31, 3)) * (200, 120, 255)).astype(np.uint8)


def test_equalize_is_pillows_and_a_share_of_it_lies_between():
    images = skewed(3)
    counts = channel_counts(images)
    assert counts.shape == (3, 3, 256)
    assert counts[1, 2, 7] == (images[1, :, :, 2] == 7).sum()
    whole = looked_up_by_channel(images, equalize_tables(counts, np.ones(3)))
    assert np.array_equal(whole, [np.asarray(ImageOps.equalize(Image.fromarray(one))) for one in images])
    half = looked_up_by_channel(images, equalize_tables(counts, np.full(3, 0.5)))
    assert np.abs(half - (images / 2 + whole / 2)).max() <= 0.5
    assert np.array_equal(looked_up_by_channel(images, equalize_tables(counts, np.zeros(3))), images)


def test_autocontrast_is_pillows_without_a_cutoff_and_by_hand_with_one():
    images = skewed(3)
    ours = looked_up_by_channel(images, autocontrast_tables(channel_counts(images), 0.0))
    theirs = np.stack([np.asarray(ImageOps.autocontrast(Image.fromarray(one))) for one in images])
    assert np.abs(ours.astype(int) - theirs).max() <= 1  # Pillow truncates, this rounds
    ramp = np.repeat(np.arange(100, 200, dtype=np.uint8), 3).reshape(1, 10, 10, 3)
    after = looked_up_by_channel(ramp, autocontrast_tables(channel_counts(ramp), 0.1)).reshape(-1, 3)[:, 0]
    assert (after[:11] == 0).all()
    assert after[11] > 0
    assert (after[89:] == 255).all()
    assert after[88] < 255


def test_one_value_alone_stays():
    flat = np.full((2, 4, 4, 3), 77, dtype=np.uint8)
    counts = channel_counts(flat)
    for tables in (autocontrast_tables(counts, 0.05), equalize_tables(counts, np.ones(2))):
        assert np.array_equal(looked_up_by_channel(flat, tables), flat)
