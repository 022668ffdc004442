"""RowsPlan: how many test rows, and how many labels, the conditions of a gate need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tilth.core.display import Displayed

__all__ = ["ClauseRows", "RowsPlan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseRows:
    """What one clause needs.

    Parameters
    ----------
    text : as it was written
    reliability : how surely it must be known
    tail : chance of error on one side of one look
    rows, labels : method -> how many; empty where they depend on what the rows will show
    reason : why they are not known beforehand
    """

    text: str
    reliability: float
    tail: float
    rows: Mapping[str, int]
    labels: Mapping[str, int]
    reason: str = ""

    @property
    def fewest(self) -> int | None:
        """The rows of the best method."""
        return min(self.rows.values(), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsPlan(Displayed):
    """What all conditions need at an adaptivity, for so many looks."""

    looks: int
    adaptivity: str
    clauses: tuple[ClauseRows, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)
