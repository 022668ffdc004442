"""Histograms of oriented gradients and colour layout of small square images.

Source: Dalal, Triggs (2005), CVPR; Felzenszwalb et al. (2010), PAMI 32, section 6.2 (four normalisations); Kasutani, Yamada
(2001), ICIP (colour layout).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tilth.core.arrays import FloatMatrix32

__all__ = ["colour_layout", "gradient_histograms"]

_CLIP = 0.2
_FAINT = 4.0
"""Mean gradient per pixel (of 255) below which a cell counts as flat."""


def gradient_histograms(images: NDArray[np.uint8], cell: int, bins: int, *, signed: bool) -> FloatMatrix32:
    """Return (n, cells² bins) square roots of block-normalised orientation histograms of (n, s, s, 3) images.

    Each pixel votes with its strongest channel's gradient for the two nearest of `bins` directions, over half a turn or, signed,
    a whole one. A cell is divided by the energy of each of the four blocks that it belongs to, clipped, averaged.
    """
    energy = _oriented_energy(images, cell, bins, signed)
    cells = energy.shape[1]
    squares = np.pad((energy**2).sum(axis=3), ((0, 0), (1, 1), (1, 1)), mode="edge")
    blocks = squares[:, :-1, :-1] + squares[:, 1:, :-1] + squares[:, :-1, 1:] + squares[:, 1:, 1:]
    floor = (_FAINT * cell * cell) ** 2
    total = np.zeros_like(energy)
    for down in (0, 1):
        for right in (0, 1):
            around = blocks[:, down : down + cells, right : right + cells, None]
            total += np.minimum(energy / np.sqrt(around + floor), _CLIP)
    return np.sqrt(total / 4).reshape(len(images), -1).astype(np.float32)


def colour_layout(images: NDArray[np.uint8]) -> FloatMatrix32:
    """Return (n, 96) means and standard deviations of red, green, blue in a 4 × 4 grid, in [0, 1]; side divisible by 4."""
    n, side = images.shape[:2]
    grid = images.reshape(n, 4, side // 4, 4, side // 4, 3).astype(np.float32) / np.float32(255)
    parts = [grid.mean(axis=(2, 4)), grid.std(axis=(2, 4))]
    return np.hstack([part.reshape(n, -1) for part in parts])


def _oriented_energy(images: NDArray[np.uint8], cell: int, bins: int, signed: bool) -> NDArray[np.float64]:
    """Return (n, cells, cells, bins) sums of gradient length per cell and direction."""
    right, down = _strongest_gradients(images)
    length = np.sqrt(right**2 + down**2)
    period = 2 * np.pi if signed else np.pi
    position = np.mod(np.arctan2(down, right), period) * (bins / period)
    lower = np.floor(position).astype(np.intp)
    share = position - lower
    n, side = length.shape[:2]
    cells = side // cell
    at = np.arange(side) // cell
    where = (np.arange(n)[:, None, None] * cells + at[:, None]) * cells + at
    total = np.zeros(n * cells * cells * bins)
    for turn, votes in ((0, length * (1 - share)), (1, length * share)):
        total += np.bincount((where * bins + (lower + turn) % bins).ravel(), votes.ravel(), len(total))
    return total.reshape(n, cells, cells, bins)


def _strongest_gradients(images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    values = images.astype(np.float32)
    right, down = np.zeros_like(values), np.zeros_like(values)
    right[:, :, 1:-1] = values[:, :, 2:] - values[:, :, :-2]
    down[:, 1:-1] = values[:, 2:] - values[:, :-2]
    channel = (right**2 + down**2).argmax(axis=3)[..., None]
    return (
        np.take_along_axis(right, channel, axis=3)[..., 0],
        np.take_along_axis(down, channel, axis=3)[..., 0],
    )
