"""From columns to one matrix: which encoder a column gets, how blocks are weighted, and the two passes over the rows.

A column's features are multiplied by one number, so that their mean squared length over train rows is 1 for text, images and
embeddings, and 1 / m for each of the m columns of a table (numbers, categories, dates). All of a table then weighs as much as one
text, and one penalty suits all. The mean is read from a bottom-k sample of train rows, exact for every layout.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tilth.core.arrays import FloatMatrix32
from tilth.core.schema import Column, ColumnType
from tilth.encoding import _sample
from tilth.encoding._sample import Sample
from tilth.engine.local import fold_blocks, map_blocks
from tilth.operators.batch import Batch
from tilth.operators.protocols import Encoder, State
from tilth.operators.registry import make

__all__ = ["FittedColumn", "default_encoder", "encode_blocks", "encode_table", "fit_column", "fit_columns"]

_NORM_ROWS = 1_024
_DEFAULTS = {
    ColumnType.NUMBER: "number",
    ColumnType.CATEGORY: "category",
    ColumnType.DATE: "date",
    ColumnType.TEXT: "text_ngrams",
    ColumnType.IMAGE: "image_descriptor",
    ColumnType.EMBEDDING: "vector",
}
_TABLE = frozenset({ColumnType.NUMBER, ColumnType.CATEGORY, ColumnType.DATE})


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedColumn:
    """A column's encoder, the state that it learnt from train rows, and the number its features are multiplied with."""

    name: str
    encoder: Encoder
    state: State
    scale: float

    def encode(self, batch: Batch) -> FloatMatrix32:
        """Return the (n, d) scaled features of a batch that holds the column."""
        features = self.encoder.encode(_only(batch, self.name), self.state)
        return np.asarray(features * np.float32(self.scale), dtype=np.float32)


def default_encoder(column: Column) -> Encoder:
    """Return the encoder that needs no download for a column of this type."""
    encoder: Encoder = make("encoding", _DEFAULTS[column.type])
    return encoder


def fit_columns(columns: Sequence[tuple[Column, Encoder]], train: Iterable[Batch]) -> tuple[FittedColumn, ...]:
    """Fit every encoder on the train blocks, which are read twice per column, and weigh the columns."""
    n_table = sum(column.type in _TABLE for column, _ in columns)
    return tuple(
        fit_column(column.name, encoder, train, share=1 / n_table if column.type in _TABLE else 1.0)
        for column, encoder in columns
    )


def fit_column(name: str, encoder: Encoder, train: Iterable[Batch], *, share: float) -> FittedColumn:
    """Fit one encoder; `share` is the mean squared length that its features get over the train rows."""
    blocks = [_only(block, name) for block in train]
    state = encoder.finish(fold_blocks(encoder, blocks))
    squares = np.asarray(fold_blocks(_SquaredLengths(encoder, state), blocks).values)
    mean = math.fsum(squares) / max(len(squares), 1)
    return FittedColumn(name=name, encoder=encoder, state=state, scale=math.sqrt(share / mean) if mean > 0 else 1.0)


def encode_blocks(fitted: Sequence[FittedColumn], blocks: Iterable[Batch], n_rows: int) -> FloatMatrix32:
    """Return the (n, d) features of all rows, columns side by side in the order given, blocks below one another.

    One matrix for all `n_rows` rows is filled block by block, so that nothing stands in memory twice.
    """
    features, end = np.zeros((n_rows, 0), dtype=np.float32), 0
    for parts in map_blocks(lambda block: [column.encode(block) for column in fitted], blocks):
        if not parts:
            break
        if not end:
            features = np.empty((n_rows, sum(part.shape[1] for part in parts)), dtype=np.float32)
        begin, end = end, end + len(parts[0])
        np.concatenate(parts, axis=1, out=features[begin:end])
    assert end == n_rows or not features.shape[1]
    return features


def encode_table(
    columns: Sequence[tuple[Column, Encoder]], train: Iterable[Batch], blocks: Sequence[Batch]
) -> tuple[FloatMatrix32, tuple[FittedColumn, ...]]:
    """Fit on train blocks, encode all blocks; returns the (n, d) float32 matrix and what was fitted."""
    fitted = fit_columns(columns, train)
    return encode_blocks(fitted, blocks, sum(map(len, blocks))), fitted


@dataclass(frozen=True)
class _SquaredLengths:
    """A fold to a sample of squared lengths; only rows that get into the sample are encoded."""

    encoder: Encoder
    state: State

    def start(self) -> Sample:
        """Return an empty sample."""
        return _sample.empty(np.zeros(0))

    def fold(self, state: Sample, batch: Batch) -> Sample:
        """Return the sample with a block's rows taken in."""

        def squares(rows: np.ndarray) -> np.ndarray:
            features = self.encoder.encode(_rows(batch, rows), self.state)
            return np.array([math.fsum(row) for row in np.square(features, dtype=np.float64)])

        return _sample.take_in(state, batch.digests, np.arange(len(batch)), squares, _NORM_ROWS, "squared_lengths")

    def merge(self, left: Sample, right: Sample) -> Sample:
        """Return the sample of the rows of both."""
        return _sample.merge(left, right, _NORM_ROWS)


def _only(batch: Batch, name: str) -> Batch:
    """Return the batch with one of its columns, and the digests that it has already computed."""
    one = Batch(ids=batch.ids, columns={name: batch.column(name)})
    one.__dict__["digests"] = batch.digests
    return one


def _rows(batch: Batch, rows: np.ndarray) -> Batch:
    return Batch(ids=batch.ids.take(rows), columns={name: cells.take(rows) for name, cells in batch.columns.items()})
