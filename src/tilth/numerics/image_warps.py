"""Changes of images that move pixels: turned, sheared, shifted, cropped, seen from aside, bent.

Where pixel p of the result comes from is a place in the image, mostly between four pixels, of which it takes the bilinear mean;
beyond the edges the image is mirrored. The three channels of a pixel lie in one word of 64 bits, 16 bits each, so that one
multiplication weighs all of them; weights are whole 256ths. What only depends on the places is done once for images that share
them. A result may be off by one from that of real weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.numerics.image_changes import Images

__all__ = ["bent", "corner_matrices", "cropped", "rotated", "seen_aside", "sheared", "shifted"]

Words = NDArray[np.uint64]
_ONE = 256
"""Weights are in units of one over this."""
_HALVES = np.uint64(0x008000800080)
"""A half in units of the weights, in each channel's lane: what rounds a mean."""


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """For each pixel of an (h, w) image, where in the flat image it comes from; (h w,) each.

    Parameters
    ----------
    index : the pixel above and to the left
    weight : in 256ths, of that pixel, the one to its right, the one below, and the one below to the right
    """

    index: NDArray[np.intp]
    weight: tuple[Words, ...]


def rotated(images: Images, degrees: Vector) -> Images:
    """Return images turned counter-clockwise about their middle, edges mirrored; (n, h, w, 3), (n,) -> (n, h, w, 3)."""
    angles = np.deg2rad(degrees)
    turn = np.array([[np.cos(angles), np.sin(angles)], [-np.sin(angles), np.cos(angles)]]).transpose(2, 0, 1)
    return _about_the_middle(images, turn)


def sheared(images: Images, across: Vector, down: Vector) -> Images:
    """Return images whose rows are shifted in proportion to their height, columns to their place, about the middle.

    Parameters
    ----------
    images : (n, h, w, 3)
    across : (n,) pixels to the right per pixel downwards
    down : (n,) pixels downwards per pixel to the right

    Returns
    -------
    (n, h, w, 3), edges mirrored
    """
    slant = np.tile(np.eye(2), (len(images), 1, 1))
    slant[:, 0, 1], slant[:, 1, 0] = -down, -across
    return _about_the_middle(images, slant)


def _about_the_middle(images: Images, matrices: NDArray[np.float64]) -> Images:
    middle = (np.array(images.shape[1:3]) - 1) / 2
    return _by_matrices(images, matrices, middle - matrices @ middle)


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
    from PIL import Image

    height, width = images.shape[1:3]
    top, left, tall, wide = boxes.T
    frames = np.column_stack([left, top, np.minimum(left + wide, 1), np.minimum(top + tall, 1)])
    frames *= (width, height, width, height)
    out = np.empty_like(images)
    for image, frame, into in zip(images, frames.tolist(), out, strict=True):
        part = Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR, box=tuple(frame))
        into[:] = np.asarray(part)
    return out


def shifted(images: Images, down: IntVector, right: IntVector) -> Images:
    """Return images moved by whole pixels, edges mirrored; (n, h, w, 3), (n,), (n,), less than a side -> (n, h, w, 3)."""
    height, width = images.shape[1:3]
    out = np.empty_like(images)
    for image, rows, columns, into in zip(images, down.tolist(), right.tolist(), out, strict=True):
        moved = image[_mirrored(np.arange(height) - rows, height)]
        start, end = max(columns, 0), width + min(columns, 0)
        into[:, start:end] = moved[:, start - columns : end - columns]
        into[:, :start] = moved[:, :start][:, ::-1]
        into[:, end:] = moved[:, end:][:, ::-1]
    return out


def corner_matrices(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the map from the unit square to where its corners go, one per image, as a matrix of homogeneous coordinates.

    Parameters
    ----------
    shares : (n, 4, 2) where the corners (0, 0), (0, 1), (1, 1), (1, 0) go: y, x as shares of the sides

    Returns
    -------
    (n, 3, 3): (y, x, 1) @ m.T is (y' z, x' z, z)
    """
    a, b, c, d = shares.transpose(1, 0, 2)
    bend = a - b + c - d
    first, second = d - c, b - c
    det = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    g = (bend[:, 0] * second[:, 1] - bend[:, 1] * second[:, 0]) / det
    h = (first[:, 0] * bend[:, 1] - first[:, 1] * bend[:, 0]) / det
    out = np.ones((len(shares), 3, 3))
    out[:, :2, 0] = d - a + g[:, None] * d
    out[:, :2, 1] = b - a + h[:, None] * b
    out[:, :2, 2] = a
    out[:, 2, 0], out[:, 2, 1] = g, h
    return out


def seen_aside(images: Images, corners: NDArray[np.float64]) -> Images:
    """Return images in perspective: what lies at four corners of a quadrangle comes to lie at the corners of the image.

    Parameters
    ----------
    images : (n, h, w, 3)
    corners : (n, 4, 2) upper left, upper right, lower right, lower left: y, x as shares of height and width; convex

    Returns
    -------
    (n, h, w, 3), edges mirrored
    """
    height, width = images.shape[1:3]
    y = ((np.arange(height, dtype=np.float32) + 0.5) / height)[:, None]
    x = ((np.arange(width, dtype=np.float32) + 0.5) / width)[None, :]
    out, sampler = np.empty_like(images), _Sampler(images.shape[1:])
    for image, matrix, into in zip(images, corner_matrices(corners).astype(np.float32), out, strict=True):
        up, left, depth = (row[0] * y + (row[1] * x + row[2]) for row in matrix)
        depth = 1 / depth
        sampler.sample(image, _places(up * depth * height - 0.5, left * depth * width - 0.5, image.shape), into)
    return out


def bent(images: Images, fields: NDArray[np.float64]) -> Images:
    """Return images each pixel of which is moved by a smooth field, given at a coarse grid.

    Parameters
    ----------
    images : (n, h, w, 3)
    fields : (n, 2, k, k) how far up and left each point of a grid over the image comes from, in pixels; between the points
        it is interpolated by cubics

    Returns
    -------
    (n, h, w, 3), edges mirrored
    """
    from PIL import Image

    height, width = images.shape[1:3]
    y, x = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None, :]
    out, sampler = np.empty_like(images), _Sampler(images.shape[1:])
    for image, field, into in zip(images, fields.astype(np.float32), out, strict=True):
        grids = [Image.fromarray(one).resize((width, height), Image.Resampling.BICUBIC) for one in field]
        down, right = (np.asarray(one, dtype=np.float32) for one in grids)
        sampler.sample(image, _places(y + down, x + right, image.shape), into)
    return out


# -- bilinear means ----------------------------------------------------------------------------------------------------


def _by_matrices(images: Images, matrices: NDArray[np.float64], offsets: Matrix) -> Images:
    """Return images whose pixel p comes from matrix @ p + offset; images with one matrix share the work on places."""
    height, width = images.shape[1:3]
    y, x = np.arange(height, dtype=np.float64)[:, None], np.arange(width, dtype=np.float64)[None, :]
    keys = [(matrix.tobytes(), offset.tobytes()) for matrix, offset in zip(matrices, offsets, strict=True)]
    out, sampler = np.empty_like(images), _Sampler(images.shape[1:])
    at_hand, places = None, None
    for row in sorted(range(len(images)), key=keys.__getitem__):
        if places is None or keys[row] != at_hand:
            (yy, yx), (xy, xx) = matrices[row]
            down, right = offsets[row]
            places = _places(_line(yy * y, yx * x, down), _line(xx * x, xy * y, right), images.shape[1:])
            at_hand = keys[row]
        sampler.sample(images[row], places, out[row])
    return out


def _line(first: Matrix, second: Matrix, offset: float) -> NDArray[np.float32]:
    """Return the sum; along one axis only where the other does not matter, which spares work."""
    return np.asarray((first + offset if not second.any() else first + second + offset).astype(np.float32))


def _places(y: NDArray[np.float32], x: NDArray[np.float32], shape: tuple[int, ...]) -> _Places:
    """Return places and weights for coordinates that broadcast to (h, w)."""
    height, width = shape[:2]
    down, right = _inside(y, height), _inside(x, width)
    low, far = down & (_ONE - 1), right & (_ONE - 1)
    both = (low * far + _ONE // 2) >> 8
    weights = ((_ONE - low) - far + both, far - both, low - both, both)
    index = (down >> 8) * width + (right >> 8)
    shared = index.shape
    return _Places(
        index=index.reshape(-1).astype(np.intp),
        weight=tuple(np.broadcast_to(one, shared).reshape(-1).astype(np.uint64) for one in weights),
    )


def _inside(places: NDArray[np.float32], side: int) -> NDArray[np.int32]:
    """Return places in 256ths of a pixel, those beyond an edge mirrored about it, more than one side off the edge itself."""
    fixed = np.rint(places * np.float32(_ONE)).astype(np.int32)
    last = (side - 1) * _ONE
    half = _ONE // 2
    fixed = np.abs(fixed + half) - half
    fixed = last + half - np.abs(last + half - fixed)
    return np.asarray(np.clip(fixed, 0, last, out=fixed))


def _mirrored(index: NDArray[np.signedinteger], side: int) -> NDArray[np.signedinteger]:
    """Return whole places inside for places beyond the edges by less than a side: -1 is 0, -2 is 1, side is side - 1."""
    inside = np.where(index < 0, -1 - index, index)
    return np.where(inside >= side, 2 * side - 1 - inside, inside)


_HIGH = 1 if np.little_endian else 0
"""Which of a lane's two bytes holds the whole number; the other holds the 256ths."""


def _lane(channel: int) -> int:
    """Return the place of a channel's 16 bits in a word, the lowest first."""
    return channel if np.little_endian else 3 - channel


class _Sampler:
    """Weighted means of an image's pixels at places; its memory is used again for each image."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        """Make room for images of one (h, w, 3)."""
        self.width, pixels = shape[1], shape[0] * shape[1]
        self.words = np.zeros(pixels + self.width + 1, dtype=np.uint64)  # what lies behind the last pixel has weight 0
        self.total, self.part = np.empty(pixels, dtype=np.uint64), np.empty(pixels, dtype=np.uint64)

    def sample(self, image: Images, places: _Places, into: Images) -> None:
        """Write the means at places into an image; (h, w, 3), places -> (h, w, 3)."""
        lanes, pixels = self.words.view(np.uint16).reshape(-1, 4), image.reshape(-1, 3)
        for channel in range(3):
            lanes[: len(pixels), _lane(channel)] = pixels[:, channel]
        self.total.fill(_HALVES)
        for step, weight in zip((0, 1, self.width, self.width + 1), places.weight, strict=True):
            np.take(self.words[step:], places.index, out=self.part, mode="clip")
            self.part *= weight
            self.total += self.part
        parts, pixels = self.total.view(np.uint8).reshape(-1, 8), into.reshape(-1, 3)
        for channel in range(3):
            pixels[:, channel] = parts[:, 2 * _lane(channel) + _HIGH]
