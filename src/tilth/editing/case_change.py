"""Case change: words in capitals, in small letters, or the other way round.

    words changed = max(1, share · words that the change concerns)

Source: Ribeiro, Wu, Guestrin, Singh (2020), Beyond Accuracy: Behavioral Testing of NLP Models with CheckList,
section 2.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tilth.core.draw import Draw
from tilth.core.errors import ConfigError
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.text_changes import CASES, words_cased
from tilth.operators.batch import Batch
from tilth.operators.transforming import at_severity, change_texts, chosen, refuse_severity

__all__ = ["CaseChange"]

SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Of the words, by severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseChange:
    """Change the case of words in texts.

    Parameters
    ----------
    severity : 1 to 5: 10, 25, 50, 75 or 100 % of the words, at least one
    columns : what it changes; () for every text column
    to : "upper", "lower", "title", or "swap": small letters for capitals, and capitals for small letters

    Randomness
    ----------
    seed, operator and row id decide everything
    """

    severity: int = 2
    columns: tuple[str, ...] = ()
    to: str = "swap"

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.TEXT})
    label: ClassVar[LabelEffect] = "keep"
    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse what is no severity, or no case."""
        refuse_severity(self.severity)
        if self.to not in CASES:
            raise ConfigError(f"to cannot be {self.to!r}", next_step=f"write one of {', '.join(CASES)}")

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows with the case of words changed."""
        share = at_severity(SHARES, self.severity)
        names = chosen(batch, self.columns, self.accepts)
        return change_texts(batch, names, draw, lambda text, order, _: words_cased(text, order, share, self.to))
