"""Changes of images as arrays of bytes, (n, h, w, 3): by a table of 256 values, by a filter, by where each pixel comes from.

What changes each pixel by its value alone is a table per image; tables of several steps become one (`fused`), so that a chain
of them costs one pass over the pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tilth.core.arrays import Matrix, Vector

__all__ = [
    "Images",
    "Tables",
    "blurred",
    "brightness_tables",
    "contrast_tables",
    "cropped",
    "cut_out",
    "flipped",
    "fused",
    "looked_up",
    "noisy",
    "rotated",
]

Images = NDArray[np.uint8]
"""(n, h, w, 3) uint8."""
Tables = NDArray[np.uint8]
"""(n, 256) uint8: what each value of a channel becomes."""
_VALUES = np.arange(256, dtype=np.float64)
_GREY = 128


def looked_up(images: Images, tables: Tables) -> Images:
    """Return images with every channel's value replaced by that of the image's table; (n, h, w, 3), (n, 256) -> (n, h, w, 3)."""
    out = np.empty_like(images)
    for image, table, into in zip(images, tables, out, strict=True):
        np.take(table, image, out=into)
    return out


def fused(first: Tables, second: Tables) -> Tables:
    """Return the tables that do what two do one after the other; (n, 256), (n, 256) -> (n, 256)."""
    return np.asarray(np.take_along_axis(second, first.astype(np.intp), axis=1))


def brightness_tables(factors: Vector) -> Tables:
    """Return tables that multiply values; (n,) factors, 1 for no change -> (n, 256).

    Examples
    --------
    >>> brightness_tables(np.array([1.5]))[0, [0, 100, 200]].tolist()
    [0, 150, 255]
    """
    return _bytes(factors[:, None] * _VALUES)


def contrast_tables(images: Images, factors: Vector) -> Tables:
    """Return tables that move values away from (factor > 1) or towards the image's mean; (n, h, w, 3), (n,) -> (n, 256)."""
    means = images.reshape(len(images), -1).mean(axis=1)[:, None]
    return _bytes(means + factors[:, None] * (_VALUES - means))


def noisy(images: Images, noise: NDArray[np.float32]) -> Images:
    """Return images with noise in units of a channel's 255 added; (n, h, w, 3), (n, h, w, 3) -> (n, h, w, 3)."""
    return _bytes(images + noise)


def blurred(images: Images, sigma: float) -> Images:
    """Return images smoothed by a Gaussian of `sigma` pixels, edges reflected; (n, h, w, 3) -> (n, h, w, 3)."""
    from scipy.ndimage import gaussian_filter1d

    smooth = gaussian_filter1d(images.astype(np.float32), sigma, axis=1, mode="reflect")
    return _bytes(gaussian_filter1d(smooth, sigma, axis=2, mode="reflect"))


def rotated(images: Images, degrees: Vector) -> Images:
    """Return images turned counter-clockwise about their middle, edges reflected; (n, h, w, 3), (n,) -> (n, h, w, 3)."""
    angles = np.deg2rad(degrees)
    turn = np.array([[np.cos(angles), np.sin(angles)], [-np.sin(angles), np.cos(angles)]]).transpose(2, 0, 1)
    middle = (np.array(images.shape[1:3]) - 1) / 2
    return _resampled(images, turn, middle - turn @ middle)


def cropped(images: Images, boxes: Matrix) -> Images:
    """Return parts of images in the images' own size; boxes are shares of height and width.

    Parameters
    ----------
    images : (n, h, w, 3)
    boxes : (n, 4) top, left, height, width, each in [0, 1], top + height <= 1, left + width <= 1

    Returns
    -------
    (n, h, w, 3), bilinear
    """
    size = np.array(images.shape[1:3], dtype=np.float64)
    scale = boxes[:, 2:]
    offset = boxes[:, :2] * size + 0.5 * scale - 0.5  # the middle of the first pixel
    return _resampled(images, scale[:, :, None] * np.eye(2), offset)


def flipped(images: Images) -> Images:
    """Return images with left and right changed over; (n, h, w, 3) -> (n, h, w, 3)."""
    return np.ascontiguousarray(images[:, :, ::-1])


def cut_out(images: Images, boxes: Matrix) -> Images:
    """Return images with a box of grey; (n, h, w, 3), (n, 4) top, left, height, width as shares -> (n, h, w, 3)."""
    out = images.copy()
    height, width = images.shape[1:3]
    for image, (top, left, tall, wide) in zip(out, boxes, strict=True):
        first, start = round(top * height), round(left * width)
        image[first : first + max(1, round(tall * height)), start : start + max(1, round(wide * width))] = _GREY
    return out


def _resampled(images: Images, matrices: NDArray[np.float64], offsets: Matrix) -> Images:
    """Return images whose pixel p comes from matrix @ p + offset, bilinear, reflected beyond the edges."""
    from scipy.ndimage import affine_transform

    out = np.empty_like(images)
    for image, matrix, offset, into in zip(images, matrices, offsets, out, strict=True):
        for channel in range(image.shape[2]):
            plane = image[:, :, channel].astype(np.float32)
            into[:, :, channel] = _bytes(affine_transform(plane, matrix, offset, order=1, mode="reflect"))
    return out


def _bytes(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.asarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))
