"""Crop: a part of the image, at a place drawn at random, in the image's own size.

    sides of the part = share · sides

Source: Krizhevsky, Sutskever, Hinton (2012), ImageNet Classification with Deep Convolutional Neural Networks, NIPS, section 4.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tilth.core.draw import Draw
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.image_warps import cropped
from tilth.operators.batch import Batch
from tilth.operators.transforming import at_severity, boxes_of, change_images, chosen, refuse_severity

__all__ = ["Crop"]

SIDES = (0.95, 0.9, 0.8, 0.65, 0.5)
"""Share of each side that is left, by severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """Keep a part of images, enlarged to their own size.

    Parameters
    ----------
    severity : 1 to 5: 95, 90, 80, 65 or 50 % of each side
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
        """Return the rows with parts of their images."""
        side = at_severity(SIDES, self.severity)
        names = chosen(batch, self.columns, self.accepts)
        return change_images(batch, names, lambda images, digests: cropped(images, boxes_of(draw, digests, side)))
