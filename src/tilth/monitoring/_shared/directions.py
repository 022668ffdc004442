"""Main directions of two sets of embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tilth.core.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tilth.core.arrays import Matrix

__all__ = ["main_directions"]


def main_directions(reference: NDArray[np.floating], current: NDArray[np.floating], most: int) -> tuple[Matrix, Matrix]:
    """Return both sets along the directions in which they vary most together, in standard deviations of the reference.

    Both sets weigh alike. Directions in which the reference does not vary are scaled by both sets. O((n + m) d² + d³).

    Parameters
    ----------
    reference : (n, d), n >= 1
    current : (m, d), m >= 1
    most : how many directions, a = min(most, d, those with any variance)

    Returns
    -------
    (n, a) and (m, a)
    """
    if reference.shape[1] != current.shape[1]:
        raise InputError(
            f"new rows have {current.shape[1]} features, labelled ones {reference.shape[1]}",
            next_step="encode both with the same encoder",
        )
    known, new = reference.astype(np.float64), current.astype(np.float64)
    middle = (known.mean(axis=0) + new.mean(axis=0)) / 2
    known, new = known - middle, new - middle
    values, axes = np.linalg.eigh(known.T @ known / len(known) + new.T @ new / len(new))
    kept = np.arange(len(values))[::-1][:most]
    kept = kept[values[kept] > 1e-9 * max(values.max(initial=0.0), 1e-300)]
    known, new = known @ axes[:, kept], new @ axes[:, kept]
    own, both = known.std(axis=0), np.sqrt(values[kept] / 2)
    scale = np.where(own > 1e-3 * both, own, both)
    return (known - known.mean(axis=0)) / scale, (new - known.mean(axis=0)) / scale
