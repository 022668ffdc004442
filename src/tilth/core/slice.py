"""Slice: a named group of rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import Mask

__all__ = ["Slice"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A group of rows by the value of one column; a null value stands for rows without one.

    Guards watch these groups; richer predicates extend this noun, so that a slice stays a value that can be written.
    """

    name: str
    column: str
    value: str | None

    def mask(self, table: pa.Table) -> Mask:
        """Return which rows of a table belong to the slice."""
        column = table.column(self.column)
        if self.value is None:
            return np.asarray(pc.is_null(column))
        return np.asarray(pc.fill_null(pc.equal(column.cast(pa.string()), self.value), False))
