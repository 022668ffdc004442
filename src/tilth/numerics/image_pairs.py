"""Pairs of near-duplicate images: signatures compared by Hamming distance, thumbnails by their pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from tilth.core.arrays import IntVector, Vector
from tilth.core.errors import InputError, UsageError
from tilth.numerics._pairs import Pairs, chunks, digests, first_of_equals, hits, link_copies, sorted_pairs
from tilth.numerics.image_signature import NUMBERS, SIDE, check_thumbnails, pixel_distance, signatures

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from tilth.core.arrays import Bits
    from tilth.numerics.image_signature import Pixels

__all__ = ["close_signatures", "near_duplicate_images"]

MAX_PAIRS = 5_000_000
"""120 MB."""
Found: TypeAlias = tuple[IntVector, IntVector, Vector]
"""Left and right positions, and a measure; (m,) each."""


def close_signatures(words: Bits, max_bits: int, *, max_pairs: int = MAX_PAIRS) -> tuple[Pairs, Vector]:
    """Find all pairs of signatures that differ in at most `max_bits` bits.

    Exact: O(n^2) time at about 3 ns per pair, 10 MB of work space beyond the pairs.

    Parameters
    ----------
    words : Bits, (n, 4)
        From `signatures`.
    max_bits : int
        Largest number of differing bits, in [0, 256]; unrelated photographs differ in about a hundred.
    max_pairs : int
        Refuse to return more.

    Returns
    -------
    pairs : array, (m, 2)
        Positions i < j, in rising order.
    bits : Vector, (m,)
        Differing bits.

    Raises
    ------
    UsageError
        When max_bits is negative.
    InputError
        When more than max_pairs pairs are found.

    Randomness
    ----------
    None.

    Source
    ------
    Hamming (1950), Error detecting and error correcting codes, Bell System Technical Journal 29.

    Examples
    --------
    >>> import numpy as np
    >>> close_signatures(np.array([[0, 0, 0, 0], [7, 0, 0, 0], [0, 0, 0, 1]], dtype=np.uint64), 2)
    (array([[0, 2]]), array([1.]))
    """
    return sorted_pairs(*_collected(_close(words, max_bits), max_pairs), n=len(words))


def _collected(parts: Iterable[Found], max_pairs: int) -> Found:
    found, total = [(np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0))], 0
    for part in parts:
        found.append(part)
        total += len(part[0])
        if total > max_pairs:
            raise InputError(f"more than {max_pairs} pairs of images are close", next_step="give a smaller limit")
    lefts, rights, measures = zip(*found, strict=True)
    return np.concatenate(lefts), np.concatenate(rights), np.concatenate(measures)


def _close(words: Bits, max_bits: int) -> Iterator[Found]:
    """Yield pairs strip by strip: half of the bits rule out most, the rest is read for what remains."""
    if max_bits < 0:
        raise UsageError(f"max_bits is {max_bits}", next_step="give a number of bits >= 0")
    one, two = np.ascontiguousarray(words[:, 0]), np.ascontiguousarray(words[:, 1])
    for part in chunks(len(words), max(1, (NUMBERS >> 2) // max(len(words), 1))):
        first = np.bitwise_count(one[part, None] ^ one[part.start :])
        first += np.bitwise_count(two[part, None] ^ two[part.start :])
        for row, column in hits(np.triu(first <= max_bits, 1), NUMBERS >> 3):
            left, right = row + part.start, column + part.start
            bits = np.bitwise_count(words[left] ^ words[right]).sum(axis=1, dtype=np.float64)
            near = bits <= max_bits
            yield left[near], right[near], bits[near]


def near_duplicate_images(
    thumbnails: Pixels, max_distance: float = 0.06, max_bits: int = 40, *, max_pairs: int = MAX_PAIRS
) -> tuple[Pairs, Vector]:
    """Find pairs of images whose thumbnails are at most `max_distance` apart.

    Signatures propose, thumbnails decide: every pair returned is verified. Equal thumbnails are folded
    together first; each is paired with the first of them, and with the first ones that that one is near to,
    which is all that `clusters.star_groups` needs. O(n^2) time at about 3 ns per pair; 230 bytes per image
    and 40 MB of work space.

    Parameters
    ----------
    thumbnails : array of uint8, (n, 32, 32, 3)
        From `thumbnail`.
    max_distance : float
        Largest `pixel_distance`, in [0, 1]; 0.06 is 15 of 255 levels. Re-encoding of photographs at quality
        80 changes about half of it, resizing small ones (32 to 24 pixels) all of it.
    max_bits : int
        Largest number of bits in which the signatures of candidates differ: about 100 of 256 for unrelated
        photographs, up to 40 after heavy re-encoding.
    max_pairs : int
        Refuse to return more.

    Returns
    -------
    pairs : array, (m, 2)
        Positions i < j, each pair once, in rising order.
    distance : Vector, (m,)
        In [0, max_distance].

    Raises
    ------
    UsageError
        When max_distance is outside [0, 1] or max_bits is negative.
    InputError
        When the thumbnails have another shape or type, or more than max_pairs pairs are found.

    Randomness
    ----------
    None.

    Source
    ------
    Zauner (2010), Implementation and benchmarking of perceptual image hash functions.

    Examples
    --------
    >>> import numpy as np
    >>> images = np.zeros((3, 32, 32, 3), dtype=np.uint8)
    >>> images[1] = 255
    >>> near_duplicate_images(images)
    (array([[0, 2]]), array([0.]))
    """
    check_thumbnails(thumbnails)
    if not 0 <= max_distance <= 1:
        raise UsageError(f"max_distance is {max_distance}", next_step="give a distance in [0, 1]")
    first = first_of_equals(digests(image.tobytes() for image in thumbnails))
    kept = np.flatnonzero(first == np.arange(len(first)))
    coarse = _coarse(thumbnails)
    close = _close(signatures(thumbnails)[kept], max_bits)
    near = (_near(thumbnails, coarse, kept[left], kept[right], max_distance) for left, right, _ in close)
    left, right, distance = _collected(near, max_pairs)
    return link_copies(first, np.stack([left, right], axis=1), distance, same=0.0)


def _coarse(thumbnails: Pixels) -> NDArray[np.float32]:
    """Averages over 4 x 4 blocks of a thumbnail; no two thumbnails are nearer than these are; (n, 48)."""
    blocks = thumbnails.reshape(-1, 4, SIDE // 4, 4, SIDE // 4, 3)
    means: NDArray[np.float32] = blocks.mean(axis=(2, 4), dtype=np.float32)
    return means.reshape(-1, 48)


def _near(thumbnails: Pixels, coarse: NDArray[np.float32], left: IntVector, right: IntVector, limit: float) -> Found:
    """Verify candidates: averages of blocks rule out most of what is left, pixels decide."""
    gap = coarse[left] - coarse[right]
    likely = np.sqrt(np.square(gap).mean(axis=1)) / 255.0 <= limit + 1e-4
    left, right = left[likely], right[likely]
    distance = np.empty(len(left))
    for part in chunks(len(left), NUMBERS // (SIDE * SIDE * 3)):
        distance[part] = pixel_distance(thumbnails[left[part]], thumbnails[right[part]])
    near = distance <= limit
    return left[near], right[near], distance[near]
