"""Features learnt from small patches: contrast-normalised, whitened, clustered; responses pooled over quadrants.

Source: Coates, Ng, Lee (2011), AISTATS (single-layer networks by k-means); Coates, Ng (2012), LNCS 7700 (spherical k-means,
soft threshold).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tilth.core.arrays import FloatMatrix32

__all__ = ["Filters", "learn_filters", "pooled_responses"]

_SIDE = 6
_STRIDE = 2
_PATCHES = 40_000
_PER_IMAGE = 100
_ROUNDS = 10
_CONTRAST = 10.0
"""Added to a patch's variance (of 255²), so that flat patches stay flat."""
_RIDGE = 0.1
"""Added to the eigenvalues in whitening, so that directions of noise are not blown up."""
_THRESHOLD = 0.25


@dataclass(frozen=True, slots=True)
class Filters:
    """Linear filters on contrast-normalised patches: response = max(patch @ weights - offsets, 0)."""

    weights: FloatMatrix32
    offsets: FloatMatrix32


def learn_filters(images: NDArray[np.uint8], count: int, rng: np.random.Generator) -> Filters:
    """Learn at most `count` filters from patches of (n, s, s, 3) images, n >= 1.

    Randomness: the generator decides which patches are seen and where clusters begin.
    """
    n, side = images.shape[:2]
    take = min(max(_PATCHES // n, 1), _PER_IMAGE)
    rows = np.repeat(np.arange(n), take)
    top, left = rng.integers(0, side - _SIDE + 1, size=(2, len(rows)))
    patches = _normalised(_windows(images)[rows, top, left].reshape(len(rows), -1))
    mean = patches.mean(axis=0, dtype=np.float64)
    centred = patches - mean
    values, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    whitening = (vectors / np.sqrt(np.maximum(values, 0.0) + _RIDGE)) @ vectors.T
    centres = _spherical_k_means((centred @ whitening).astype(np.float32), count, rng)
    weights = whitening @ centres.T
    return Filters(weights.astype(np.float32), (mean @ weights + _THRESHOLD).astype(np.float32))


def pooled_responses(images: NDArray[np.uint8], filters: Filters) -> FloatMatrix32:
    """Return (n, 4 filters) square roots of the filters' mean responses in the four quadrants of (n, s, s, 3) images."""
    windows = _windows(images)[:, ::_STRIDE, ::_STRIDE]
    n, high = windows.shape[:2]
    patches = _normalised(windows.reshape(n * high * high, -1)).reshape(n, high * high, -1)
    # One product per image: its bits then do not depend on which images stand beside it.
    responses = np.maximum(np.matmul(patches, filters.weights) - filters.offsets, 0).reshape(n, high, high, -1)
    half = high // 2
    quadrants = [responses[:, down, right].mean(axis=(1, 2)) for down in _halves(half) for right in _halves(half)]
    return np.asarray(np.sqrt(np.hstack(quadrants)), dtype=np.float32)


def _halves(half: int) -> tuple[slice, slice]:
    return slice(None, half), slice(half, None)


def _windows(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.lib.stride_tricks.sliding_window_view(images, (_SIDE, _SIDE), axis=(1, 2))


def _normalised(patches: NDArray[np.uint8]) -> FloatMatrix32:
    values = patches.astype(np.float32)
    values -= values.mean(axis=1, keepdims=True)
    squares = np.einsum("ij,ij->i", values, values) / values.shape[1]
    values /= np.sqrt(squares + np.float32(_CONTRAST))[:, None]
    return values


def _spherical_k_means(points: FloatMatrix32, count: int, rng: np.random.Generator) -> FloatMatrix32:
    """Return (k, d) unit centres; empty clusters keep their place."""
    centres: FloatMatrix32 = points[rng.choice(len(points), min(count, len(points)), replace=False)]
    centres = centres / np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-6)
    for _ in range(_ROUNDS):
        likeness = points @ centres.T
        nearest = likeness.argmax(axis=1)
        pull = likeness[np.arange(len(points)), nearest]
        order = np.argsort(nearest, kind="stable")
        first = np.flatnonzero(np.diff(nearest[order], prepend=-1))
        sums = np.zeros_like(centres)
        sums[nearest[order[first]]] = np.add.reduceat(points[order] * pull[order, None], first, axis=0)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True).astype(np.float32)
        centres = np.where(lengths > 1e-6, sums / np.maximum(lengths, 1e-6), centres)
    return centres
