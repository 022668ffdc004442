"""Near-duplicate images: a perceptual signature of 256 bits proposes, the pixels of thumbnails decide.

    thumbnail   32 x 32 x 3 averages of areas
    signature   bit (u, v) = [C(u, v) > median of C + 4],  C: the 16 x 16 lowest frequencies of the luminance
    distance    root of the mean squared difference of two thumbnails, in [0, 1]

Re-encoding and resizing change few bits and little of the thumbnail; a crop, a turn or a mirror image is
another image here. The margin of 4 grey levels keeps the rounding of smooth images out of the bits.
Decoding is the caller's: everything starts from arrays of pixels.

Source: Zauner (2010), Implementation and benchmarking of perceptual image hash functions, section 3.2.1.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn

from tilth.core.errors import InputError
from tilth.numerics._pairs import chunks

if TYPE_CHECKING:
    from tilth.core.arrays import Bits, Vector

__all__ = [
    "Pixels",
    "pixel_distance",
    "signature",
    "signatures",
    "thumbnail",
]

Pixels = NDArray[np.uint8]
"""(…, h, w, 3) red, green, blue, or (h, w) grey, in 0 … 255."""

SIDE = 32
LOW = 16
"""Frequencies kept along each side."""
MARGIN = 4.0
"""By how much a coefficient must pass the median: more than rounding leaves in smooth images."""
LUMINANCE = np.array([0.299, 0.587, 0.114])
"""ITU-R BT.601 weights of red, green and blue."""
NUMBERS = 1 << 20
"""Numbers held at once: 8 MB, in at most four arrays."""


def thumbnail(image: Pixels) -> Pixels:
    """Average an image of any size over a grid of 32 x 32 cells of equal area; grey becomes colour.

    Exact: sums of whole numbers, rounded once. Memory: 8 MB beyond the image, or one of its rows.

    Parameters
    ----------
    image : array of uint8, (h, w), (h, w, 1) or (h, w, 3)
        Decoded pixels in 0 … 255, transparency already resolved.

    Returns
    -------
    array of uint8, (32, 32, 3)
        Red, green, blue.

    Raises
    ------
    InputError
        When the array has no pixels, or another shape or type.

    Randomness
    ----------
    None.

    Source
    ------
    Area averaging, as in any box filter.

    Examples
    --------
    >>> import numpy as np
    >>> thumbnail(np.full((480, 640), 7, dtype=np.uint8))[0, 0]
    array([7, 7, 7], dtype=uint8)
    """
    pixels = image[:, :, None] if image.ndim == 2 else image
    if image.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or not pixels.size:
        raise InputError(
            f"an image of shape {image.shape} and type {image.dtype} is not (h, w) or (h, w, 3) of uint8",
            next_step="convert it to RGB first",
        )
    height, width, channels = pixels.shape
    down, across = _overlaps(height), _overlaps(width)
    total = np.zeros((SIDE, width * channels))
    for rows in chunks(height, max(1, NUMBERS // (width * channels))):
        block = pixels[rows].reshape(-1, width * channels).astype(np.float64)
        total += down[:, rows] @ block
    cells = across @ total.reshape(SIDE, width, channels)
    small = np.floor(cells / (height * width) + 0.5).astype(np.uint8)
    return np.broadcast_to(small, (SIDE, SIDE, 3)).copy()


@lru_cache(maxsize=64)
def _overlaps(length: int) -> NDArray[np.float64]:
    """What each of 32 equal cells shares with each pixel, summing to `length` per cell; (32, length)."""
    cell = np.arange(SIDE + 1) * length
    pixel = np.arange(length + 1) * SIDE
    shared = np.minimum(cell[1:, None], pixel[1:]) - np.maximum(cell[:-1, None], pixel[:-1])
    overlaps = np.asarray(np.maximum(shared, 0), dtype=np.float64)
    overlaps.flags.writeable = False
    return overlaps


def signature(image: Pixels) -> Bits:
    """256 bits that re-encoding and resizing barely change; see `thumbnail` and `signatures`.

    Parameters
    ----------
    image : array of uint8, (h, w) or (h, w, 3)
        Decoded pixels.

    Returns
    -------
    Bits, (4,)
        Four words of 64 bits, low frequencies first.

    Raises
    ------
    InputError
        When the array is not an image.

    Randomness
    ----------
    None.

    Source
    ------
    Zauner (2010), Implementation and benchmarking of perceptual image hash functions, section 3.2.1.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.arange(64 * 64, dtype=np.uint8).reshape(64, 64)
    >>> bool((signature(image) == signature(image.repeat(2, axis=0))).all())
    True
    """
    return signatures(thumbnail(image)[None]).reshape(-1)


def signatures(thumbnails: Pixels) -> Bits:
    """Signatures of many thumbnails; (n, 32, 32, 3) -> (n, 4). O(n) time, 32 bytes each."""
    check_thumbnails(thumbnails)
    words = np.empty((len(thumbnails), LOW * LOW // 64), dtype=np.uint64)
    for part in chunks(len(thumbnails), NUMBERS // (SIDE * SIDE * 3)):
        grey = thumbnails[part] @ LUMINANCE
        low = dctn(grey, axes=(1, 2), norm="ortho")[:, :LOW, :LOW].reshape(-1, LOW * LOW)
        bits = low > np.median(low, axis=1, keepdims=True) + MARGIN
        words[part] = np.packbits(bits, axis=1).view("<u8")
    return words


def check_thumbnails(thumbnails: Pixels) -> None:
    """Refuse what `thumbnail` does not make."""
    if thumbnails.dtype != np.uint8 or thumbnails.shape[1:] != (SIDE, SIDE, 3):
        raise InputError(
            f"thumbnails of shape {thumbnails.shape} and type {thumbnails.dtype} are not (n, 32, 32, 3) of uint8",
            next_step="make them with thumbnail",
        )


def pixel_distance(left: Pixels, right: Pixels) -> Vector:
    """Root of the mean squared difference of two images of one size; 1 is black against white.

    Parameters
    ----------
    left, right : array of uint8, (…, h, w, 3)
        Thumbnails, or stacks of them; leading axes broadcast.

    Returns
    -------
    Vector, (…)
        In [0, 1]; 0 only for equal pixels.

    Raises
    ------
    InputError
        When the images are not of one size.

    Randomness
    ----------
    None.

    Source
    ------
    The root mean square error of image coding, over 255.

    Examples
    --------
    >>> import numpy as np
    >>> black = np.zeros((32, 32, 3), dtype=np.uint8)
    >>> float(pixel_distance(black, black + np.uint8(51)))
    0.2
    """
    if left.shape[-3:] != right.shape[-3:]:
        raise InputError(
            f"images of {left.shape[-3:]} and {right.shape[-3:]} cannot be compared",
            next_step="make thumbnails",
        )
    gap = left.astype(np.int32) - right.astype(np.int32)
    mean = np.square(gap, out=gap).mean(axis=(-3, -2, -1))
    return np.asarray(np.sqrt(mean) / 255.0, dtype=np.float64)
