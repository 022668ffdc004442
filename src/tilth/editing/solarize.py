"""Solarize: images whose light parts are turned over.

    pixel' = 255 - pixel  where pixel >= threshold

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
from tilth.numerics.image_tables import Glance, Tables, solarize_tables
from tilth.operators.batch import Batch
from tilth.operators.transforming import at_severity, by_tables, change_images, chosen, refuse_severity

__all__ = ["Solarize"]

THRESHOLDS = (224, 192, 160, 128, 96)
"""By severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Solarize:
    """Turn the light values of images over.

    Parameters
    ----------
    severity : 1 to 5: values of at least 224, 192, 160, 128 or 96
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
        """Return what values become where light ones are turned over."""
        del digests, draw
        return solarize_tables(np.full(len(seen), at_severity(THRESHOLDS, self.severity)))

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows with the light values of their images turned over."""
        return change_images(batch, chosen(batch, self.columns, self.accepts), by_tables(self, draw))
