"""Question: one row to ask a person about."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Question"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One row to ask about; `annotator` is who is asked, or empty for anybody."""

    row_id: str
    split: str
    given: str | None
    suggestion: str | None
    reason: str
    annotator: str = ""
