"""Gaussian noise: each channel of each pixel moved at random.

    pixel' = pixel + sd · e,  e standard normal, in whole numbers

Source: Hendrycks, Dietterich (2019), Benchmarking Neural Network Robustness to Common Corruptions and Perturbations, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.draw import Draw
from tilth.core.ids import Digests
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.image_changes import noise_of, noisy
from tilth.operators.batch import Batch
from tilth.operators.image_cells import Pixels
from tilth.operators.transforming import at_severity, change_images, chosen, refuse_severity

__all__ = ["GaussianNoise"]

DEVIATIONS = (5.0, 10.0, 20.0, 30.0, 45.0)
"""In units of 255, by severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GaussianNoise:
    """Add noise to images.

    Parameters
    ----------
    severity : 1 to 5: a standard deviation of 5, 10, 20, 30 or 45 of 255
    columns : what it changes; () for every image column

    Randomness
    ----------
    seed, operator and row id decide everything
    """

    severity: int = 2
    columns: tuple[str, ...] = ()

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.IMAGE})
    label: ClassVar[LabelEffect] = "keep"
    revision: ClassVar[int] = 2

    def __post_init__(self) -> None:
        """Refuse what is no severity."""
        refuse_severity(self.severity)

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows with noise in their images."""
        deviation = at_severity(DEVIATIONS, self.severity)

        def change(images: Pixels, digests: Digests) -> Pixels:
            out = np.empty_like(images)
            for image, random, into in zip(images, draw.generators(digests), out, strict=True):
                words = random.integers(0, 1 << 64, image.size // 4 + 1, dtype=np.uint64).astype("<u8").view("<u2")
                into[:] = noisy(image, noise_of(words[: image.size].reshape(image.shape), deviation))
            return out

        return change_images(batch, chosen(batch, self.columns, self.accepts), change)
