"""Number jitter: numbers in texts moved by up to a share of themselves.

    new = old · (1 + width · u),  u uniform in [-1, 1]; at least one in the last place

Source: Ribeiro, Wu, Guestrin, Singh (2020), Beyond Accuracy: Behavioral Testing of NLP Models with CheckList,
section 2.2 (change numbers).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tilth.core.draw import Draw
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.text_changes import numbers_moved
from tilth.operators.batch import Batch
from tilth.operators.transforming import at_severity, change_texts, chosen, refuse_severity

__all__ = ["NumberJitter"]

WIDTHS = (0.05, 0.1, 0.25, 0.5, 0.9)
"""Share of a number, by severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberJitter:
    """Move the numbers that stand in texts.

    Parameters
    ----------
    severity : 1 to 5: by up to 5, 10, 25, 50 or 90 %
    columns : what it changes; () for every text column

    Randomness
    ----------
    seed, operator and row id decide everything
    """

    severity: int = 2
    columns: tuple[str, ...] = ()

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.TEXT})
    label: ClassVar[LabelEffect] = "keep"
    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse what is no severity."""
        refuse_severity(self.severity)

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows with other numbers in their texts."""
        width = at_severity(WIDTHS, self.severity)
        names = chosen(batch, self.columns, self.accepts)
        return change_texts(batch, names, draw, lambda text, _, kind: numbers_moved(text, kind, width))
