"""The network on features: it learns what no linear model can, the same in any order."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import ConfigError, LabelError
from tilth.core.target import Target
from tilth.learning.table_net import TableNet
from tilth.operators.view import View
from tilth.testing.views import view_of

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

SMALL = TableNet(width=32, rows=32)


def corners(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two numbers whose signs agree or not: no line tells the classes apart."""
    features = np.random.default_rng(seed).standard_normal((n, 2)).astype(np.float32)
    return features, (features[:, 0] * features[:, 1] > 0).astype(np.intp)


def view(features: np.ndarray, ids: list[str] | None = None) -> View:
    return view_of(SMALL, ids=ids or [f"r{i}" for i in range(len(features))], embeddings=features)


def test_it_learns_what_no_line_tells_apart() -> None:
    features, labels = corners(800)
    unseen, truth = corners(400, seed=1)
    model = SMALL.fit(view(features), Target.classes(labels, np.ones(800, bool), 2))
    assert (SMALL.predict_proba(view(unseen), model).argmax(axis=1) == truth).mean() > 0.88


def test_the_order_of_rows_changes_nothing() -> None:
    features, labels = corners(200)
    order = np.random.default_rng(0).permutation(200)
    target = Target.classes(labels, np.ones(200, bool), 2)
    mine = SMALL.fit(view(features), target)
    other = SMALL.fit(view(features[order], [f"r{i}" for i in order]), target.take(order))
    assert all(np.array_equal(mine[name], other[name]) for name in mine)


def test_weights_count() -> None:
    features = np.zeros((400, 2), dtype=np.float32)
    labels, weights = np.arange(400) % 2, np.where(np.arange(400) % 2, 9.0, 1.0)
    model = SMALL.fit(view(features), Target.classes(labels, np.ones(400, bool), 2, weights))
    assert SMALL.predict_proba(view(features[:1]), model)[0, 1] == pytest.approx(0.9, abs=0.06)


def test_it_refuses_rows_without_targets_and_sizes_that_make_no_network() -> None:
    features, labels = corners(10)
    with pytest.raises(LabelError, match="no row"):
        SMALL.fit(view(features), Target.classes(labels, np.zeros(10, bool), 2))
    with pytest.raises(ConfigError, match="width"):
        TableNet(width=1)


def test_members_are_trainings_of_their_own_and_their_probabilities_are_averaged() -> None:
    features, labels = corners(300)
    target = Target.classes(labels, np.ones(300, bool), 2)
    three = TableNet(width=32, rows=32, members=3)
    model = three.fit(view(features), target)
    alone = SMALL.fit(view(features), target)
    assert np.array_equal(model["head.weight"], alone["head.weight"])
    assert not np.array_equal(model["1:head.weight"], model["2:head.weight"])
    parts = [
        {name.removeprefix(f"{m}:"): value for name, value in model.items() if name.startswith(f"{m}:")} for m in (1, 2)
    ]
    by_hand = np.mean([SMALL.predict_proba(view(features), one) for one in (alone, *parts)], axis=0)
    assert np.allclose(three.predict_proba(view(features), model), by_hand)
    assert three.work(100) == 3 * SMALL.work(100)
