"""The network of words: it learns which words, and their order; from varied texts too."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import ConfigError, NotApplicable
from tilth.core.policy import Change, Policy
from tilth.core.schema import Column, ColumnType, Schema, Task, TaskType
from tilth.core.target import Target
from tilth.learning.text_net import TextNet, word_numbers
from tilth.operators.augmenting import Augmentation, BoundPolicy
from tilth.operators.registry import make
from tilth.operators.view import View
from tilth.testing.views import view_of

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

SMALL = TextNet(words=12, buckets=512, width=16, epochs=10, steps=0, rows=16)
SCHEMA = Schema(
    columns=(Column(name="text", type=ColumnType.TEXT),),
    tasks=(Task(type=TaskType.BINARY, label="label", classes=("no", "yes"), metric="accuracy"),),
)
FILLERS = ["the", "a", "one", "this", "that", "some", "more", "other", "very", "much"]


def reviews(n: int, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Texts in which `not good` and `good not` are told apart by the order of words alone."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    texts = []
    for label in labels:
        words = rng.choice(FILLERS, size=7).tolist()
        at = int(rng.integers(0, 7))
        words[at:at] = ["good", "not"] if label else ["not", "good"]
        texts.append(" ".join(words))
    return texts, labels


def view(texts: list[str | None], **evidence: object) -> View:
    table = pa.table({"text": pa.array(texts, pa.string())})
    return view_of(SMALL, ids=[f"r{i}" for i in range(len(texts))], schema=SCHEMA, table=table, **evidence)


def test_it_learns_the_order_of_words() -> None:
    texts, labels = reviews(300)
    unseen, truth = reviews(150, seed=1)
    model = SMALL.fit(view(texts), Target.classes(labels, np.ones(300, bool), 2))
    assert (SMALL.predict_proba(view(unseen), model).argmax(axis=1) == truth).mean() > 0.9


def test_varied_texts_are_learnt_from() -> None:
    texts, labels = reviews(300)
    policy = Policy.trivial([Change("typo", (1, 1))])
    made = {("typo", 1): make("editing", "typo", severity=1)}
    bound = BoundPolicy(policy=policy, transforms=made, columns=dict.fromkeys(made, ("text",)))
    ids = pa.array([f"r{i}" for i in range(300)])
    augment = Augmentation(policies=[bound], which=np.zeros(300, dtype=np.intp), ids=ids, seed=0)
    target = Target.classes(labels, np.ones(300, bool), 2)
    plain, varied = SMALL.fit(view(texts), target), SMALL.fit(view(texts, augment=augment), target)
    assert not np.array_equal(plain["embedding.weight"], varied["embedding.weight"])
    unseen, truth = reviews(150, seed=1)
    assert (SMALL.predict_proba(view(unseen), varied).argmax(axis=1) == truth).mean() > 0.85


def test_missing_and_empty_texts_are_alike() -> None:
    texts, labels = reviews(60)
    model = SMALL.fit(view(texts), Target.classes(labels, np.ones(60, bool), 2))
    probs = SMALL.predict_proba(view([None, "", "good"]), model)
    assert np.array_equal(probs[0], probs[1])
    assert np.isfinite(probs).all()


def test_words_are_cut_lowered_and_hashed() -> None:
    numbers = word_numbers(["Good, good", "", "a b c d e"], 100, 4)
    assert numbers.shape == (3, 4)
    assert numbers[0, 0] == numbers[0, 2] > 0
    assert numbers[0, 3] == 0
    assert (numbers[1] == 0).all()
    assert (numbers[2] > 0).all()
    assert numbers.max() < 100


def test_it_refuses_what_it_cannot_read() -> None:
    with pytest.raises(NotApplicable, match="reads text"):
        SMALL.prepare(view_of(SMALL, table=pa.table({"x": [1.0]})))
    with pytest.raises(ConfigError, match="buckets"):
        TextNet(buckets=1)
