"""Version: what the commit log says of one version of the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tilth.core.schema import Schema

__all__ = ["Version"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version: where it comes from, where its rows lie, and what is in it.

    Parameters
    ----------
    version : its id, a digest of the parent and the edit; for a source, of the content
    parent : the version that the edit was made on; None for a source
    base : the source version that it goes back to; its own id for a source
    edit : the edit that made it; None for a source
    recipe : the edits that make it from its base
    origin : source, edit, replay, revert, adopted
    table_version : the number of the row table's version that holds its rows
    rows : number of rows
    content : the id of its content: of every cell and of the schema
    sums : column -> order-free sum of its cells' digests
    schema : its columns and tasks
    source : facts about the files of its base
    """

    version: str
    parent: str | None
    base: str
    edit: str | None
    recipe: tuple[str, ...]
    origin: str
    table_version: int
    rows: int
    content: str
    sums: Mapping[str, tuple[int, int]]
    schema: Schema
    source: Mapping[str, Any]

    @property
    def is_source(self) -> bool:
        """Whether it was read from files rather than made by an edit."""
        return self.parent is None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for the log; an edited version leaves the facts of the files to its base."""
        return {
            "version": self.version,
            "parent": self.parent,
            "base": self.base,
            "edit": self.edit,
            "recipe": list(self.recipe),
            "origin": self.origin,
            "table_version": self.table_version,
            "rows": self.rows,
            "content": self.content,
            "sums": {name: list(pair) for name, pair in self.sums.items()},
            "schema": self.schema.to_dict(),
            "source": dict(self.source) if self.is_source else {},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Version:
        """Build a version from what `to_dict` gave."""
        facts = dict(values)
        facts["recipe"] = tuple(facts["recipe"])
        facts["sums"] = {name: (pair[0], pair[1]) for name, pair in facts["sums"].items()}
        facts["schema"] = Schema.from_dict(facts["schema"])
        return cls(**facts)
