"""Embedding interpolation: on the way to a near row of the own class, never beyond the middle."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from transform_rows import texts

from tilth.core.errors import ConfigError, NotApplicable
from tilth.editing.embedding_interpolate import EmbeddingInterpolate
from tilth.operators.transforming import draw_of


def vectors(rows):
    return texts(v=pa.array(np.asarray(rows, dtype=float).tolist(), pa.list_(pa.float32(), len(rows[0]))))


LINE = [[0.0, 0.0], [1.0, 0.0], [10.0, 0.0], [0.0, 1.0], [0.0, 9.0]]
LABELS = pa.array(["a", "b", "a", "b", None])


def test_towards_the_own_class_only():
    made = EmbeddingInterpolate(severity=5, neighbours=1).learn(vectors(LINE), LABELS)
    after = np.array(made.apply(vectors(LINE), draw_of(made, 0)).columns["v"].to_pylist())
    assert 0 < after[0, 0] <= 5
    assert after[0, 1] == 0, "row 0 goes towards row 2, not to nearer rows of the other class"
    step = after[1] - LINE[1]
    assert step[1] == pytest.approx(-step[0])
    assert 0 < step[1] <= 0.5


def test_without_labels_towards_the_nearest():
    made = EmbeddingInterpolate(severity=5, neighbours=1).learn(vectors(LINE))
    after = np.array(made.apply(vectors(LINE), draw_of(made, 0)).columns["v"].to_pylist())
    assert 0 < after[2, 0] < 10
    assert after[2, 0] >= 5.5


def test_it_stays_among_the_rows_of_its_class():
    rng = np.random.default_rng(0)
    labels = np.repeat(["a", "b"], 100)
    rows = rng.normal(size=(200, 4)) + np.where(labels == "a", 8, -8)[:, None]
    made = EmbeddingInterpolate(severity=5).learn(vectors(rows), pa.array(labels))
    after = np.array(made.apply(vectors(rows), draw_of(made, 0)).columns["v"].to_pylist())
    assert (np.sign(after.mean(1)) == np.where(labels == "a", 1, -1)).all()
    assert after.std() < rows.std() * 1.01


def test_bad_input():
    with pytest.raises(ConfigError, match="neighbours cannot be 0"):
        EmbeddingInterpolate(neighbours=0)
    with pytest.raises(NotApplicable, match="let it learn them"):
        EmbeddingInterpolate().apply(vectors(LINE), draw_of(EmbeddingInterpolate(), 0))
