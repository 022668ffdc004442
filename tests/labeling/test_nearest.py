"""Nearest: by hand, on planted clusters, and what it does with far, level and missing cells."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import ConfigError
from tilth.labeling.nearest import Nearest, near_classes
from tilth.operators.batch import Batch


def batch(vectors):
    return Batch(
        ids=pa.array([f"r{i}" for i in range(len(vectors))]), columns={"v": pa.array(list(map(list, vectors)))}
    )


def embed(block):
    return np.array(block.column("v").to_pylist(), dtype=np.float32).reshape(len(block), -1)


def fitted(exemplars, names, reach, **options):
    made = Nearest(column="v", rows={"x": "a"}, **options)
    return made.fitted(embed, np.array(exemplars, dtype=np.float32), names, reach)


def test_by_hand():
    distances = np.array([[0.1, 0.2, 0.3], [0.4, 0.4, 0.45], [0.5, 0.9, 0.9], [0.6, 0.7, 0.8]])
    said = np.array([[0, 1, 1], [1, 0, 2], [2, 0, 1], [0, 0, 0]])
    found, is_clear = near_classes(distances, said, 0.5, least=0.5, n_classes=3)
    assert found[:3].tolist() == [1, 0, 2]  # weights .8 against .6 + .4; .2 against .2 against .1; at the reach only
    assert is_clear.tolist() == [True, False, True, False]


def test_at_reach_zero_only_equals_speak():
    _, is_clear = near_classes(np.array([[0.0], [1e-3]]), np.zeros((2, 1), int), 0.0, least=0.6, n_classes=1)
    assert is_clear.tolist() == [True, False]


def test_planted_clusters():
    rng = np.random.default_rng(0)
    centres = np.eye(8)[:4] * 4
    of = rng.integers(0, 4, 400)
    rows = centres[of] + rng.normal(0, 0.5, (400, 8))
    said = fitted(centres[:3], ("a", "b", "a"), 0.3).vote(batch(rows)).names.to_pylist()
    wanted = np.array(["a", "b", "a", None], dtype=object)[of]
    heard = np.array([name is not None for name in said])
    assert (np.array(said, dtype=object)[heard] == wanted[heard]).all()
    assert heard[of < 3].mean() > 0.95
    assert not heard[of == 3].any()


def test_a_cell_without_embedding_is_near_nothing():
    votes = fitted([[1, 0]], ("a",), 1.5).vote(batch([[0, 0], [1, 0]]))
    assert votes.names.to_pylist() == [None, "a"]
    assert fitted([[1, 0]], ("a",), 1.5).vote(Batch(ids=pa.array([], pa.string()))).names.to_pylist() == []


def test_k_exemplars_speak():
    exemplars, names = [[1, 0], [1, 0.1], [1, 0.12]], ("a", "b", "b")
    assert fitted(exemplars, names, 0.9, k=1).vote(batch([[1, 0]])).names.to_pylist() == ["a"]
    assert fitted(exemplars, names, 0.9, k=3).vote(batch([[1, 0]])).names.to_pylist() == ["b"]
    assert fitted(exemplars, names, 0.9, k=3, least=0.9).vote(batch([[1, 0]])).names.to_pylist() == [None]


def test_without_a_project_it_knows_what_equals_an_example():
    said = Nearest.example().vote(
        Batch(ids=pa.array(["a", "b", "c"]), columns={"text": pa.array(["what a song ", "what", None])})
    )
    assert said.names.to_pylist() == ["ham", None, None]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "needs exemplars"),
        ({"rows": {"a": "x"}, "k": 0}, "k cannot be 0"),
        ({"rows": {"a": "x"}, "least": 0.0}, "least cannot be 0"),
        ({"rows": {"a": "x"}, "share": 1.0}, "share cannot be 1"),
    ],
)
def test_what_is_refused(options, words):
    with pytest.raises(ConfigError, match=words):
        Nearest(column="v", **options)
