"""Changes of images that give each pixel a new value by its old one alone: a table of 256 values per image.

Tables of several steps become one (`fused`), so that a chain of them costs one pass over the pixels. A table may depend on what
the image is like: it is chosen by a `Glance` of some pixels, which knows what the tables before it do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tilth.core.arrays import IntVector, Vector
from tilth.numerics.image_changes import Images

__all__ = [
    "ChannelTables",
    "Glance",
    "Tables",
    "autocontrast_tables",
    "brightness_tables",
    "channel_counts",
    "contrast_tables",
    "equalize_tables",
    "fused",
    "glance_at",
    "looked_up",
    "looked_up_by_channel",
    "posterize_tables",
    "solarize_tables",
]

Tables = NDArray[np.uint8]
"""(n, 256) uint8: what each value of a channel becomes."""
ChannelTables = NDArray[np.uint8]
"""(n, 3, 256) uint8: what each value of each channel becomes."""
_VALUES = np.arange(256, dtype=np.float64)
_LINES = 16
"""Lines of pixels by which a table is chosen, at least; all of lower images."""
_LARGE = 1 << 15
"""Values from which on a table for two values at once is worth its making."""


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """Some lines of n images, evenly spaced, as they are after the tables so far.

    Parameters
    ----------
    lines : (n, m, w, 3) uint8, as the images were at first
    tables : (n, 256) what became of them since; None for nothing
    """

    lines: Images
    tables: Tables | None = None

    def __len__(self) -> int:
        """Number of images."""
        return len(self.lines)

    def after(self, tables: Tables) -> Glance:
        """Return what is seen after one table more."""
        return Glance(self.lines, tables if self.tables is None else fused(self.tables, tables))

    def means(self) -> Vector:
        """Return the mean value of each image; (n,)."""
        lines = self.lines
        if self.tables is None:
            sums = [one.sum(dtype=np.uint32) for one in lines]
        else:
            sums = [np.take(table, one).sum(dtype=np.uint32) for table, one in zip(self.tables, lines, strict=True)]
        return np.array(sums, dtype=np.float64) / max(lines[:1].size, 1)


def glance_at(images: Images) -> Glance:
    """Return what tables are chosen by: every line of images below 32 px, else 16 to 31 lines, without a copy."""
    return Glance(images[:, :: max(1, images.shape[1] // _LINES)])


def looked_up(images: Images, tables: Tables) -> Images:
    """Return images with every channel's value replaced by that of the image's table; (n, h, w, 3), (n, 256) -> (n, h, w, 3)."""
    out = np.empty_like(images)
    if images[:1].size < _LARGE or images[:1].size % 2:
        for image, table, into in zip(images, tables, out, strict=True):
            np.take(table, image, out=into, mode="clip")
    else:
        _looked_up_in_pairs(images, tables, out)
    return out


def _looked_up_in_pairs(images: Images, tables: Tables, out: Images) -> None:
    """Replace two values at a time; images with one table follow one another, so that its pairs are made once."""
    pairs = np.empty((256, 256), dtype=np.uint16)
    table = pa.Array.from_buffers(pa.uint16(), pairs.size, [None, pa.py_buffer(pairs)])
    before = np.ascontiguousarray(images).reshape(len(images), -1).view(np.uint16)
    after = out.reshape(len(images), -1).view(np.uint16)
    keys = [one.tobytes() for one in tables]
    at_hand = None
    for row in sorted(range(len(images)), key=keys.__getitem__):
        if keys[row] != at_hand:
            wide = tables[row].astype(np.uint16)
            np.bitwise_or(wide[:, None] << 8, wide, out=pairs)
            at_hand = keys[row]
        found = pc.take(table, pa.array(before[row]), boundscheck=False)
        after[row] = np.frombuffer(found.buffers()[1], dtype=np.uint16, count=before.shape[1])


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
    some, which = np.unique(factors, return_inverse=True)  # mostly few
    return np.asarray(_bytes(some[:, None] * _VALUES)[which])


def contrast_tables(means: Vector, factors: Vector) -> Tables:
    """Return tables that move values away from (factor > 1) or towards the image's mean; (n,), (n,) -> (n, 256).

    Examples
    --------
    >>> contrast_tables(np.array([100.0]), np.array([2.0]))[0, [0, 90, 110, 240]].tolist()
    [0, 80, 120, 255]
    """
    return _bytes(means[:, None] + factors[:, None] * (_VALUES - means[:, None]))


def solarize_tables(thresholds: IntVector) -> Tables:
    """Return tables that turn values of at least a threshold over, v to 255 - v; (n,) in 0 to 256 -> (n, 256).

    Examples
    --------
    >>> solarize_tables(np.array([200]))[0, [0, 199, 200, 255]].tolist()
    [0, 199, 55, 0]
    """
    values = np.arange(256)
    return np.where(values >= thresholds[:, None], 255 - values, values).astype(np.uint8)


def posterize_tables(bits: IntVector) -> Tables:
    """Return tables that keep the highest bits of values; (n,) in 0 to 8 -> (n, 256).

    Examples
    --------
    >>> posterize_tables(np.array([2]))[0, [0, 63, 64, 255]].tolist()
    [0, 0, 64, 192]
    """
    return (np.arange(256) & (256 - (1 << (8 - bits)))[:, None]).astype(np.uint8)


# -- a table per channel -----------------------------------------------------------------------------------------------


def channel_counts(images: Images) -> NDArray[np.int64]:
    """Return how often each value occurs in each channel; (n, h, w, 3) -> (n, 3, 256)."""
    from PIL import Image

    counts = [Image.fromarray(image).histogram() for image in images]
    return np.array(counts, dtype=np.int64).reshape(len(images), 3, 256)


def equalize_tables(counts: NDArray[np.int64], shares: Vector) -> ChannelTables:
    """Return tables that make each channel's values about equally frequent, by a share of the way.

    With c(v) the number of values below v and s = (all - those of the highest value) // 255, v becomes (s // 2 + c(v)) // s; a
    channel with s = 0 stays.

    Parameters
    ----------
    counts : (n, 3, 256)
    shares : (n,) in [0, 1], 1 for the whole way

    Returns
    -------
    (n, 3, 256)
    """
    highest = 255 - (counts[:, :, ::-1] > 0).argmax(axis=2)
    last = np.take_along_axis(counts, highest[:, :, None], axis=2)
    step = (counts.sum(axis=2, keepdims=True) - last) // 255
    below = np.cumsum(counts, axis=2) - counts
    even = np.clip((step // 2 + below) // np.maximum(step, 1), 0, 255)
    goal = np.where(step > 0, even, _VALUES)
    return _bytes(_VALUES + shares[:, None, None] * (goal - _VALUES))


def autocontrast_tables(counts: NDArray[np.int64], cutoff: float) -> ChannelTables:
    """Return tables that stretch each channel's values to 0 to 255, the outermost left out; one value alone stays.

    Parameters
    ----------
    counts : (n, 3, 256)
    cutoff : share of the values at each end, in [0, 0.5), that may become 0 or 255

    Returns
    -------
    (n, 3, 256)
    """
    total = counts.sum(axis=2, keepdims=True)
    seen = np.cumsum(counts, axis=2)
    low = (seen > cutoff * total).argmax(axis=2)[:, :, None]
    high = (seen >= (1 - cutoff) * total - 1e-9).argmax(axis=2)[:, :, None]
    wide = high - low
    stretched = (_VALUES - low) * (255 / np.maximum(wide, 1))
    return _bytes(np.where(wide > 0, stretched, _VALUES))


def looked_up_by_channel(images: Images, tables: ChannelTables) -> Images:
    """Return images with each channel's values replaced by those of its table; (n, h, w, 3), (n, 3, 256) -> (n, h, w, 3)."""
    out = np.empty_like(images)
    channel = np.tile(np.arange(0, 768, 256, dtype=np.uint16), out[:1].size // 3)
    places = np.empty_like(channel)
    for image, table, into in zip(images, tables, out, strict=True):
        np.add(image.reshape(-1), channel, out=places)
        found = pc.take(pa.array(table.reshape(-1)), pa.array(places), boundscheck=False)
        into[:] = np.frombuffer(found.buffers()[1], dtype=np.uint8, count=places.size).reshape(into.shape)
    return out


def _bytes(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Round and clip, in place."""
    np.rint(values, out=values)
    np.maximum(values, 0, out=values)
    np.minimum(values, 255, out=values)
    return values.astype(np.uint8)
