"""Names of classes that labelers still say after the label set was migrated, and what they mean today."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tilth.core.taxonomy import Taxonomy
from tilth.loop._project import ProjectFile

__all__ = ["former_names", "former_text", "told_of_former"]

SAYING = ("says", "entries", "classes", "rows", "examples")
"""Parameters of labelers that name classes; `probabilities` and `least_of` name them by their keys."""


def former_names(taxonomy: Taxonomy) -> dict[str, str | None]:
    """Return each name that is no class of today -> the one class that it means, or None where it may mean several.

    A name of today means what it means today, also where an earlier label set gave it another sense.
    """
    found: dict[str, str | None] = {}
    for name in taxonomy.every_name:
        if name not in taxonomy.names:
            meanings = taxonomy.meanings_of(name)
            found[name] = meanings[0] if len(meanings) == 1 else None
    return found


def told_of_former(file: ProjectFile, former: Mapping[str, str | None]) -> list[str]:
    """Return what a reader must know of the labelers of tilth.yaml that say names of earlier label sets."""
    return [
        former_text(choice.name, name, former[name])
        for choice in file.labelers
        for name in dict.fromkeys(_named(choice.params))
        if name in former
    ]


def former_text(labeler: str, name: str, today: str | None) -> str:
    """Return that a labeler says an earlier name of a class, and what is made of it."""
    if today is None:
        return (
            f"labeler {labeler!r} says {name!r}, which may be several classes since: it abstains there; say one of them"
        )
    return f"labeler {labeler!r} says {name!r}, which is called {today!r} since, and is counted as that"


def _named(params: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for key in SAYING:
        value = params.get(key, ())
        found += [value] if isinstance(value, str) else [*value.values()] if isinstance(value, Mapping) else [*value]
    return [*found, *params.get("probabilities", ()), *params.get("least_of", ())]
