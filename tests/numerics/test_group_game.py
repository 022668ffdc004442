"""group_game: by hand, a planted group, the guard, noise, groups that overlap, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import InputError
from tilth.numerics import group_game as module
from tilth.numerics.group_game import group_dro, group_errors, group_weights, held_out_penalty


def planted(n: int = 1200, *, rare: float = 0.08, seed: int = 0):
    """A strong shortcut (column 0) that misleads in the rare group, and a weaker rule (column 1) that holds everywhere."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n)
    group = (rng.random(n) < rare).astype(np.intp)
    sign = 2.0 * labels - 1
    features = rng.standard_normal((n, 4))
    features[:, 0] += 3 * np.where(group == 1, -sign, sign)
    features[:, 1] += 1.5 * sign
    return features.astype(np.float32), labels.astype(np.intp), group


def errors_of(weights, features, labels, group, fresh):
    """Errors of a weighted fit on fresh rows: of all, and of each group."""
    from tilth.numerics import softmax_regression as softmax

    design = softmax.prepare(features, 1e-3)
    fitted = softmax.fit(design.project(features), np.eye(2)[labels], weights, design)
    wrong = softmax.predict_proba(design.project(fresh[0]), fitted).argmax(axis=1) != fresh[1]
    return wrong.mean(), [wrong[fresh[2] == g].mean() for g in np.unique(fresh[2])]


def test_group_errors_by_hand():
    # class 0 errs in 1 of 2 rows, class 1 in 0 of 2; group of rows 0 and 2: 1 wrong of 2, expected 1/2 and 0
    wrong, labels = np.array([1.0, 0, 0, 0]), np.array([0, 0, 1, 1])
    groups = np.array([[1.0], [0], [1], [0]])
    assert group_errors(wrong, labels, groups, np.ones(4), 0.0)[0] == pytest.approx(0.5)
    assert group_errors(wrong, labels, groups, np.ones(4), 2.0)[0] == pytest.approx((1 + 2 * 0.25) / 4)


def test_group_weights_by_hand():
    # rows of both groups count for the neediest; 1, 3, 3 of mean 7/3
    groups = np.array([[0.0, 0], [1, 1], [0, 1]])
    assert group_weights(np.ones(3), groups, np.array([1.0, 2.0])) == pytest.approx([3 / 7, 9 / 7, 9 / 7])


@pytest.mark.parametrize("seed", [0, 1])
def test_a_planted_group_errs_less_within_the_guard(seed):
    features, labels, group = planted(seed=seed)
    fresh = planted(8000, seed=seed + 10)
    found = group_dro(features, labels, np.eye(2)[group], np.arange(1200) % 3, most_fall=0.03)
    before, worst_before = errors_of(np.ones(1200), features, labels, group, fresh)
    after, worst_after = errors_of(found.weights, features, labels, group, fresh)
    assert max(worst_after) < max(worst_before) - 0.1
    assert after < before + 0.045
    assert found.fall <= 0.03
    assert found.multipliers[1] > 1 > found.multipliers[0]
    assert found.weights.mean() == pytest.approx(1)


def test_it_is_ahead_of_group_balancing_at_the_same_average():
    """Two groups are rare, and only in one of them the shortcut misleads: balancing pays for both."""
    features, labels, group = planted(4000)
    fresh = planted(8000, seed=11)
    easy = (np.random.default_rng(0).random(4000) < 0.01) & (group == 0) & (labels == 1)
    three = np.eye(3)[np.where(easy, 2, group)]
    found = group_dro(features, labels, three, np.arange(4000) % 3, most_fall=0.02)
    after, worst = errors_of(found.weights, features, labels, group, fresh)
    assert found.multipliers[2] < found.multipliers[1] / 5
    sizes = three.sum(axis=0)
    for strength in np.linspace(0, 1, 11):
        weights = ((sizes.max() / sizes) ** strength)[three.argmax(axis=1)]
        average, plain = errors_of(weights, features, labels, group, fresh)
        if average <= after:
            assert max(plain) >= max(worst) - 0.01


def test_a_tighter_guard_moves_less():
    features, labels, group = planted()
    loose, tight = (
        group_dro(features, labels, np.eye(2)[group], np.arange(1200) % 3, most_fall=fall) for fall in (0.05, 0.012)
    )
    assert tight.fall <= 0.012
    assert tight.fall <= loose.fall
    assert loose.after.max() <= tight.after.max()


def test_noise_gets_no_weight_beyond_its_share():
    """A group of a few rows with wrong labels: nothing that it is given helps on held-out rows, so that it is left alone."""
    features, labels, _ = planted(rare=0.0)
    noisy = np.zeros(1200)
    noisy[::100] = 1
    labels = np.where(noisy > 0, 1 - labels, labels)
    found = group_dro(features, labels, noisy[:, None], np.arange(1200) // 100 % 3, most_fall=0.01)
    assert found.fall <= 0.01
    fresh = planted(8000, rare=0.0, seed=10)
    before, _ = errors_of(np.ones(1200), features, labels, noisy, fresh)
    after, _ = errors_of(found.weights, features, labels, noisy, fresh)
    assert after < before + 0.02


def test_repeats_itself_and_bears_no_group():
    features, labels, group = planted(300)
    first, again = (group_dro(features, labels, np.eye(2)[group], np.arange(300) % 2) for _ in range(2))
    assert (first.weights == again.weights).all()
    none = group_dro(features, labels, np.zeros((300, 0)), np.arange(300) % 2)
    assert none.weights == pytest.approx(np.ones(300))
    assert none.fall == 0


def test_the_penalty_is_the_one_that_tells_held_out_rows_best():
    features, labels, group = planted(600)
    folds, base = np.arange(600) % 3, np.ones(600)
    chosen = held_out_penalty(features, labels, folds, base)
    losses = {penalty: _held_out_loss(features, labels, folds, penalty) for penalty in (1e-2, 1e-3, 1e-4, 1e-5)}
    assert losses[chosen] == pytest.approx(min(losses.values()), rel=1e-3)
    given = group_dro(features, labels, np.eye(2)[group], folds, penalty=chosen)
    assert given.multipliers.tolist() == group_dro(features, labels, np.eye(2)[group], folds).multipliers.tolist()


def _held_out_loss(features, labels, folds, penalty):
    from tilth.numerics import softmax_regression as softmax

    loss = 0.0
    for held in (folds == f for f in np.unique(folds)):
        design = softmax.prepare(features[~held], penalty)
        fitted = softmax.fit(design.project(features[~held]), np.eye(2)[labels[~held]], np.ones((~held).sum()), design)
        probs = softmax.predict_proba(design.project(features[held]), fitted)
        loss -= np.log(probs[np.arange(held.sum()), labels[held]]).sum()
    return loss


def test_refusals():
    features, labels, group = planted(50)
    with pytest.raises(InputError, match="two folds"):
        group_dro(features, labels, np.eye(2)[group], np.zeros(50, dtype=np.intp))
    with pytest.raises(InputError, match="same rows"):
        group_dro(features, labels[:9], np.eye(2)[group], np.arange(50) % 2)
    assert module.__doc__
