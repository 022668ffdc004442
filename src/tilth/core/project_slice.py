"""ProjectSlice: a slice of a project as the last run knew it: declared by a person, or discovered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tilth.core.estimate import Estimate

__all__ = ["ProjectSlice"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectSlice:
    """A slice with what is known of it.

    Parameters
    ----------
    name : what it is called
    rule : who is in it, on one line; "" where that would quote cells that are not shown
    words : the group in words
    is_declared : whether tilth.yaml or the Python file says it
    rows : dev rows in it; None where the last run had too few, or did not know it
    score : on them, before the run, with its interval
    q_value : of a discovered one, the share of false ones among those that are at most as doubtful
    aimed : whether cures were tried on it
    written : where it is declared
    """

    name: str
    rule: str = ""
    words: str = ""
    is_declared: bool = False
    rows: int | None = None
    score: Estimate | None = None
    q_value: float | None = None
    aimed: bool = False
    written: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "name": self.name,
            "rule": self.rule,
            "words": self.words,
            "declared": self.is_declared,
            "rows": self.rows,
            "score": None if self.score is None else self.score.value,
            "interval": None if self.score is None else self.score.as_list(),
            "q_value": self.q_value,
            "aimed": self.aimed,
            "written": self.written,
        }
