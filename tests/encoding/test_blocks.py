from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.names import ROW_ID
from tilth.core.partitions import BLOCK_ROWS
from tilth.core.schema import Column, ColumnType
from tilth.encoding._blocks import default_encoder, encode_blocks, encode_table, fit_columns
from tilth.operators.batch import Batch, batches
from tilth.operators.protocols import Encoder

N = 90
RNG = np.random.default_rng(0)
CELLS = {
    "age": pa.array(RNG.standard_normal(N), mask=np.arange(N) % 10 == 0),
    "kind": pa.array(RNG.choice(["a", "b", "c"], N).astype(object), pa.string()),
    "day": pa.array(RNG.integers(0, 2**50, N), pa.timestamp("us")),
    "text": pa.array([" ".join(RNG.choice(["soil", "rain", "goal", "seed"], 4)) for _ in range(N)]),
    "vector": pa.array(RNG.standard_normal((N, 3)).tolist(), pa.list_(pa.float32(), 3)),
}
TYPES = ("number", "category", "date", "text", "embedding")
COLUMNS = [Column(name=name, type=ColumnType(kind)) for name, kind in zip(CELLS, TYPES, strict=True)]
PAIRS = [(column, default_encoder(column)) for column in COLUMNS]


def blocks(size: int, order: np.ndarray | None = None) -> list[Batch]:
    at = pa.array(np.arange(N) if order is None else order)
    ids = pa.array([f"r{i}" for i in range(N)]).take(at)
    cells = {name: column.take(at) for name, column in CELLS.items()}
    return [
        Batch(ids=ids.slice(start, size), columns={name: column.slice(start, size) for name, column in cells.items()})
        for start in range(0, N, size)
    ]


@pytest.mark.parametrize("kind", list(ColumnType))
def test_every_type_has_an_encoder_that_accepts_it(kind: ColumnType) -> None:
    encoder = default_encoder(Column(name="x", type=kind))
    assert isinstance(encoder, Encoder) and kind in encoder.accepts


def test_text_weighs_as_much_as_the_whole_table() -> None:
    matrix, fitted = encode_table(PAIRS, blocks(N), blocks(N))
    widths = [column.encode(blocks(N)[0]).shape[1] for column in fitted]
    parts = np.split(matrix, np.cumsum(widths)[:-1], axis=1)
    lengths = [float((part.astype(float) ** 2).sum(axis=1).mean()) for part in parts]
    np.testing.assert_allclose(lengths, [1 / 3, 1 / 3, 1 / 3, 1, 1], rtol=1e-5)


def test_layouts_give_the_same_matrix() -> None:
    whole, _ = encode_table(PAIRS, blocks(N), blocks(N))
    assert whole.dtype == np.float32 and len(whole) == N
    order = RNG.permutation(N)
    for train, rows in ((blocks(7), blocks(7)), (blocks(7, order), blocks(N))):
        again, _ = encode_table(PAIRS, train, rows)
        np.testing.assert_array_equal(again, whole)
    shuffled, _ = encode_table(PAIRS, blocks(N), blocks(7, order))
    np.testing.assert_array_equal(shuffled, whole[order])


def test_a_column_does_not_depend_on_the_others() -> None:
    fitted = fit_columns(PAIRS, blocks(N))
    np.testing.assert_array_equal(
        encode_blocks(fitted, blocks(7), N), np.hstack([encode_blocks([one], blocks(N), N) for one in fitted])
    )


def test_constants_and_nothing() -> None:
    column = Column(name="x", type=ColumnType.NUMBER)
    batch = Batch(ids=pa.array(["a", "b"]), columns={"x": pa.array([1.0, 1.0])})
    matrix, (fitted,) = encode_table([(column, default_encoder(column))], [batch], [batch])
    assert np.isfinite(matrix).all() and fitted.scale == 1.0
    assert encode_blocks((), [batch], 2).shape == (2, 0)
    assert encode_blocks((fitted,), [], 0).shape[0] == 0


def test_blocks_of_seven_rows_and_of_65536_give_equal_bytes() -> None:
    table = pa.table({ROW_ID: [f"r{i}" for i in range(N)], **CELLS})
    fitted = fit_columns(PAIRS, list(batches(table, list(CELLS), N)))
    cut = {size: encode_blocks(fitted, batches(table, list(CELLS), size), N) for size in (7, BLOCK_ROWS)}
    joined = np.concatenate([np.hstack([column.encode(block) for column in fitted]) for block in blocks(7)])
    assert cut[7].tobytes() == cut[BLOCK_ROWS].tobytes() == joined.tobytes()
    assert cut[7].flags.c_contiguous and cut[7].dtype == np.float32
