"""Translate: images moved along one of their axes.

    pixel'(y, x) = pixel(y, x ± share · w)  or  pixel(y ± share · h, x),  whole pixels, mirrored beyond the edges

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
from tilth.numerics.image_warps import shifted
from tilth.operators.batch import Batch
from tilth.operators.image_cells import Pixels
from tilth.operators.transforming import at_severity, change_images, chosen, refuse_severity, to_either_side

__all__ = ["Translate"]

SHARES = (0.05, 0.1, 0.15, 0.2, 0.3)
"""Of the side, by severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Translate:
    """Move images along their width or their height.

    Parameters
    ----------
    severity : 1 to 5: by 5, 10, 15, 20 or 30 % of the side, at least a pixel, to either side
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
        """Return the rows with moved images."""
        share = at_severity(SHARES, self.severity)

        def change(images: Pixels, digests: Digests) -> Pixels:
            sides = np.array(images.shape[1:3])
            steps = np.minimum(np.maximum(np.rint(share * sides), 1), sides - 1).astype(np.intp)
            signs = to_either_side(draw, digests).astype(np.intp)
            across = draw.child("axis").uniforms(digests) < 0.5
            return shifted(images, np.where(across, 0, signs * steps[0]), np.where(across, signs * steps[1], 0))

        return change_images(batch, chosen(batch, self.columns, self.accepts), change)
