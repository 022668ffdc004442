"""Simple changes of images as arrays of bytes, (n, h, w, 3): mirrored, covered, noisy."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from tilth.core.arrays import Matrix

__all__ = ["Images", "cut_out", "flipped", "noise_of", "noisy"]

Images = NDArray[np.uint8]
"""(n, h, w, 3) uint8."""
_GREY = 128


def flipped(images: Images) -> Images:
    """Return images with left and right changed over; (n, h, w, 3) -> (n, h, w, 3)."""
    out = np.empty_like(images)
    for image, into in zip(images, out, strict=True):
        for channel in range(3):
            into[:, :, channel] = image[:, ::-1, channel]
    return out


def cut_out(images: Images, boxes: Matrix) -> Images:
    """Return images with a box of grey; (n, h, w, 3), (n, 4) top, left, height, width as shares -> (n, h, w, 3)."""
    out = images.copy()
    height, width = images.shape[1:3]
    for image, (top, left, tall, wide) in zip(out, boxes, strict=True):
        first, start = round(top * height), round(left * width)
        image[first : first + max(1, round(tall * height)), start : start + max(1, round(wide * width))] = _GREY
    return out


def noise_of(words: NDArray[np.uint16], deviation: float) -> NDArray[np.int16]:
    """Return Gaussian noise in whole numbers from uniform random words, by a table of the normal law's quantiles.

    Parameters
    ----------
    words : any shape, uniform on 0 to 65,535
    deviation : standard deviation in units of a channel's 255

    Returns
    -------
    the shape of words, int16; at most 4.3 deviations from 0

    Examples
    --------
    >>> noise_of(np.array([0, 32768, 65535], dtype=np.uint16), 10.0).tolist()
    [-43, 0, 43]
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    table = np.rint(_quantiles() * deviation).astype(np.int16)
    found = pc.take(pa.array(table), pa.array(np.ascontiguousarray(words).reshape(-1)), boundscheck=False)
    return np.asarray(found.to_numpy().reshape(words.shape))


@cache
def _quantiles() -> NDArray[np.float64]:
    from scipy.special import ndtri

    return np.asarray(ndtri((np.arange(1 << 16) + 0.5) / (1 << 16)))


def noisy(images: Images, noise: NDArray[np.int16]) -> Images:
    """Return images with noise in units of a channel's 255 added, clipped; (n, h, w, 3), (n, h, w, 3) -> (n, h, w, 3)."""
    return np.asarray(np.clip(images + noise, 0, 255).astype(np.uint8))
