"""Model votes: by hand, thresholds per class, ties, missing numbers, and a file's entries by id."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import ConfigError
from tilth.labeling.model_votes import ModelVotes, sure_classes
from tilth.operators.batch import Batch


def said(labeler, **columns):
    n = len(next(iter(columns.values())))
    ids = pa.array([f"r{i}" for i in range(n)])
    return labeler.vote(Batch(ids=ids, columns={name: pa.array(c) for name, c in columns.items()})).names.to_pylist()


def test_by_hand():
    labeler = ModelVotes(probabilities={"spam": "p", "ham": "q"}, least_of={"ham": 0.5})
    assert said(labeler, p=[0.9, 0.7, 0.4, 0.5, None], q=[0.1, 0.3, 0.6, 0.5, None]) == [
        "spam",
        None,
        "ham",
        None,
        None,
    ]


def test_one_column_says_one_class():
    assert said(ModelVotes(probabilities={"spam": "p"}, least=0.8), p=[0.8, 0.79, 1]) == ["spam", None, "spam"]


@pytest.mark.parametrize("seed", range(3))
def test_as_a_loop_would(seed):
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.ones(4), 200).round(1)
    least = rng.uniform(0.2, 0.8, 4)
    found, is_sure = sure_classes(probs, least)
    for row, best, sure in zip(probs, found, is_sure, strict=True):
        top = [c for c in range(4) if row[c] == row.max()]
        assert sure == (len(top) == 1 and row[top[0]] >= least[top[0]])
        assert not sure or best == top[0]


def test_a_file_joins_by_id():
    labeler = ModelVotes(file="s.csv", entries={"r1": "spam", "r9": "ham"})
    assert labeler.columns == ("_tilth_id",)
    assert labeler.vote(Batch(ids=pa.array(["r0", "r1", "r9"]))).names.to_pylist() == [None, "spam", "ham"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "from columns or from a file"),
        ({"file": "a", "probabilities": {"a": "p"}}, "from columns or from a file"),
        ({"file": "a", "least": 0.0}, "0 is no probability"),
        ({"file": "a", "least_of": {"spam": 1.2}}, "1.2 is no probability"),
    ],
)
def test_what_is_refused(options, words):
    with pytest.raises(ConfigError, match=words):
        ModelVotes(**options)


def test_words_are_no_probabilities():
    with pytest.raises(ConfigError, match="not probabilities"):
        said(ModelVotes(probabilities={"spam": "p"}), p=["high", "low"])
