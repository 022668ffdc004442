"""Equalize: images whose values are about equally frequent, channel by channel.

    pixel' = pixel + share · (255 · rank of pixel - pixel)

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
from tilth.numerics.image_tables import channel_counts, equalize_tables, looked_up_by_channel
from tilth.operators.batch import Batch
from tilth.operators.image_cells import Pixels
from tilth.operators.transforming import at_severity, change_images, chosen, refuse_severity

__all__ = ["Equalize"]

SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Of the way to equal frequencies, by severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Equalize:
    """Make the values of images more equally frequent.

    Parameters
    ----------
    severity : 1 to 5: 20, 40, 60, 80 or 100 % of the way
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

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows with equalized images."""
        share = at_severity(SHARES, self.severity)

        def change(images: Pixels, digests: Digests) -> Pixels:
            del digests
            tables = equalize_tables(channel_counts(images), np.full(len(images), share))
            return looked_up_by_channel(images, tables)

        del draw
        return change_images(batch, chosen(batch, self.columns, self.accepts), change)
