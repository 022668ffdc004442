"""Autocontrast: images whose values are stretched over the whole range, channel by channel.

    pixel' = 255 · (pixel - low) / (high - low),  a share of the values lying below low and above high

Source: Cubuk, Zoph, Mané, Vasudevan, Le (2019), AutoAugment: Learning Augmentation Strategies from Data, CVPR, table 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tilth.core.draw import Draw
from tilth.core.ids import Digests
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.image_tables import autocontrast_tables, channel_counts, looked_up_by_channel
from tilth.operators.batch import Batch
from tilth.operators.image_cells import Pixels
from tilth.operators.transforming import at_severity, change_images, chosen, refuse_severity

__all__ = ["Autocontrast"]

CUTOFFS = (0.005, 0.01, 0.02, 0.04, 0.08)
"""Share of the values at each end, by severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Autocontrast:
    """Stretch the values of images over the whole range.

    Parameters
    ----------
    severity : 1 to 5: 0.5, 1, 2, 4 or 8 % of the values at each end become 0 or 255
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
        """Return the rows with stretched images."""
        cutoff = at_severity(CUTOFFS, self.severity)

        def change(images: Pixels, digests: Digests) -> Pixels:
            del digests
            return looked_up_by_channel(images, autocontrast_tables(channel_counts(images), cutoff))

        del draw
        return change_images(batch, chosen(batch, self.columns, self.accepts), change)
