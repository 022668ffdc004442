"""Embedding noise: of the length that its severity says, lengths kept where all are alike."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from transform_rows import texts

from tilth.core.errors import ConfigError, NotApplicable
from tilth.editing.embedding_noise import EmbeddingNoise, directions
from tilth.operators.transforming import draw_of


def vectors(matrix, kind=None, missing=()):
    cells = [None if row in missing else one.tolist() for row, one in enumerate(np.asarray(matrix))]
    return texts(v=pa.array(cells, pa.list_(kind or pa.float32(), np.shape(matrix)[1])))


def matrix_of(after):
    return np.array(after.columns["v"].drop_null().to_pylist())


def test_the_step_by_hand():
    batch = vectors([[0.0, 0.0], [0.0, 2.0], [4.0, 0.0]], missing=())
    made = EmbeddingNoise(severity=3).learn(batch)
    assert made.reaches == {"v": pytest.approx(2.0)}
    assert made.lengths == {}
    after = made.apply(batch, draw_of(made, 0))
    steps = matrix_of(after) - [[0.0, 0.0], [0.0, 2.0], [4.0, 0.0]]
    assert np.sqrt((steps**2).sum(1)) == pytest.approx([1.0, 1.0, 1.0], abs=1e-6)
    assert after.applied.all()


def test_lengths_that_are_all_alike_stay():
    rows = directions(np.random.default_rng(0).random((40, 6))) * 3
    made = EmbeddingNoise(severity=5).learn(vectors(rows))
    assert made.lengths["v"] == pytest.approx(3, abs=1e-5)
    after = matrix_of(made.apply(vectors(rows), draw_of(made, 0)))
    assert np.sqrt((after**2).sum(1)) == pytest.approx(np.full(40, 3.0), abs=1e-5)


def test_whole_numbers_and_missing_vectors():
    batch = vectors(np.arange(30).reshape(10, 3) ** 2, pa.int32(), missing=(4,))
    made = EmbeddingNoise(severity=5).learn(batch)
    after = made.apply(batch, draw_of(made, 0))
    assert after.columns["v"].type == batch.columns["v"].type
    assert after.columns["v"][4].as_py() is None


def test_it_must_know_a_distance():
    with pytest.raises(NotApplicable, match="let it learn them"):
        EmbeddingNoise().apply(vectors([[1.0, 2.0]]), draw_of(EmbeddingNoise(), 0))
    copies = EmbeddingNoise().learn(vectors([[1.0, 2.0]] * 5))
    assert copies.reaches == {}
    with pytest.raises(ConfigError, match="severity cannot be 0"):
        EmbeddingNoise(severity=0)


def test_directions_are_even():
    found = directions(np.random.default_rng(1).random((4000, 3)))
    assert np.sqrt((found**2).sum(1)) == pytest.approx(np.ones(4000))
    assert np.abs(found.mean(0)).max() < 0.05
