"""Brightness: images lighter or darker.

    pixel' = (1 ± amount) · pixel

Source: Hendrycks, Dietterich (2019), Benchmarking Neural Network Robustness to Common Corruptions and Perturbations, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tilth.core.draw import Draw
from tilth.core.ids import Digests
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.image_tables import Glance, Tables, brightness_tables
from tilth.operators.batch import Batch
from tilth.operators.transforming import at_severity, by_tables, change_images, chosen, refuse_severity, to_either_side

__all__ = ["Brightness"]

AMOUNTS = (0.1, 0.2, 0.35, 0.5, 0.65)
"""By severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brightness:
    """Make images lighter or darker.

    Parameters
    ----------
    severity : 1 to 5: by 10, 20, 35, 50 or 65 %, up or down
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

    def tables(self, seen: Glance, digests: Digests, draw: Draw) -> Tables:
        """Return what values become in lighter or darker images."""
        del seen
        return brightness_tables(1 + at_severity(AMOUNTS, self.severity) * to_either_side(draw, digests))

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows with lighter or darker images."""
        return change_images(batch, chosen(batch, self.columns, self.accepts), by_tables(self, draw))
