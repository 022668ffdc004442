"""Blur: images out of focus.

    pixel = Σ w(d) · pixel at distance d,  w a Gaussian of sigma = share · shorter side

Source: Hendrycks, Dietterich (2019), Benchmarking Neural Network Robustness to Common Corruptions and Perturbations, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tilth.core.draw import Draw
from tilth.core.ids import Digests
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.image_filters import blurred
from tilth.operators.batch import Batch
from tilth.operators.image_cells import Pixels
from tilth.operators.transforming import at_severity, change_images, chosen, refuse_severity

__all__ = ["Blur"]

SIGMAS = (0.01, 0.015, 0.02, 0.025, 0.035)
"""Of the shorter side, by severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blur:
    """Smooth images by a Gaussian.

    Parameters
    ----------
    severity : 1 to 5: a standard deviation of 1, 1.5, 2, 2.5 or 3.5 % of the shorter side
    columns : what it changes; () for every image column

    Randomness
    ----------
    none
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
        """Return the rows with blurred images."""
        sigma = at_severity(SIGMAS, self.severity)

        def change(images: Pixels, digests: Digests) -> Pixels:
            del digests
            return blurred(images, sigma * min(images.shape[1:3]))

        del draw
        return change_images(batch, chosen(batch, self.columns, self.accepts), change)
