"""NewSlice: how many of the new rows belong to a slice, and what the model is likely to score on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tilth.core.estimate import Estimate

__all__ = ["NewSlice"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSlice:
    """One slice among new rows.

    Parameters
    ----------
    name : what it is called
    is_declared : by a person; else the last run discovered it
    rows : new rows in it
    share, train_share : of the new rows and of the train rows, in [0, 1]
    expected : the score to be expected on its new rows; None where it was not asked for, or cannot be said
    known : the score on its labelled dev rows; None where `expected` is
    reason : why no score can be expected
    """

    name: str
    is_declared: bool
    rows: int
    share: float
    train_share: float
    expected: Estimate | None = None
    known: Estimate | None = None
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "name": self.name,
            "declared": self.is_declared,
            "rows": self.rows,
            "share": self.share,
            "train_share": self.train_share,
            "expected": None if self.expected is None else self.expected.value,
            "interval": None if self.expected is None else self.expected.as_list(),
            "known": None if self.known is None else self.known.value,
            "reason": self.reason,
        }
