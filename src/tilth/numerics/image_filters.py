"""Changes of images that mix a pixel with its neighbours or its own channels: blurred, sharpened, more or less colourful."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tilth.core.arrays import Vector
from tilth.numerics.image_changes import Images

__all__ = ["blurred", "coloured", "sharpened"]

_TRUNCATED = 4.0
"""Standard deviations beyond which a Gaussian is left out."""
_BAND = 32
"""Rows of a band matrix that are multiplied at once: a matrix of Gaussians is nearly 0 far off its diagonal."""


def blurred(images: Images, sigma: float) -> Images:
    """Return images smoothed by a Gaussian of `sigma` pixels, edges mirrored; (n, h, w, 3) -> (n, h, w, 3).

    Each axis is one product with a band matrix: O(side) work per pixel at most, O(sigma) for sides over some 50 pixels.
    """
    down, across = (_gaussian_bands(side, float(sigma)) for side in images.shape[1:3])
    out = np.empty_like(images)
    planes, smooth = (np.empty((3, *images.shape[1:3]), dtype=np.float32) for _ in range(2))
    for image, into in zip(images, out, strict=True):
        planes[:] = image.transpose(2, 0, 1)
        for rows, reach, weights in down:
            np.matmul(weights, planes[:, reach], out=smooth[:, rows])
        for columns, reach, weights in across:
            np.matmul(smooth[:, :, reach], weights.T, out=planes[:, :, columns])
        planes += np.float32(0.5)
        for channel in range(3):
            into[:, :, channel] = planes[channel]
    return out


@lru_cache(maxsize=32)
def _gaussian_bands(side: int, sigma: float) -> tuple[tuple[slice, slice, NDArray[np.float32]], ...]:
    """Return (rows, the columns that they need, weights) of the matrix that smooths a line of so many pixels."""
    reach = int(_TRUNCATED * sigma + 0.5)
    steps = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * np.square(steps / max(sigma, 1e-6)))
    bands = []
    for start in range(0, side, _BAND):
        rows = np.arange(start, min(start + _BAND, side))
        places = (rows[:, None] + steps) % (2 * side)
        places = np.minimum(places, 2 * side - 1 - places)
        columns = slice(int(places.min()), int(places.max()) + 1)
        part = np.zeros((len(rows), columns.stop - columns.start))
        np.add.at(part, ((rows - start)[:, None], places - columns.start), weights / weights.sum())
        bands.append((slice(start, start + len(rows)), columns, part.astype(np.float32)))
    return tuple(bands)


def sharpened(images: Images, factors: Vector) -> Images:
    """Return images moved away from (factor > 1) or towards (factor < 1) a smoothed one; pixels at the edges stay.

    The smoothed image gives a pixel the weight 5 and each of its eight neighbours 1.

    Parameters
    ----------
    images : (n, h, w, 3)
    factors : (n,) 1 for no change, 0 for the smoothed image

    Returns
    -------
    (n, h, w, 3)
    """
    out = images.copy()
    height, width = images.shape[1:3]
    if min(height, width) < 3:
        return out
    for image, into, factor in zip(images.reshape(len(images), height, -1), out, factors, strict=True):
        wide = image.astype(np.uint16)
        three = wide[:-2] + wide[1:-1]
        three += wide[2:]
        nine = three[:, :-6] + three[:, 3:-3]
        nine += three[:, 6:]
        mixed = nine.astype(np.float32)
        mixed *= np.float32((1 - factor) / 13)
        mixed += wide[1:-1, 3:-3] * np.float32(factor + 4 * (1 - factor) / 13)
        into[1:-1, 1:-1] = _bytes(mixed).reshape(height - 2, width - 2, 3)
    return out


def coloured(images: Images, factors: Vector) -> Images:
    """Return images moved away from (factor > 1) or towards (factor < 1) their grey; (n, h, w, 3), (n,) -> (n, h, w, 3).

    Grey is 0.299 red + 0.587 green + 0.114 blue.
    """
    from PIL import Image

    out = np.empty_like(images)
    for image, into, factor in zip(images, out, factors.tolist(), strict=True):
        colour = Image.fromarray(image)
        into[:] = np.asarray(Image.blend(colour.convert("L").convert("RGB"), colour, factor))
    return out


def _bytes(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Round and clip, in place."""
    values += np.float32(0.5)
    return np.asarray(np.clip(values, 0, 255, out=values).astype(np.uint8))
