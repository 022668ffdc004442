"""Contrast: images flatter or harder.

    pixel' = mean + factor · (pixel - mean),  factor = 1 - amount or 1 / (1 - amount)

The mean, in whole numbers, is that of 16 to 31 evenly spaced lines; of all lines where the image is lower than 32 pixels.

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
from tilth.numerics.image_tables import Glance, Tables, contrast_tables
from tilth.operators.batch import Batch
from tilth.operators.transforming import at_severity, by_tables, change_images, chosen, refuse_severity, to_either_side

__all__ = ["Contrast"]

AMOUNTS = (0.1, 0.25, 0.4, 0.6, 0.8)
"""By severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """Take contrast from images, or give them more.

    Parameters
    ----------
    severity : 1 to 5: less by 10, 25, 40, 60 or 80 %, or more by as much again
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

    def tables(self, seen: Glance, digests: Digests, draw: Draw) -> Tables:
        """Return what values become in flatter or harder images."""
        less = 1 - at_severity(AMOUNTS, self.severity)
        return contrast_tables(np.rint(seen.means()), np.power(less, -to_either_side(draw, digests)))

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows with flatter or harder images."""
        return change_images(batch, chosen(batch, self.columns, self.accepts), by_tables(self, draw))
