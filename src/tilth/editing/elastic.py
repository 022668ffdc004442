"""Elastic: images bent as if printed on rubber.

    pixel'(p) = pixel(p + u(p)),  u smooth: uniform at a grid of 6 x 6 points, cubic between them

Source: Simard, Steinkraus, Platt (2003), Best Practices for Convolutional Neural Networks Applied to Visual Document Analysis,
    ICDAR, section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.draw import Draw
from tilth.core.ids import Digests
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.image_warps import bent
from tilth.operators.batch import Batch
from tilth.operators.image_cells import Pixels
from tilth.operators.transforming import at_severity, change_images, chosen, refuse_severity

__all__ = ["Elastic"]

DEVIATIONS = (0.005, 0.01, 0.015, 0.02, 0.03)
"""Of the field at its grid, as a share of the shorter side, by severity."""
GRID = 6
"""Points a side at which the field is drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elastic:
    """Bend images smoothly.

    Parameters
    ----------
    severity : 1 to 5: by a standard deviation of 0.5, 1, 1.5, 2 or 3 % of the shorter side
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
        """Return the rows with bent images."""
        share = at_severity(DEVIATIONS, self.severity)

        def change(images: Pixels, digests: Digests) -> Pixels:
            pixels = (
                share * min(images.shape[1:3]) * np.sqrt(3)
            )  # uniforms in -1 to 1 have a deviation of one over this root
            uniforms = draw.several(digests, 2 * GRID * GRID).reshape(-1, 2, GRID, GRID)
            return bent(images, pixels * (2 * uniforms - 1))

        return change_images(batch, chosen(batch, self.columns, self.accepts), change)
