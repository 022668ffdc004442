"""Columns of vectors: read as a matrix, written back in their type; gaps stay."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import NotApplicable
from tilth.operators.batch import Batch
from tilth.operators.vector_cells import change_vectors, of_length, one_length, refuse_unnamed, vectors_in


def cells(kind=None):
    return pa.array([[1, 2], None, [3, 4], [5, None]], pa.list_(kind or pa.float32(), 2))


def test_what_is_there():
    matrix, present = vectors_in(cells())
    assert present.tolist() == [True, False, True, False]
    assert matrix.tolist() == [[1, 2], [0, 0], [3, 4], [0, 0]]


@pytest.mark.parametrize("kind", [pa.float32(), pa.float64(), pa.int16()])
def test_changed_ones_keep_their_type_and_gaps_stay(kind):
    batch = Batch(ids=pa.array(list("abcd")), columns={"v": cells(kind), "w": pa.nulls(4, pa.list_(kind, 2))})
    after = change_vectors(batch, ["v", "w"], lambda _name, rows, digests: rows + len(digests) + 0.2)
    wanted = [[3, 4], None, [5, 6], [5, None]] if kind == pa.int16() else None
    assert after.columns["v"].type == cells(kind).type
    assert after.applied.tolist() == [True, False, True, False]
    assert wanted is None or after.columns["v"].to_pylist() == wanted
    assert after.columns["w"].null_count == 4


def test_what_is_not_finite_is_not_written():
    batch = Batch(ids=pa.array(list("abcd")), columns={"v": cells()})
    assert not change_vectors(batch, ["v"], lambda _name, rows, _digests: rows * np.inf).applied.any()


def test_lengths():
    assert one_length(np.array([[3.0, 4.0], [0.0, 5.0]])) == 5
    assert one_length(np.array([[3.0, 4.0], [0.0, 6.0]])) is None
    assert one_length(np.zeros((2, 2))) is None
    assert of_length(np.array([[3.0, 4.0]]), 10.0).tolist() == [[6, 8]]
    with pytest.raises(NotApplicable, match="which columns"):
        refuse_unnamed(())
