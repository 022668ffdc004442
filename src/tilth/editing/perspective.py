"""Perspective: images as seen from aside.

    (y', x') ~ M (y, x, 1),  M such that four points near the corners come to lie at the corners

Source: Hartley, Zisserman (2004), Multiple View Geometry, section 4.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tilth.core.draw import Draw
from tilth.core.ids import Digests
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.image_warps import seen_aside
from tilth.operators.batch import Batch
from tilth.operators.image_cells import Pixels
from tilth.operators.transforming import at_severity, change_images, chosen, refuse_severity

__all__ = ["Perspective"]

DISTANCES = (0.025, 0.05, 0.075, 0.1, 0.15)
"""Most by which a corner moves, as a share of the sides, by severity."""
CORNERS = ((0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0))
"""Upper left, upper right, lower right, lower left: y, x as shares of the sides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Perspective:
    """Move the corners of images, and what lies between them along.

    Parameters
    ----------
    severity : 1 to 5: each corner by up to 2.5, 5, 7.5, 10 or 15 % of the sides
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
        """Return the rows with images seen from aside."""
        distance = at_severity(DISTANCES, self.severity)

        def change(images: Pixels, digests: Digests) -> Pixels:
            moves = distance * (2 * draw.several(digests, 8).reshape(-1, 4, 2) - 1)
            return seen_aside(images, CORNERS + moves)

        return change_images(batch, chosen(batch, self.columns, self.accepts), change)
