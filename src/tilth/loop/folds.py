"""Folds of labelled train rows: what must not stand on two sides stands on one."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector
from tilth.core.names import ROW_ID
from tilth.learning._crossfit import FOLDS, fold_numbers
from tilth.loop.bench import Bench
from tilth.loop.frames import standing_together, target_of, train_rows

__all__ = ["folds_of", "together_of"]


def folds_of(bench: Bench, rows: IntVector) -> IntVector:
    """Return the fold of each row; classes are spread evenly, and groups, or else rows with equal cells, stand together.

    `rows` are positions in the bench's train table.
    """
    part = bench.train.take(pa.array(rows))
    ids = part.column(ROW_ID).combine_chunks()
    together = together_of(bench, rows)
    return fold_numbers(ids, target_of(part, bench.schema), groups=together, n_folds=FOLDS, seed=bench.seed)


def together_of(bench: Bench, rows: IntVector) -> IntVector:
    """Return codes 0 … of rows that belong together: groups, or else rows with equal cells."""
    groups = None if bench.groups is None else bench.groups[np.flatnonzero(train_rows(bench.table))[rows]]
    names = [column.name for column in bench.schema.features]
    return standing_together(groups, lambda: bench.train.select(names).take(pa.array(rows)))
