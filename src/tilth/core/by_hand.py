"""ByHand: what labels from votes are worth in labels by hand."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ByHand"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """How many more labels by hand would be as good as an edit's labels from votes: with the ends of the interval, None where unknown."""

    edit: str
    rows: int | None
    low: int | None
    high: int | None
