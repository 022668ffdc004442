"""Cutout: a grey square over a part of the image, at a place drawn at random.

    side of the square = share · sides

Source: DeVries, Taylor (2017), Improved Regularization of Convolutional Neural Networks with Cutout, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tilth.core.draw import Draw
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.image_changes import cut_out
from tilth.operators.batch import Batch
from tilth.operators.transforming import at_severity, boxes_of, change_images, chosen, refuse_severity

__all__ = ["Cutout"]

SIDES = (0.1, 0.2, 0.3, 0.4, 0.5)
"""Share of each side, by severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutout:
    """Cover a part of images.

    Parameters
    ----------
    severity : 1 to 5: 10, 20, 30, 40 or 50 % of each side
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
        """Return the rows with a part of their images covered."""
        side = at_severity(SIDES, self.severity)
        names = chosen(batch, self.columns, self.accepts)
        return change_images(batch, names, lambda images, digests: cut_out(images, boxes_of(draw, digests, side)))
