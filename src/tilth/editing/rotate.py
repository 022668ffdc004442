"""Rotate: images turned to the left or to the right about their middle.

    p' = R(± angle) (p - middle) + middle, bilinear, reflected beyond the edges

Source: Engstrom et al. (2019), Exploring the Landscape of Spatial Robustness, ICML, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.draw import Draw
from tilth.core.ids import Digests
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.image_changes import rotated
from tilth.operators.batch import Batch
from tilth.operators.image_cells import Pixels
from tilth.operators.transforming import at_severity, change_images, chosen, refuse_severity

__all__ = ["Rotate"]

DEGREES = (5.0, 10.0, 20.0, 30.0, 45.0)
"""By severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotate:
    """Turn images by some degrees.

    Parameters
    ----------
    severity : 1 to 5: 5, 10, 20, 30 or 45 degrees, to either side
    columns : what it changes; () for every image column

    Randomness
    ----------
    seed, operator and row id decide everything
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
        """Return the rows with turned images."""
        degrees = at_severity(DEGREES, self.severity)

        def change(images: Pixels, digests: Digests) -> Pixels:
            return rotated(images, np.where(draw.uniforms(digests) < 0.5, -degrees, degrees))

        return change_images(batch, chosen(batch, self.columns, self.accepts), change)
