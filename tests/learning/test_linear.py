from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tilth.core.errors import LabelError
from tilth.core.target import Target
from tilth.learning.linear import Linear
from tilth.operators.registry import spec_of
from tilth.operators.view import View
from tilth.testing.views import view_of

CLASSES = ("a", "b", "c")
N, D, K = 120, 6, 3


def world(seed: int = 0, n: int = N) -> tuple[View, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((n, D)).astype(np.float32)
    labels = (features @ rng.standard_normal((D, K)) + rng.gumbel(size=(n, K))).argmax(axis=1)
    return view_of(Linear(), classes=CLASSES, embeddings=features), labels


def hard(labels: np.ndarray, mask: np.ndarray | None = None, weights: np.ndarray | None = None) -> Target:
    return Target.classes(labels, np.ones(len(labels), dtype=bool) if mask is None else mask, K, weights)


@pytest.mark.parametrize("penalty", [3.0, 0.1])
def test_parity_with_sklearn(penalty: float) -> None:
    view, labels = world()
    weights = np.random.default_rng(1).uniform(0.2, 2.0, N)
    learner = Linear(penalty=penalty)
    ours = learner.predict_proba(view, learner.fit(view, hard(labels, weights=weights)))
    theirs = LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=5_000)
    theirs.fit(view.embeddings.astype(float), labels, sample_weight=weights)
    np.testing.assert_allclose(ours, theirs.predict_proba(view.embeddings.astype(float)), atol=1e-5)


def test_by_hand_without_features() -> None:
    """Features that do not vary leave the shares of the classes."""
    view = view_of(Linear(), classes=CLASSES, embeddings=np.zeros((4, 2), dtype=np.float32))
    found = Linear().predict_proba(view, Linear().fit(view, hard(np.array([0, 0, 1, 2]))))
    np.testing.assert_allclose(found, [[0.5, 0.25, 0.25]] * 4, atol=1e-6)


def test_a_soft_target_is_several_weighted_rows() -> None:
    view, _ = world()
    soft = np.random.default_rng(2).dirichlet(np.ones(K), N)
    ours = Linear().predict_proba(view, Linear().fit(view, Target.soft(soft, np.ones(N, dtype=bool))))
    rows, classes = np.repeat(np.arange(N), K), np.tile(np.arange(K), N)
    theirs = LogisticRegression(C=1 / Linear().penalty, tol=1e-10, max_iter=5_000)
    theirs.fit(view.embeddings[rows].astype(float), classes, sample_weight=soft.ravel())
    np.testing.assert_allclose(ours, theirs.predict_proba(view.embeddings.astype(float)), atol=1e-5)


def test_a_rough_fit_is_near_and_starts_others_without_a_curvature() -> None:
    view, labels = world()
    exact, rough = Linear(penalty=0.05), Linear(penalty=0.05).roughly()
    prepared = exact.prepare(view)
    model = rough.fit(view, hard(labels), prepared=prepared)
    near = exact.predict_proba(view, exact.fit(view, hard(labels), prepared=prepared))
    np.testing.assert_allclose(rough.predict_proba(view, model), near, atol=1e-3)
    assert model.curvature(prepared, 0.05 / N) is None
    started = exact.fit(view, hard(labels), prepared=prepared, start=model)
    np.testing.assert_allclose(exact.predict_proba(view, started), near, atol=1e-6)
    assert pickle.loads(pickle.dumps(model)).is_rough
    assert spec_of(rough) == spec_of(exact)


def test_a_start_changes_nothing() -> None:
    view, labels = world()
    learner, prepared = Linear(penalty=0.05), Linear(penalty=0.05).prepare(view)
    start = learner.fit(view, hard(labels), prepared=prepared)
    changed = np.where(np.arange(N) % 7 == 0, 1, labels)
    cold = learner.predict_proba(view, learner.fit(view, hard(changed), prepared=prepared))
    for ready in (prepared, None):
        warm = learner.predict_proba(view, learner.fit(view, hard(changed), prepared=ready, start=start))
        np.testing.assert_allclose(warm, cold, atol=1e-6)


def test_penalties_near_one_another_share_a_curvature_and_far_ones_do_not() -> None:
    view, labels = world()
    learner, prepared = Linear(), Linear().prepare(view)
    start, other = learner.fit(view, hard(labels), prepared=prepared), learner.prepare(view)
    first = start.curvature(prepared, 1e-3)
    assert first is not None
    assert start.curvature(prepared, 1.2e-3) is first
    assert start.curvature(prepared, 1e-3 / 1.2) is first
    assert start.curvature(prepared, 2e-3) is not first
    assert start.curvature(other, 1e-3) is not first
    cold = learner.predict_proba(view, learner.fit(view, hard(labels, labels != 2), prepared=prepared))
    warm = learner.predict_proba(view, learner.fit(view, hard(labels, labels != 2), prepared=prepared, start=start))
    np.testing.assert_allclose(warm, cold, atol=1e-6)


def test_a_start_may_come_from_other_rows_and_other_classes() -> None:
    view, labels = world()
    few = learner_start = Linear().fit(view, hard(labels, labels != 2), prepared=Linear().prepare(view))
    assert learner_start is few
    other, more = world(seed=5, n=40)
    prepared = Linear().prepare(other)
    cold = Linear().predict_proba(other, Linear().fit(other, hard(more)))
    warm = Linear().predict_proba(other, Linear().fit(other, hard(more), prepared=prepared, start=few))
    np.testing.assert_allclose(warm, cold, atol=1e-6)


def test_prepared_axes_change_nothing_and_serve_parts_of_the_rows() -> None:
    view, labels = world()
    prepared = Linear().prepare(view)
    part = view_of(Linear(), classes=CLASSES, embeddings=view.embeddings[:70])
    one = Linear().fit(part, hard(labels[:70]), prepared=prepared)
    other = Linear().fit(view, hard(labels, np.arange(N) < 70), prepared=prepared)
    plain = Linear().fit(part, hard(labels[:70]))
    for model in (other, plain):
        np.testing.assert_allclose(Linear().predict_proba(view, one), Linear().predict_proba(view, model), atol=1e-6)


def test_a_class_without_rows_gets_nothing() -> None:
    view, labels = world()
    found = Linear().predict_proba(view, Linear().fit(view, hard(labels, labels != 1)))
    assert found.shape == (N, K) and found[:, 1].max() <= 1e-12
    np.testing.assert_allclose(found.sum(axis=1), 1.0)


def test_rows_without_a_target_or_weight_are_not_learnt_from() -> None:
    view, labels = world()
    mask = np.arange(N) % 3 > 0
    wrong = np.where(mask, labels, 0)
    models = [Linear().fit(view, hard(labels, mask)), Linear().fit(view, hard(wrong, weights=mask.astype(float)))]
    np.testing.assert_allclose(*(Linear().predict_proba(view, model) for model in models), atol=1e-6)


def test_models_pickle_without_what_can_be_computed_again() -> None:
    view, labels = world()
    prepared = Linear().prepare(view)
    model = Linear().fit(view, hard(labels), prepared=prepared)
    Linear().fit(view, hard(labels), prepared=prepared, start=model)
    raw = pickle.dumps(model)
    assert len(raw) < 2_000
    np.testing.assert_array_equal(Linear().predict_proba(view, pickle.loads(raw)), Linear().predict_proba(view, model))


def test_nothing_to_learn_from_is_refused() -> None:
    view, labels = world()
    with pytest.raises(LabelError, match="no row"):
        Linear().fit(view, hard(labels, np.zeros(N, dtype=bool)))
    with pytest.raises(LabelError, match="no row"):
        Linear().fit(view, hard(labels, weights=np.zeros(N)))


def test_the_grid_begins_with_the_simplest() -> None:
    penalties = [learner.penalty for learner in Linear().grid()]
    assert penalties == sorted(penalties, reverse=True)
