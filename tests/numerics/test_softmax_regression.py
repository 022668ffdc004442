"""Softmax regression: against scikit-learn, warm = cold, laws of weights and soft targets, forward correction."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import check_grad
from sklearn.linear_model import LogisticRegression

from tilth.core.errors import InputError
from tilth.numerics import _lbfgs, _softmax_curvature
from tilth.numerics import softmax_regression as sr
from tilth.numerics._softmax_loss import ForwardSoftmaxLoss, SoftmaxLoss, softmax_columns

L2 = 0.01


def world(n=240, d=6, k=3, *, seed=0, spread=1.0):
    """Gaussian classes with correlated, unequally scaled, off-centre features."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, k, n)
    centres = spread * rng.normal(size=(k, d))
    mixing = rng.normal(size=(d, d)) * np.geomspace(0.1, 3, d)
    return (centres[labels] + rng.normal(size=(n, d))) @ mixing + 5.0, labels


def one_hot(labels, k):
    return np.eye(k)[labels]


def fitted(features, targets, weights=None, *, l2=L2, **options):
    design = sr.prepare(features, l2)
    projected = design.project(features)
    weights = np.ones(len(features)) if weights is None else weights
    return projected, design, sr.fit(projected, targets, weights, design, **options)


def probs(features, targets, weights=None, **options):
    projected, _, fit = fitted(features, targets, weights, **options)
    assert fit.converged
    return sr.predict_proba(projected, fit)


def reference(features, labels, weights, l2):
    """scikit-learn, run to the end."""
    # For two classes scikit-learn penalizes w_1 - w_0 = 2 w_1 once instead of w_0 and w_1.
    doubled = 2 if len(np.unique(labels)) == 2 else 1
    model = LogisticRegression(C=doubled / (l2 * weights.sum()), tol=1e-10, max_iter=20_000, solver="newton-cg")
    return model.fit(features, labels, sample_weight=weights)


# By hand


def test_without_information_the_intercept_is_the_log_odds():
    features = np.array([[1.0], [1.0], [-1.0], [-1.0]])
    targets = np.array([[0.8, 0.2]] * 4)
    _, design, fit = fitted(features, targets)
    coefficients, intercept = sr.feature_coefficients(design, fit)
    assert coefficients == pytest.approx(np.zeros((1, 2)), abs=1e-8)
    assert intercept[0] - intercept[1] == pytest.approx(np.log(4), abs=1e-6)


def test_two_rows_solve_the_equation_on_paper():
    # x = ±1, labels 0 and 1, v = w_0 - w_1 = 2 w_0 and no intercept by symmetry:
    # d/dv [log(1 + exp(-v)) + l2/2 · v²/2] = 0  <=>  sigmoid(-v) = l2 v / 2; l2 = 2 sigmoid(-1) makes v = 1.
    l2 = 2 / (1 + np.e)
    _, design, fit = fitted(np.array([[1.0], [-1.0]]), np.eye(2), l2=l2)
    coefficients, intercept = sr.feature_coefficients(design, fit)
    assert coefficients[0] == pytest.approx([0.5, -0.5], abs=1e-6)
    assert intercept == pytest.approx([0, 0], abs=1e-9)


# Parity


@pytest.mark.parametrize(("k", "l2"), [(2, 1e-1), (3, 1e-2), (5, 1e-3)])
def test_equals_sklearn(k, l2):
    features, labels = world(k=k)
    weights = np.random.default_rng(1).uniform(0.2, 3, len(labels))
    model = reference(features, labels, weights, l2)
    projected, design, fit = fitted(features, one_hot(labels, k), weights, l2=l2)
    assert sr.predict_proba(projected, fit) == pytest.approx(model.predict_proba(features), abs=2e-6)
    if k > 2:
        coefficients, intercept = sr.feature_coefficients(design, fit)
        assert pytest.approx(model.coef_, abs=1e-4) == coefficients.T
        assert intercept - intercept.mean() == pytest.approx(model.intercept_ - model.intercept_.mean(), abs=1e-3)


def test_float32_features_and_more_columns_than_rows():
    features, labels = world(n=30, d=80)
    wide = features.astype(np.float32)
    model = reference(wide.astype(float), labels, np.ones(30), L2)
    projected, design, fit = fitted(wide, one_hot(labels, 3))
    assert design.basis.shape[1] <= 30
    assert sr.predict_proba(projected, fit) == pytest.approx(model.predict_proba(wide.astype(float)), abs=2e-6)


def test_new_rows_get_the_same_probability_from_either_basis():
    features, labels = world()
    _, design, fit = fitted(features, one_hot(labels, 3))
    coefficients, intercept = sr.feature_coefficients(design, fit)
    new = world(n=17, seed=9)[0]
    scores = new @ coefficients + intercept
    expected = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    assert sr.predict_proba(design.project(new), fit) == pytest.approx(expected, abs=1e-9)


# One optimum, whichever the start


@pytest.mark.parametrize("l2", [1e-1, 1e-2, 1e-4])
def test_warm_equals_cold_after_an_edit(l2):
    k = 6
    features, labels = world(n=400, k=k, d=10, spread=2.0)
    rng = np.random.default_rng(3)
    edited = labels.copy()
    edited[:12] = rng.integers(0, k, 12)
    weights = np.ones(400)
    weights[12:24] = 0
    projected, design, base = fitted(features, one_hot(labels, k), l2=l2)
    targets = one_hot(edited, k)
    known = sr.curvature(projected, np.ones(400), design, base)
    cold = sr.fit(projected, targets, weights, design)
    warm = sr.fit(projected, targets, weights, design, base)
    curved = sr.fit(projected, targets, weights, design, base, known_curvature=known)
    exact = sr.fit(projected, targets, weights, design, tolerance=1e-10)
    for fit in (cold, warm, curved):
        assert fit.converged
        assert sr.predict_proba(projected, fit) == pytest.approx(sr.predict_proba(projected, exact), abs=1e-6)
    assert curved.n_iterations <= warm.n_iterations <= cold.n_iterations + 5


def test_a_known_curvature_of_a_large_problem_serves_longer_and_changes_nothing(monkeypatch):
    features, labels = world(n=600, k=12, d=20, spread=4.0)
    targets, weights = one_hot(labels, 12), np.ones(600)
    projected, design, base = fitted(features, targets, l2=1e-4)
    known = sr.curvature(projected, weights, design, base)
    weights[:200] = 0
    usual = sr.fit(projected, targets, weights, design, base, known_curvature=known)
    monkeypatch.setattr(sr, "FULL_SIZE", 0)
    longer = sr.fit(projected, targets, weights, design, base, known_curvature=known)
    assert longer.converged
    assert sr.predict_proba(projected, longer) == pytest.approx(sr.predict_proba(projected, usual), abs=1e-6)


@pytest.mark.parametrize("l2", [1e-2, 1e-5])
@pytest.mark.parametrize("held", [True, False])
def test_single_precision_leads_to_the_same_optimum(monkeypatch, l2, held):
    """Large problems go the first part of the way in float32; what is asked for is reached, in about as many steps."""
    features, labels = world(n=4_000, k=12, d=30, spread=0.5)
    targets, weights = one_hot(labels, 12), np.ones(4_000)
    monkeypatch.setattr(sr, "MOST_HELD", sr.MOST_HELD if held else 1)
    design = sr.prepare(features.astype(np.float32), l2)
    projected = design.on_axes(features.astype(np.float32))
    led = sr.fit(projected, targets, weights, design)
    rough = sr.fit(projected, targets, weights, design, tolerance=1e-4)
    monkeypatch.setattr(sr, "_SCOUTED", np.inf)
    alone = sr.fit(projected, targets, weights, design)
    assert led.converged
    assert rough.converged
    assert led.n_iterations <= alone.n_iterations + 5
    assert sr.predict_proba(projected, led) == pytest.approx(sr.predict_proba(projected, alone), abs=1e-6)
    assert sr.predict_proba(projected, rough) == pytest.approx(sr.predict_proba(projected, alone), abs=1e-3)


def test_where_single_precision_finds_no_step_the_fit_goes_on_in_double(monkeypatch):
    """Where float32 leads no farther, the last steps are those of float64 from there: the very optimum."""
    features, labels = world(n=3_000, k=3, d=8, spread=0.2)
    projected, _, alone = fitted(features, one_hot(labels, 3))
    search, refused = _lbfgs._search, []

    def none_in_single_precision(loss, at, direction):
        if loss.projected.dtype == np.float32:
            refused.append(at)
            return None
        return search(loss, at, direction)

    monkeypatch.setattr(sr, "_SCOUTED", 0)
    monkeypatch.setattr(_lbfgs, "_search", none_in_single_precision)
    _, _, fit = fitted(features, one_hot(labels, 3))
    assert len(refused) == 1
    assert fit.converged
    assert sr.predict_proba(projected, fit) == pytest.approx(sr.predict_proba(projected, alone), abs=1e-6)


def test_the_inverse_of_a_curvature():
    root = np.random.default_rng(0).standard_normal((30, 12))
    matrix = root.T @ root
    assert _softmax_curvature.inverse_of(matrix) == pytest.approx(np.linalg.inv(matrix))
    indefinite = np.diag([1.0, -2.0])
    assert _softmax_curvature.inverse_of(indefinite) == pytest.approx(np.diag([1.0, -0.5]))


def test_hard_problem_needs_tens_of_iterations():
    # Badly scaled, separable, many classes: without the curvature L-BFGS takes many hundreds.
    features, labels = world(n=600, k=12, d=20, spread=4.0)
    _, _, fit = fitted(features, one_hot(labels, 12), l2=1e-5)
    assert fit.converged
    assert fit.n_iterations < 200


def test_at_the_optimum_a_warm_start_takes_no_step():
    features, labels = world()
    projected, design, fit = fitted(features, one_hot(labels, 3))
    again = sr.fit(projected, one_hot(labels, 3), np.ones(len(labels)), design, fit)
    assert again.n_iterations == 0


def test_iteration_limit_is_said():
    features, labels = world()
    _, _, fit = fitted(features, one_hot(labels, 3), max_iterations=2)
    assert not fit.converged
    assert fit.n_iterations == 2


def test_fits_without_class_curvature_reach_the_same_optimum(monkeypatch):
    features, labels = world(k=5)
    usual = probs(features, one_hot(labels, 5), l2=1e-3)
    monkeypatch.setattr(_softmax_curvature, "_BLOCK_BYTES", 0)
    monkeypatch.setattr(_softmax_curvature, "FULL_SIZE", 0)
    projected, design, fit = fitted(features, one_hot(labels, 5), l2=1e-3)
    assert fit.converged
    assert sr.predict_proba(projected, fit) == pytest.approx(usual, abs=1e-6)
    assert sr.curvature(projected, np.ones(len(labels)), design, fit) is None


# Laws of weights and targets


def test_weight_two_is_the_row_twice():
    features, labels = world(n=60)
    weights = np.ones(60)
    weights[:10] = 2
    doubled = np.concatenate([features, features[:10]])
    both = np.concatenate([labels, labels[:10]])
    expected = probs(doubled, one_hot(both, 3))[:60]
    assert probs(features, one_hot(labels, 3), weights) == pytest.approx(expected, abs=1e-6)


def test_weight_zero_is_the_row_gone():
    features, labels = world(n=60)
    weights = np.ones(60)
    weights[40:] = 0
    design = sr.prepare(features, L2)
    projected, targets = design.project(features), one_hot(labels, 3)
    dropped = sr.fit(projected[:40], targets[:40], np.ones(40), design)
    zero = sr.fit(projected, targets, weights, design)
    expected = sr.predict_proba(projected, dropped)
    assert sr.predict_proba(projected, zero) == pytest.approx(expected, abs=1e-6)


def test_a_design_of_all_rows_serves_a_subset():
    features, labels = world(n=120)
    design = sr.prepare(features, L2)
    part = design.project(features[:80])
    fit = sr.fit(part, one_hot(labels[:80], 3), np.ones(80), design)
    expected = probs(features[:80], one_hot(labels[:80], 3))
    assert sr.predict_proba(part, fit) == pytest.approx(expected, abs=1e-6)


def test_a_soft_target_is_the_row_split():
    features, labels = world(n=60)
    soft = 0.7 * one_hot(labels, 3) + 0.3 * one_hot((labels + 1) % 3, 3)
    twice = np.concatenate([features, features])
    split = one_hot(np.concatenate([labels, (labels + 1) % 3]), 3)
    weights = np.repeat([0.7, 0.3], 60)
    expected = probs(twice, split, weights)[:60]
    assert probs(features, soft) == pytest.approx(expected, abs=1e-6)


def test_scale_of_the_weights_does_not_matter():
    features, labels = world(n=60)
    one, many = (probs(features, one_hot(labels, 3), np.full(60, w)) for w in (1.0, 1e6))
    assert one == pytest.approx(many, abs=1e-6)


# Classes without mass


def test_absent_class_is_improbable_and_finite():
    features, labels = world()
    targets = one_hot(labels, 5)[:, [3, 0, 1, 4, 2]]
    projected, _, fit = fitted(features, targets)
    p = sr.predict_proba(projected, fit)
    assert np.isfinite(fit.coefficients).all()
    assert p[:, [0, 3]].max() <= 1e-12
    assert p[:, [1, 2, 4]] == pytest.approx(probs(features, one_hot(labels, 3)), abs=1e-6)


def test_a_class_may_appear_or_vanish_after_the_start():
    features, labels = world(k=4)
    design = sr.prepare(features, L2)
    projected, ones = design.project(features), np.ones(len(labels))
    targets, fewer = one_hot(labels, 4), one_hot(np.minimum(labels, 2), 4)
    full, part = (sr.fit(projected, t, ones, design) for t in (targets, fewer))
    for t, start, cold in ((targets, part, full), (fewer, full, part)):
        known = sr.curvature(projected, ones, design, start)
        warm = sr.fit(projected, t, ones, design, start, known_curvature=known)
        expected = sr.predict_proba(projected, cold)
        assert sr.predict_proba(projected, warm) == pytest.approx(expected, abs=1e-6)


def test_one_class_and_constant_features_are_no_trouble():
    features = np.ones((4, 2))
    projected, design, fit = fitted(features, one_hot(np.zeros(4, int), 2))
    assert projected.shape == (4, 0)
    assert sr.predict_proba(projected, fit)[:, 0] == pytest.approx(1)
    assert design.project(np.zeros((0, 2))).shape == (0, 0)


# Forward correction


def noisy_world(n=3_000, rate=0.4):
    features, truth = world(n=n, d=4, k=3, spread=2.0, seed=5)
    rng = np.random.default_rng(6)
    flips = rng.random(n) < rate
    given = np.where(flips & (truth == 0), 1, truth)
    transition = np.eye(3)
    transition[0, :2] = 1 - rate, rate
    return features, truth, given, transition


def test_forward_correction_recovers_the_clean_model():
    features, truth, given, transition = noisy_world()
    clean = probs(features, one_hot(truth, 3), l2=1e-3)
    raw = probs(features, one_hot(given, 3), l2=1e-3)
    corrected = probs(features, one_hot(given, 3), l2=1e-3, transition=transition)
    assert np.abs(corrected - clean).mean() < 0.5 * np.abs(raw - clean).mean()


def test_identity_transition_changes_nothing():
    features, labels = world()
    plain = probs(features, one_hot(labels, 3))
    same = probs(features, one_hot(labels, 3), transition=np.eye(3))
    assert same == pytest.approx(plain, abs=1e-6)


def test_a_true_class_may_have_no_given_label():
    features, truth, _, _ = noisy_world(300)
    given = np.where(truth == 0, 1, truth)
    transition = np.array([[0.05, 0.95, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    fit = fitted(features, one_hot(given, 3), transition=transition)[2]
    assert fit.converged
    assert np.isfinite(fit.coefficients).all()


@pytest.mark.parametrize("forward", [False, True])
def test_gradient_against_finite_differences(forward):
    rng = np.random.default_rng(0)
    projected, mass = rng.normal(size=(7, 3)), rng.dirichlet(np.ones(4), 7).T / 7
    loss = SoftmaxLoss(projected, mass, mass.sum(axis=0), 0.1)
    if forward:
        transition = rng.dirichlet(np.ones(4), 4)
        loss = ForwardSoftmaxLoss(projected, mass, mass.sum(axis=0), 0.1, transition)

    def value(flat):
        return loss.value(loss.scores(flat.reshape(4, 4)))[0]

    def gradient(flat):
        return loss.pull_back(loss.value(loss.scores(flat.reshape(4, 4)))[1]).ravel()

    assert check_grad(value, gradient, rng.normal(size=16)) < 1e-6


@pytest.mark.parametrize("l2", [1e-3, 1.0])
def test_full_curvature_undoes_the_hessian(l2):
    rng = np.random.default_rng(0)
    projected, mass = rng.normal(size=(9, 3)), rng.dirichlet(np.ones(4), 9).T / 9
    loss = SoftmaxLoss(projected, mass, mass.sum(axis=0), l2)
    at, move = (p - p.mean(axis=1, keepdims=True) for p in rng.normal(size=(2, 4, 4)))

    def gradient(parameters):
        result = loss.pull_back(loss.value(loss.scores(parameters))[1])
        result[:-1] += l2 * parameters[:-1]
        return result

    hessian_move = (gradient(at + 1e-5 * move) - gradient(at - 1e-5 * move)) / 2e-5
    p, _ = softmax_columns(loss.scores(at))
    full = _softmax_curvature.full_curvature(projected, p, loss.shares, l2)
    assert full.solve(hessian_move) == pytest.approx(move, abs=1e-6)


# Refusals


def test_inputs_are_only_read():
    features, labels = world(n=50)
    targets, weights = one_hot(labels, 3), np.ones(50)
    for array in (features, targets, weights):
        array.flags.writeable = False
    _, design, fit = fitted(features, targets, weights)
    with pytest.raises(ValueError, match="read-only"):
        fit.coefficients[0, 0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        design.basis[0, 0] = 1.0


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"targets": np.full((50, 3), 0.5)}, "sum to 1"),
        ({"targets": np.full((50, 3), np.nan)}, "sum to 1"),
        ({"targets": np.eye(3)}, "50 rows"),
        ({"weights": np.zeros(50)}, "not all 0"),
        ({"weights": -np.ones(50)}, "non-negative"),
        ({"transition": np.full((3, 3), 0.5)}, "sum to 1"),
        ({"transition": np.eye(2)}, r"\(3, 3\)"),
        ({"projected": np.zeros((50, 2))}, "the design gives"),
    ],
)
def test_refuses(change, match):
    features, labels = world(n=50)
    design = sr.prepare(features, L2)
    asked = {"projected": design.project(features), "targets": one_hot(labels, 3), "weights": np.ones(50)}
    with pytest.raises(InputError, match=match):
        sr.fit(**{**asked, **change}, design=design)


def test_refuses_a_start_from_elsewhere():
    features, labels = world(n=50)
    _, _, other = fitted(features[:, :2], one_hot(labels, 3))
    with pytest.raises(InputError, match="another design"):
        fitted(features, one_hot(labels, 3), start=other)


def test_prepare_refuses():
    with pytest.raises(InputError, match="column 1"):
        sr.prepare(np.array([[0.0, np.nan]]), L2)
    with pytest.raises(InputError, match="l2"):
        sr.prepare(np.eye(2), 0.0)
    with pytest.raises(InputError, match="rows and columns"):
        sr.prepare(np.zeros((0, 2)), L2)
    with pytest.raises(InputError, match="expects"):
        sr.prepare(np.eye(2), L2).project(np.eye(3))
