"""Encoders that have not seen the rows on which realism is judged.

An encoder that learns its directions from train rows holds these rows better than any others, changed or not: among few rows that alone
tells them from changed ones. So texts and images are encoded anew for this figure, by the held encoders fitted to other rows. What learns
a few numbers only (a pretrained network, a table's columns) is used as it is held.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

from tilth.core.arrays import FloatMatrix32
from tilth.core.schema import ColumnType, Schema
from tilth.encoding._blocks import FittedColumn, encode_blocks, fit_column
from tilth.operators.batch import batches

__all__ = ["Encode", "Refit", "refits"]

Encode = Callable[[pa.Table], FloatMatrix32]
"""Rows with feature columns -> their features."""
Refit = Callable[[pa.Table], Encode]
"""Rows to learn from -> the encoders that have seen no others."""
_LEARNS = frozenset({ColumnType.TEXT, ColumnType.IMAGE})
_FEW_NUMBERS = 2


def refits(fitted: Sequence[FittedColumn], schema: Schema) -> Refit | None:
    """Return what fits encoders to other rows; None where none of those that are held learns directions from rows."""
    names = [column.name for column in fitted]
    learning = {column.name for column in fitted if _learns(column, schema)}
    if not learning:
        return None

    def refit(table: pa.Table) -> Encode:
        rows = list(batches(table, names))
        anew = [
            fit_column(column.name, column.encoder, rows, share=1.0) if column.name in learning else column
            for column in fitted
        ]
        return lambda asked: encode_blocks(anew, batches(asked, names), asked.num_rows)

    return refit


def _learns(column: FittedColumn, schema: Schema) -> bool:
    sizes = [np.size(column.state[name]) for name in column.state]
    return schema.column(column.name).type in _LEARNS and sum(sizes) > _FEW_NUMBERS
