"""JPEG quality: images with the traces of strong compression.

    pixel' = decoded(encoded(pixel, quality))

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
from tilth.operators.batch import Batch
from tilth.operators.image_cells import Pixels, compressed
from tilth.operators.transforming import at_severity, change_images, chosen, refuse_severity

__all__ = ["JpegQuality"]

QUALITIES = (75, 50, 30, 15, 7)
"""Of JPEG, by severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JpegQuality:
    """Compress images as JPEG and open them again.

    Parameters
    ----------
    severity : 1 to 5: quality 75, 50, 30, 15 or 7
    columns : what it changes; () for every image column

    Randomness
    ----------
    none
    """

    severity: int = 2
    columns: tuple[str, ...] = ()

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.IMAGE})
    label: ClassVar[LabelEffect] = "keep"
    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse what is no severity."""
        refuse_severity(self.severity)

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows with compressed images."""
        quality = at_severity(QUALITIES, self.severity)

        def change(images: Pixels, digests: Digests) -> Pixels:
            del digests
            return np.stack([compressed(image, quality) for image in images])

        del draw
        return change_images(batch, chosen(batch, self.columns, self.accepts), change)
