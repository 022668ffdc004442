"""Word dropout: texts without some of their words.

    words left out = max(1, share · words), never all

Source: Wei, Zou (2019), EDA: Easy Data Augmentation Techniques for Boosting Performance on Text Classification Tasks,
section 2 (random deletion).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tilth.core.draw import Draw
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.text_changes import words_dropped
from tilth.operators.batch import Batch
from tilth.operators.transforming import at_severity, change_texts, chosen, refuse_severity

__all__ = ["WordDropout"]

SHARES = (0.05, 0.1, 0.2, 0.3, 0.5)
"""Of the words, by severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WordDropout:
    """Leave words out of texts.

    Parameters
    ----------
    severity : 1 to 5: 5, 10, 20, 30 or 50 % of the words, at least one
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
        """Return the rows without some words."""
        share = at_severity(SHARES, self.severity)
        names = chosen(batch, self.columns, self.accepts)
        return change_texts(batch, names, draw, lambda text, order, _: words_dropped(text, order, share))
