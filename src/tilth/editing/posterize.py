"""Posterize: images with fewer shades.

    pixel' = pixel with all but its highest bits 0

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
from tilth.numerics.image_tables import Glance, Tables, posterize_tables
from tilth.operators.batch import Batch
from tilth.operators.transforming import at_severity, by_tables, change_images, chosen, refuse_severity

__all__ = ["Posterize"]

BITS = (6, 5, 4, 3, 2)
"""That are left of eight, by severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterize:
    """Leave images few shades per channel.

    Parameters
    ----------
    severity : 1 to 5: 6, 5, 4, 3 or 2 bits per channel
    columns : what it changes; () for every image column

    Randomness
    ----------
    none
    """

    severity: int = 2
    columns: tuple[str, ...] = ()

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.IMAGE})
    label: ClassVar[LabelEffect] = "keep"
    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse what is no severity."""
        refuse_severity(self.severity)

    def tables(self, seen: Glance, digests: Digests, draw: Draw) -> Tables:
        """Return what values become in images with fewer shades."""
        del digests, draw
        return posterize_tables(np.full(len(seen), at_severity(BITS, self.severity)))

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows with fewer shades in their images."""
        return change_images(batch, chosen(batch, self.columns, self.accepts), by_tables(self, draw))
