"""Features of rows by their cells: rows that were encoded before, by the same fitted encoders, are not encoded again.

Rows of versions lie on one shelf, rows that candidates change or make on another: a few made rows are not looked for among all
others. A version that takes an edit in finds the features of its rows there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from tilth.core.arrays import FloatMatrix32, Mask
from tilth.core.ids import row_digests
from tilth.core.partitions import BLOCK_ROWS
from tilth.core.progress import Progress, silent
from tilth.encoding._blocks import FittedColumn, encode_blocks
from tilth.loop.held_columns import features_key
from tilth.operators.batch import batches
from tilth.store.repository import Repository

__all__ = ["candidates_encoded", "encoded_rows"]


def encoded_rows(
    repository: Repository,
    table: pa.Table,
    fitted: Sequence[FittedColumn],
    progress: Progress = silent,
    block_rows: int = BLOCK_ROWS,
) -> tuple[FloatMatrix32, int]:
    """Return the features of a table of `_tilth_id` and feature columns, (n, d), and how many rows were encoded for it."""
    key = features_key(fitted)
    return _encoded(repository, (key, _of_candidates(key)), table, fitted, progress, block_rows)


def candidates_encoded(
    repository: Repository, table: pa.Table, fitted: Sequence[FittedColumn], block_rows: int = BLOCK_ROWS
) -> FloatMatrix32:
    """Return the features (n, d) of rows that are in no version: a table of `_tilth_id` and feature columns."""
    return _encoded(repository, (_of_candidates(features_key(fitted)),), table, fitted, silent, block_rows)[0]


def _of_candidates(key: str) -> str:
    return f"{key}.candidates"  # garbage goes by what stands before the point


def _encoded(
    repository: Repository,
    keys: Sequence[str],
    table: pa.Table,
    fitted: Sequence[FittedColumn],
    progress: Progress,
    block_rows: int,
) -> tuple[FloatMatrix32, int]:
    """Return features from the shelves of these keys, or computed; what the first shelf lacks is put there."""
    names = [column.name for column in fitted]
    digests = row_digests(table, names)
    shelves = [repository.row_evidence(key) for key in keys]
    stood, features = shelves[0].lookup(digests)
    if stood.all() and len(stood):
        return np.asarray(features), 0
    known = stood
    for shelf in shelves[1:]:
        there, found = shelf.lookup(digests[~known])
        known, features = _joined(known, features, there, found)
    fresh = table.filter(pa.array(~known))
    progress("encode", f"{fresh.num_rows:,} rows")
    encoded = encode_blocks(fitted, batches(fresh, names, block_rows), fresh.num_rows)
    everywhere = np.ones(fresh.num_rows, dtype=bool)
    features = _joined(known, features, everywhere, encoded)[1]
    shelves[0].add(digests[~stood], features if not stood.any() else features[~stood])
    return features, fresh.num_rows


def _joined(known: Mask, features: FloatMatrix32, there: Mask, found: FloatMatrix32) -> tuple[Mask, FloatMatrix32]:
    """Return which rows (n,) are known by now, and their features in order: (m, d) of before, and those found among the others."""
    if not there.any():
        return known, features
    now = known.copy()
    now[np.flatnonzero(~known)[there]] = True
    if not known.any():  # no copy of what may be gigabytes
        return now, found
    both = np.empty((int(now.sum()), found.shape[1]), dtype=np.float32)
    both[known[now]], both[~known[now]] = features, found
    return now, both
