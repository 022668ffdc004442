"""Migration: one change of the label set, and what a label may mean after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

__all__ = ["OTHERWISE", "Change", "Migration"]

OTHERWISE = "otherwise"
"""A rule that takes the rows that no other rule of its split takes."""


class Change(StrEnum):
    """What a migration does to the label set."""

    RENAME = "rename"
    MERGE = "merge"
    SPLIT = "split"
    ADD = "add"
    RETIRE = "retire"
    REDEFINE = "redefine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One change of the label set.

    Parameters
    ----------
    change : what it does
    classes : the classes that it is about, by their names before: the renamed, merged, split, retired one; for `add` those whose
        rows may belong to the new class; for `redefine` the class, and those that gain or lose rows by it
    into : the classes that they become, by their names after; for `retire` where its rows go, nowhere if empty
    rules : split: new class -> SQL predicate over the row's columns, or "otherwise"
    where : redefine: SQL predicate of the rows whose labels it puts in doubt, all of its classes' rows if empty
    guideline : redefine: the guideline's new version
    """

    change: Change
    classes: tuple[str, ...]
    into: tuple[str, ...] = ()
    rules: Mapping[str, str] = field(default_factory=dict)
    where: str = ""
    guideline: str = ""

    def __str__(self) -> str:
        """Say it as a person would: split car into sedan and van."""
        about, then = _and(self.classes), _and(self.into)
        match self.change:
            case Change.RENAME:
                return f"rename {about} to {then}"
            case Change.ADD:
                return f"add {then}" + (f", hidden until now in {about}" if self.classes else "")
            case Change.RETIRE:
                return f"retire {about}" + (f" in favour of {then}" if self.into else "")
            case Change.REDEFINE:
                others = f", which moves rows of {_and(self.classes[1:])}" if len(self.classes) > 1 else ""
                return f"redefine {self.classes[0]} by guideline {self.guideline}{others}"
            case _:
                return f"{self.change} {about} into {then}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, without what is empty."""
        facts = {
            "change": str(self.change),
            "classes": list(self.classes),
            "into": list(self.into),
            "rules": dict(self.rules),
            "where": self.where,
            "guideline": self.guideline,
        }
        return {name: value for name, value in facts.items() if value}

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Migration:
        """Build a migration from what `to_dict` gave."""
        return cls(
            change=Change(facts["change"]),
            classes=tuple(facts.get("classes", ())),
            into=tuple(facts.get("into", ())),
            rules=dict(facts.get("rules", {})),
            where=facts.get("where", ""),
            guideline=facts.get("guideline", ""),
        )

    def image(self, name: str, after: Iterable[str]) -> frozenset[str]:
        """Return the classes that a label may mean afterwards, as far as no rule decides it; `after` are all classes then."""
        if name not in self.classes:
            return frozenset((name,))
        match self.change:
            case Change.ADD:
                return frozenset((name, *self.into))
            case Change.REDEFINE:
                return frozenset(self.classes)
            case Change.RETIRE:
                return frozenset(self.into or after)
            case _:
                return frozenset(self.into)


def _and(names: Iterable[str]) -> str:
    """Return names as a person lists them."""
    *most, last = list(names) or [""]
    return f"{', '.join(most)} and {last}" if most else last
