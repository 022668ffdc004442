"""Features of rows by their cells: rows that were encoded before, by the same fitted encoders, are not encoded again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from tilth.core.arrays import FloatMatrix32
from tilth.core.ids import row_digests
from tilth.core.partitions import BLOCK_ROWS
from tilth.core.progress import Progress, silent
from tilth.encoding._blocks import FittedColumn, encode_blocks
from tilth.loop.held_columns import features_key
from tilth.operators.batch import batches
from tilth.store.repository import Repository

__all__ = ["encoded_rows"]


def encoded_rows(
    repository: Repository,
    table: pa.Table,
    fitted: Sequence[FittedColumn],
    progress: Progress = silent,
    block_rows: int = BLOCK_ROWS,
) -> tuple[FloatMatrix32, int]:
    """Return the features of a table of `_tilth_id` and feature columns, (n, d), and how many rows were encoded for it."""
    names = [column.name for column in fitted]
    digests = row_digests(table, names)
    kept = repository.row_evidence(features_key(fitted))
    known, vectors = kept.lookup(digests)
    if known.all() and len(known):
        return np.asarray(vectors), 0
    fresh = table.filter(pa.array(~known))
    progress("encode", f"{fresh.num_rows:,} rows")
    encoded = encode_blocks(fitted, batches(fresh, names, block_rows), fresh.num_rows)
    if not known.any():  # no copy of what may be gigabytes
        kept.add(digests, encoded)
        return encoded, fresh.num_rows
    kept.add(digests[~known], encoded)
    features = np.empty((table.num_rows, encoded.shape[1]), dtype=np.float32)
    features[~known], features[known] = encoded, vectors
    return features, fresh.num_rows
