"""Rotate: images turned to the left or to the right about their middle.

    p' = R(± angle) (p - middle) + middle, bilinear, reflected beyond the edges

Source: Engstrom et al. (2019), Exploring the Landscape of Spatial Robustness, ICML, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tilth.core.draw import Draw
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.image_warps import rotated
from tilth.operators.batch import Batch
from tilth.operators.transforming import at_severity, change_images, chosen, refuse_severity, to_either_side

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
    revision: ClassVar[int] = 2

    def __post_init__(self) -> None:
        """Refuse what is no severity."""
        refuse_severity(self.severity)

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows with turned images."""
        degrees = at_severity(DEGREES, self.severity)
        names = chosen(batch, self.columns, self.accepts)
        return change_images(
            batch, names, lambda images, digests: rotated(images, degrees * to_either_side(draw, digests))
        )
