"""Typos: letters that change places, are left out, typed twice, or become a neighbour on the keyboard.

    letters changed = max(1, share · letters)

Source: Ribeiro, Wu, Guestrin, Singh (2020), Beyond Accuracy: Behavioral Testing of NLP Models with CheckList,
section 2.2 (invariance to typos).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tilth.core.draw import Draw
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.text_changes import typed
from tilth.operators.batch import Batch
from tilth.operators.transforming import at_severity, change_texts, chosen, refuse_severity

__all__ = ["Typo"]

SHARES = (0.02, 0.05, 0.1, 0.15, 0.25)
"""Of the letters, by severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Typo:
    """Make slips of typing in texts.

    Parameters
    ----------
    severity : 1 to 5: 2, 5, 10, 15 or 25 % of the letters, at least one
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
        """Return the rows with slips of typing."""
        share = at_severity(SHARES, self.severity)
        names = chosen(batch, self.columns, self.accepts)
        return change_texts(batch, names, draw, lambda text, order, kind: typed(text, order, kind, share))
