"""Images made of two, and images in the style of others: mixed value by value, or matched in mean and spread."""

from __future__ import annotations

import numpy as np

from tilth.core.arrays import Matrix, Vector
from tilth.numerics.image_changes import Images
from tilth.numerics.image_tables import channel_counts, looked_up_by_channel

__all__ = ["channel_statistics", "mixup", "restyle"]

_VALUES = np.arange(256, dtype=np.float64)


def mixup(first: Images, second: Images, shares: Vector) -> Images:
    """Return weighted means of pairs of images: share · first + (1 - share) · second, in whole numbers.

    Parameters
    ----------
    first, second : (n, h, w, 3) uint8
    shares : (n,) of the first, in [0, 1]; also the share of its label

    Returns
    -------
    (n, h, w, 3) uint8

    Source
    ------
    Zhang, Cisse, Dauphin, Lopez-Paz (2018), mixup: Beyond Empirical Risk Minimization, ICLR, section 2.

    Examples
    --------
    >>> black, white = np.zeros((1, 1, 1, 3), np.uint8), np.full((1, 1, 1, 3), 255, np.uint8)
    >>> mixup(black, white, np.array([0.8])).ravel().tolist()
    [51, 51, 51]
    """
    out = np.empty_like(first)
    room, other = (np.empty(first.shape[1:], dtype=np.float32) for _ in range(2))
    for one, two, into, share in zip(first, second, out, shares.astype(np.float32), strict=True):
        np.multiply(one, share, out=room)
        room += np.multiply(two, np.float32(1) - share, out=other)
        room += np.float32(0.5)
        into[:] = room.astype(np.uint8)
    return out


def channel_statistics(images: Images) -> tuple[Matrix, Matrix]:
    """Return the mean and the standard deviation of each channel of each image; (n, h, w, 3) -> (n, 3), (n, 3)."""
    counts = channel_counts(images)
    total = counts.sum(axis=2)
    means = counts @ _VALUES / total
    squares = (counts * np.square(_VALUES - means[:, :, None])).sum(axis=2)
    return means, np.sqrt(squares / total)


def restyle(images: Images, mean: Matrix, std: Matrix) -> Images:
    """Return images whose channels have a mean and a standard deviation that are given, up to what is cut at 0 and 255.

    value' = mean + std · (value - its channel's mean) / its channel's standard deviation. With the statistics of another slice it
    shows an image as that slice would: its light, its colours, its contrast; shapes stay.

    Parameters
    ----------
    images : (n, h, w, 3) uint8
    mean : (n, 3) or (3,), in units of 0 to 255
    std : (n, 3) or (3,), the same units; a channel of one value becomes the mean

    Returns
    -------
    (n, h, w, 3) uint8

    Source
    ------
    Reinhard, Ashikhmin, Gooch, Shirley (2001), Color Transfer between Images, IEEE CG&A 21(5); for the purpose: Goel, Gu, Li, Ré
    (2021), Model Patching, ICLR.
    """
    means, spreads = channel_statistics(images)
    factors = np.broadcast_to(std, means.shape) / np.where(spreads > 0, spreads, np.inf)
    goal = np.broadcast_to(mean, means.shape)
    values = goal[:, :, None] + factors[:, :, None] * (_VALUES - means[:, :, None])
    return looked_up_by_channel(images, np.clip(np.rint(values), 0, 255).astype(np.uint8))
