"""Shear: images slanted to one side, along one of their axes, about their middle.

    x' = x ± amount · (y - middle)  or  y' = y ± amount · (x - middle),  bilinear, mirrored beyond the edges

Source: Cubuk, Zoph, Mané, Vasudevan, Le (2019), AutoAugment: Learning Augmentation Strategies from Data, CVPR, table 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.draw import Draw
from tilth.core.ids import Digests
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.image_warps import sheared
from tilth.operators.batch import Batch
from tilth.operators.image_cells import Pixels
from tilth.operators.transforming import at_severity, change_images, chosen, refuse_severity, to_either_side

__all__ = ["Shear"]

AMOUNTS = (0.05, 0.1, 0.15, 0.2, 0.3)
"""Pixels along the one axis per pixel along the other, by severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shear:
    """Slant images along their width or their height.

    Parameters
    ----------
    severity : 1 to 5: by 0.05, 0.1, 0.15, 0.2 or 0.3 pixels per pixel, to either side
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
        """Return the rows with slanted images."""
        amount = at_severity(AMOUNTS, self.severity)

        def change(images: Pixels, digests: Digests) -> Pixels:
            slants = amount * to_either_side(draw, digests)
            across = draw.child("axis").uniforms(digests) < 0.5
            return sheared(images, np.where(across, slants, 0.0), np.where(across, 0.0, slants))

        return change_images(batch, chosen(batch, self.columns, self.accepts), change)
