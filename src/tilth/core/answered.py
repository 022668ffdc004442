"""Answered: what came of a file of answers."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from tilth.core.manifest import Manifest

__all__ = ["Answered"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of a file of answers.

    Parameters
    ----------
    answers, skipped : answers that were taken, and those that stood already
    confirmed, changed : rows of these answers whose label is trusted now, as it was or another
    by_split : rows of these answers by the split in which they stood
    version : the version that came of them
    annotators, rows : people who gave these answers, and rows that they are about
    first : rows that got their first label; counted in `changed` too
    settled, disputed : rows of these answers on which people differ, sure enough to be trusted or not
    gold : rows of these answers that were gold questions: their labels stay
    derived : other rows whose consensus these answers changed
    sure : the least probability at which a label is trusted on which people differ
    manifest : what became of the file, or None
    """

    answers: int
    confirmed: int
    changed: int
    skipped: int
    by_split: dict[str, int]
    version: str
    annotators: int = 1
    rows: int = 0
    first: int = 0
    settled: int = 0
    disputed: int = 0
    gold: int = 0
    derived: int = 0
    sure: float = 0.9
    manifest: Manifest | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        plain = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "manifest"}
        return plain | ({} if self.manifest is None else {"manifest": self.manifest.to_dict()})
