"""Pairs of near-duplicate images: against brute force, planted, and floods of copies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tilth.core.errors import InputError, UsageError
from tilth.numerics import image_pairs
from tilth.numerics.clusters import star_groups
from tilth.numerics.image_pairs import close_signatures, near_duplicate_images
from tilth.numerics.image_signature import pixel_distance


def pictures(seed, n):
    """Coarse random pictures, 32 x 32."""
    cells = np.random.default_rng(seed).integers(0, 256, (n, 8, 8, 3), dtype=np.uint8)
    return cells.repeat(4, axis=1).repeat(4, axis=2)


def grain(images, seed, most=4):
    noise = np.random.default_rng(seed).integers(-most, most + 1, images.shape)
    return np.clip(images.astype(int) + noise, 0, 255).astype(np.uint8)


@settings(max_examples=80, deadline=None)
@given(
    words=hnp.arrays(np.uint64, st.tuples(st.integers(0, 14), st.just(4)), elements=st.integers(0, 15)),
    max_bits=st.integers(0, 9),
    numbers=st.integers(8, 200),
)
def test_law_close_signatures_agree_with_brute_force(words, max_bits, numbers):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(image_pairs, "NUMBERS", numbers)
        pairs, bits = close_signatures(words, max_bits)
    apart = np.bitwise_count(words[:, None] ^ words[None]).sum(axis=2)
    close = np.triu(apart <= max_bits, 1)
    assert np.array_equal(pairs, np.argwhere(close))
    assert np.array_equal(bits, apart[close])


def test_all_256_bits_are_counted():
    words = np.array([[0] * 4, [2**64 - 1] * 4], dtype=np.uint64)
    assert close_signatures(words, 255)[0].shape == (0, 2)
    assert close_signatures(words, 256)[1].tolist() == [256]


def test_planted_near_copies_are_found_and_nothing_else():
    originals = pictures(0, 150)
    images = np.concatenate([originals, grain(originals[:40], 1), originals[40:50]])
    pairs, distances = near_duplicate_images(images)
    wanted = [[i, 150 + i] for i in range(50)]
    assert pairs.tolist() == wanted
    assert (distances[40:] == 0).all()
    assert distances == pytest.approx(pixel_distance(images[pairs[:, 0]], images[pairs[:, 1]]))


def test_colour_tells_images_of_one_luminance_apart():
    red, grey = np.zeros((2, 32, 32, 3), dtype=np.uint8)
    red[:, :, 0], grey[:] = 255, 76
    assert near_duplicate_images(np.stack([red, grey]))[0].shape == (0, 2)


def test_flat_images_share_a_signature_but_only_near_colours_are_paired():
    levels = np.array([0, 10, 100, 108, 250], dtype=np.uint8)
    images = np.broadcast_to(levels[:, None, None, None], (5, 32, 32, 3)).copy()
    assert near_duplicate_images(images)[0].tolist() == [[0, 1], [2, 3]]


def test_thousands_of_blank_images_make_thousands_of_links():
    images = np.zeros((3_000, 32, 32, 3), dtype=np.uint8)
    images[1::2] = 3
    pairs, distances = near_duplicate_images(images)
    assert len(pairs) < 6_000
    assert (star_groups(len(images), pairs, -distances) == 0).all()


def test_inputs_are_left_alone():
    images = pictures(2, 5)
    before = images.copy()
    images.flags.writeable = False
    near_duplicate_images(images)
    assert np.array_equal(images, before)


def test_no_images_no_pairs():
    assert near_duplicate_images(np.empty((0, 32, 32, 3), np.uint8))[0].shape == (0, 2)
    assert near_duplicate_images(pictures(3, 1))[0].shape == (0, 2)


def test_refusals():
    with pytest.raises(UsageError, match="max_distance"):
        near_duplicate_images(pictures(0, 2), max_distance=2.0)
    with pytest.raises(UsageError, match="max_bits"):
        near_duplicate_images(pictures(0, 2), max_bits=-1)
    with pytest.raises(InputError, match="thumbnails"):
        near_duplicate_images(np.zeros((2, 8, 8, 3), np.uint8))
    with pytest.raises(InputError, match="more than 5 pairs"):
        near_duplicate_images(grain(np.zeros((9, 32, 32, 3), np.uint8), 0), max_pairs=5)
    with pytest.raises(InputError, match="more than 5 pairs"):
        close_signatures(np.zeros((9, 4), dtype=np.uint64), 0, max_pairs=5)
