"""Recipe: the ordered edits that made a version from its source; it replays on a changed source."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from tilth.core.apply import apply, fit_to
from tilth.core.edit import Edit

__all__ = ["Recipe", "Replay"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What came of a replay: the table, the edits as they fitted, and the rows that each could not touch."""

    table: pa.Table
    edits: tuple[Edit, ...]
    skipped: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Ordered edits."""

    edits: tuple[Edit, ...] = ()

    def replay(self, table: pa.Table) -> Replay:
        """Make the edits one after the other on a table, leaving out rows that are gone or changed since."""
        fitted, skipped = [], []
        for edit in self.edits:
            part, missed = fit_to(table, edit)
            table = apply(table, part)
            fitted.append(part)
            skipped.append(missed)
        return Replay(table=table, edits=tuple(fitted), skipped=tuple(skipped))

    def without(self, edit_id: str) -> Recipe:
        """Return the recipe with one edit left out."""
        return Recipe(tuple(edit for edit in self.edits if edit.edit_id != edit_id))
