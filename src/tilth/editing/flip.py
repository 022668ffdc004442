"""Flip: images with left and right changed over.

    pixel'(y, x) = pixel(y, w - 1 - x)

Source: Krizhevsky, Sutskever, Hinton (2012), ImageNet Classification with Deep Convolutional Neural Networks, NIPS, section 4.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tilth.core.draw import Draw
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.image_changes import flipped
from tilth.operators.batch import Batch
from tilth.operators.transforming import change_images, chosen

__all__ = ["Flip"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """Show images as in a mirror.

    Parameters
    ----------
    columns : what it changes; () for every image column

    Randomness
    ----------
    none
    """

    columns: tuple[str, ...] = ()

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.IMAGE})
    label: ClassVar[LabelEffect] = "keep"
    revision: ClassVar[int] = 1

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows with mirrored images."""
        del draw
        return change_images(batch, chosen(batch, self.columns, self.accepts), lambda images, _: flipped(images))
