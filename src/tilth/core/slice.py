"""Slice: a named group of rows that is looked at by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tilth.core.region import Region
from tilth.core.spec import Spec

__all__ = ["Slice"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A group of rows by a rule, so that it can be written, and found again in every version and in new data.

    It has exactly one of `where`, `function` and `region`.

    Parameters
    ----------
    name : what people call it
    where : an SQL predicate over columns and what is known of rows (see docs/reference/slices): age < 25 AND sex = 'F'
    function : the name of a slicing function in the project's Python file
    region : a place in the space of a column's embeddings, with soft membership
    operator : what discovered it; None where a person declared it
    summary : the group in words that a person would use
    """

    name: str
    where: str = ""
    function: str = ""
    region: Region | None = None
    operator: Spec | None = None
    summary: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """What describes it further, as plain values: telling terms, nearest declared slice …"""

    def __post_init__(self) -> None:
        """Refuse a slice with no rule, or with several."""
        if sum((bool(self.where), bool(self.function), self.region is not None)) != 1:
            raise ValueError(f"slice {self.name!r} has one rule: a predicate, a function or a region")

    @property
    def rule(self) -> str:
        """The rule as one line of text."""
        if self.region is not None:
            return f"near {self.region.title}" if self.region.title else "a region of embeddings"
        return self.where or f"{self.function}(row)"
