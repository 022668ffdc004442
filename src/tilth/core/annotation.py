"""Annotation: one person's answer about one row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

__all__ = ["Annotation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One answer: who said what about which row, under which guideline and label set, and when.

    `value` is a class name or a number written as text; times are ISO 8601 in UTC or empty; certainty in [0, 1].
    `adjudicated` marks the last word on a row: it stands against whatever others say.
    """

    row_id: str
    task: str
    value: str
    annotator: str = "person"
    guideline_version: str = "1"
    taxonomy_version: str = "1"
    started: str = ""
    answered: str = ""
    certainty: float = 1.0
    adjudicated: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Annotation:
        """Return the annotation that `to_dict` wrote; what an older tilth did not write has its default."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in body.items() if name in known})
