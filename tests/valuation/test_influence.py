"""influence: parity with refits without a row, with a dense Hessian, noise among the references, folds, refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tilth.core.errors import InputError, NotApplicable, UsageError
from tilth.numerics import softmax_regression
from tilth.testing.views import view_of
from tilth.valuation._shared import conjugate_gradient
from tilth.valuation.influence import Influence, softmax_influence

PENALTY = 0.3


def planted(n: int, seed: int, *, share: float = 0.1, apart: float = 2.0):
    """Rows of three classes, some labels turned, and right references."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(3, size=2 * n)
    features = rng.standard_normal((2 * n, 5)) + apart * np.eye(3, 5)[truth]
    wrong = rng.permutation(n) < share * n
    labels = np.where(wrong, (truth[:n] + 1) % 3, truth[:n])
    return features[:n], labels, features[n:], truth[n:], wrong


def loss_without(row, features, labels, references, wanted, loss) -> float:
    """Mean loss on the references of a model that is fitted anew; the whole penalty stays."""
    weights = np.ones(len(labels))
    if row is not None:
        weights[row] = 0.0
    design = replace(softmax_regression.prepare(features, 1.0), l2=PENALTY / weights.sum())
    fitted = softmax_regression.fit(design.project(features), np.eye(3)[labels], weights, design, tolerance=1e-10)
    own = softmax_regression.predict_proba(design.project(references), fitted)[np.arange(len(wanted)), wanted]
    return float((1 - own if loss == "error" else -np.log(own)).mean())


@pytest.mark.parametrize("loss", ["error", "training"])
@pytest.mark.parametrize("clean", [True, False], ids=["right references", "wrong references"])
def test_follows_refits_without_a_row(loss, clean):
    features, labels, references, wanted, _ = planted(90, seed=1)
    if not clean:
        wanted = np.where(np.arange(90) % 10 == 0, (wanted + 1) % 3, wanted)
    sides = (features, labels, references, wanted)
    whole = loss_without(None, *sides, loss)
    refitted = np.array([loss_without(row, *sides, loss) - whole for row in range(90)])
    values = softmax_influence(*sides, loss=loss, penalty=PENALTY)
    assert np.corrcoef(values, refitted)[0, 1] > 0.95
    assert np.polyfit(values, refitted, 1)[0] == pytest.approx(1.0, abs=0.25), "the unit is that of the loss"


@pytest.mark.parametrize("affordable", [True, False])
def test_equals_the_formula_with_a_dense_hessian(monkeypatch, affordable):
    """g' H⁻¹ g_i with H written out over all coefficients and intercepts, in the features as they come."""
    features, labels, references, wanted, _ = planted(40, seed=2)
    design = softmax_regression.prepare(features, PENALTY / 40)
    fitted = softmax_regression.fit(design.project(features), np.eye(3)[labels], np.ones(40), design, tolerance=1e-12)

    def slopes(rows, codes, as_error):
        probs = softmax_regression.predict_proba(design.project(rows), fitted)
        slope = probs - np.eye(3)[codes]
        slope = slope * probs[np.arange(len(codes)), codes][:, None] if as_error else slope
        return np.einsum("ni,nc->nic", np.column_stack([rows, np.ones(len(rows))]), slope).reshape(len(rows), -1), probs

    own, probs = slopes(features, labels, False)
    mean, _ = slopes(references, wanted, True)
    wide = np.column_stack([features, np.ones(40)])
    curves = np.einsum("nc,ck->nck", probs, np.eye(3)) - np.einsum("nc,nk->nck", probs, probs)
    hessian = np.einsum("ni,nj,nck->icjk", wide, wide, curves).reshape(18, 18)
    hessian += np.diag(np.repeat([PENALTY] * 5 + [0.0], 3))
    expected = own @ np.linalg.pinv(hessian, rcond=1e-12) @ mean.mean(axis=0)
    if not affordable:
        monkeypatch.setattr(softmax_regression, "curvature", lambda *_: None)
    values = softmax_influence(features, labels, references, wanted, penalty=PENALTY)
    assert values == pytest.approx(expected, rel=1e-4, abs=1e-7)


def test_conjugate_gradient_solves_by_hand():
    solved = conjugate_gradient(
        lambda x: np.array([[2.0], [4.0]]) * x, np.array([[2.0], [2.0]]), lambda gradient: gradient
    )
    assert solved.ravel() == pytest.approx([1.0, 0.5])
    assert conjugate_gradient(lambda x: x, np.zeros((2, 1)), lambda gradient: gradient).tolist() == [[0.0], [0.0]]


def auc(values: np.ndarray, wrong: np.ndarray) -> float:
    below = values[wrong][:, None] < values[~wrong][None, :]
    return float(below.mean())


def test_planted_flips_are_worth_least_though_references_are_flipped_too():
    features, labels, _, _, wrong = planted(300, seed=4, apart=4.0)
    classes = ("a", "b", "c")
    found = {}
    for loss in ("error", "training"):
        valuer = Influence(loss=loss)
        values = valuer.value(view_of(valuer, classes=classes, labels=labels, embeddings=features.astype(np.float32)))
        assert values.ids.to_pylist() == [f"r{i}" for i in range(300)]
        found[loss] = auc(values.values, wrong)
    assert found["error"] > 0.95
    assert found["training"] < found["error"] - 0.1, "which is why it is not the default"


def test_references_of_classes_that_no_row_has_are_left_out():
    features, labels, references, wanted, _ = planted(40, seed=6)
    two = labels < 2
    with_third = softmax_influence(features[two], labels[two], references, wanted)
    without = softmax_influence(features[two], labels[two], references[wanted < 2], wanted[wanted < 2])
    assert with_third.tolist() == without.tolist()


def test_what_cannot_be_valued_is_refused():
    features, labels, references, wanted, _ = planted(20, seed=7)
    with pytest.raises(NotApplicable, match="one class"):
        softmax_influence(features, np.zeros(20, dtype=np.intp), references, wanted)
    with pytest.raises(UsageError, match="no loss 'hinge'"):
        softmax_influence(features, labels, references, wanted, loss="hinge")
    with pytest.raises(InputError, match="l2"):
        softmax_influence(features, labels, references, wanted, penalty=-1.0)
    with pytest.raises(InputError, match="do not fit"):
        softmax_influence(features, labels[:3], references, wanted)
    valuer = Influence()
    with pytest.raises(NotApplicable, match="no fold"):
        valuer.value(view_of(valuer, labels=[0, 1], embeddings=features[:2].astype(np.float32)))
    with pytest.raises(NotApplicable, match="number"):
        valuer.value(view_of(valuer, classes=(), labels=[0, 1], embeddings=features[:2].astype(np.float32)))
