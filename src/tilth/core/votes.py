"""Votes: what many labelers said about many rows, kept sparse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector

__all__ = ["Votes"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Votes:
    """Sparse votes of m labelers on n rows: three parallel vectors (row, labeler, class), abstentions left out."""

    row_ids: pa.Array
    labelers: tuple[str, ...]
    rows: IntVector
    sources: IntVector
    classes: IntVector

    def dense(self) -> tuple[IntVector, np.ndarray]:
        """Return the (n, m) matrix of class numbers and the (n, m) mask of abstentions (where it holds 0)."""
        shape = (len(self.row_ids), len(self.labelers))
        matrix, abstained = np.zeros(shape, dtype=np.intp), np.ones(shape, dtype=bool)
        matrix[self.rows, self.sources] = self.classes
        abstained[self.rows, self.sources] = False
        return matrix, abstained
