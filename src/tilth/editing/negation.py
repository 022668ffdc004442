"""Negation: English texts that say the contrary: a negated verb loses its not, else the first auxiliary verb gets one.

    don't, cannot, is not → do, can, is;   else the first of is, was, can, … → isn't, wasn't, can't, …

Source: Ribeiro, Wu, Guestrin, Singh (2020), Beyond Accuracy: Behavioral Testing of NLP Models with CheckList, section 2.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tilth.core.draw import Draw
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.text_changes import negated
from tilth.operators.batch import Batch
from tilth.operators.transforming import change_texts, chosen

__all__ = ["Negation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Negation:
    """Negate English texts, or take their first negation back; the label may be another one afterwards.

    Texts without a negation and without an auxiliary verb stay as they are.

    Parameters
    ----------
    columns : what it changes; () for every text column

    Randomness
    ----------
    none
    """

    columns: tuple[str, ...] = ()

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.TEXT})
    label: ClassVar[LabelEffect] = "set"
    revision: ClassVar[int] = 1

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows with texts that say the contrary."""
        return change_texts(batch, chosen(batch, self.columns, self.accepts), draw, lambda text, *_: negated(text))
