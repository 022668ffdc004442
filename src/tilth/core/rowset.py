"""RowSet: ordered row ids with an optional score."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from tilth.core.arrays import Vector

__all__ = ["RowSet"]


@dataclass(frozen=True, kw_only=True, eq=False)
class RowSet:
    """What selectors return and edits touch: row ids, best first, and a score for each if there is one."""

    ids: pa.Array
    scores: Vector | None = None
    reason: str = ""

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.ids)

    def head(self, n: int) -> RowSet:
        """Return the first n rows."""
        scores = None if self.scores is None else self.scores[:n]
        return RowSet(ids=self.ids.slice(0, n), scores=scores, reason=self.reason)
