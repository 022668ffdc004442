"""Sharpness: images sharper or softer.

    pixel' = smooth + (1 ± amount) · (pixel - smooth),  smooth = (5 pixel + Σ eight neighbours) / 13

Source: Cubuk, Zoph, Mané, Vasudevan, Le (2019), AutoAugment: Learning Augmentation Strategies from Data, CVPR, table 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tilth.core.draw import Draw
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.image_filters import sharpened
from tilth.operators.batch import Batch
from tilth.operators.transforming import at_severity, change_images, chosen, refuse_severity, to_either_side

__all__ = ["Sharpness"]

AMOUNTS = (0.2, 0.4, 0.6, 0.75, 0.9)
"""Of the difference to the smoothed image, by severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharpness:
    """Sharpen images, or soften them.

    Parameters
    ----------
    severity : 1 to 5: by 20, 40, 60, 75 or 90 %, softer or sharper
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
        """Return the rows with sharper or softer images."""
        amount = at_severity(AMOUNTS, self.severity)
        names = chosen(batch, self.columns, self.accepts)
        return change_images(
            batch, names, lambda images, digests: sharpened(images, 1 + amount * to_either_side(draw, digests))
        )
