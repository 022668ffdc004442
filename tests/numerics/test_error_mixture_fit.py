"""error_mixture: by hand, one step by a loop, errors decide where features do not, small groups, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import InputError
from tilth.numerics.error_mixture import error_mixture


def planted(n: int = 1_200, seed: int = 0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n)
    inside = (rng.random(n) < 0.1) & (labels == 1)
    points = rng.standard_normal((n, 8)) + 4.0 * labels[:, None] * np.eye(8)[0] + 4.0 * inside[:, None] * np.eye(8)[1]
    said = np.where(inside & (rng.random(n) < 0.7), 0, labels)
    probs = np.where(np.eye(2)[said] > 0, 0.9, 0.1)
    return points, labels, said, probs, inside


def fit(points, labels, said, probs, **settings):
    return error_mixture(points, labels * 2 + said, said != labels, [np.eye(2)[labels], probs], **settings)


def test_finds_the_planted_part_with_its_right_rows():
    points, labels, said, probs, inside = planted()
    parts = fit(points, labels, said, probs, components=6)
    shared = np.minimum(parts.by_features, inside[:, None]).sum(axis=0)
    held = shared / parts.by_features.sum(axis=0)
    assert shared[held > 0.6].sum() > 0.5 * inside.sum()
    top = np.argsort(-parts.by_features[:, held.argmax()])[:10]
    assert inside[top].mean() >= 0.9
    assert (said == labels)[inside].mean() > 0.2


def test_memberships_are_distributions_that_follow_from_the_parameters():
    points, labels, said, probs, _ = planted(300)
    parts = fit(points, labels, said, probs, components=6)
    assert parts.by_features.sum(axis=1) == pytest.approx(np.ones(300))
    assert parts.belongs.sum(axis=1) == pytest.approx(np.ones(300))
    row = np.array(
        [
            np.exp(w) * np.prod(np.exp(-((points[7] - m) ** 2) / (2 * v)) / np.sqrt(v))
            for w, m, v in zip(parts.log_weights, parts.means, parts.variances, strict=True)
        ]
    )
    assert parts.by_features[7] == pytest.approx(row / row.sum(), abs=1e-9)


def test_terms_tell_rows_apart_that_features_do_not():
    kinds = np.arange(200) % 2
    parts = error_mixture(np.zeros((200, 1)), kinds, kinds == 1, [np.eye(2)[kinds]], components=2)
    assert (parts.belongs[kinds == 1, 0] > 0.9).all()
    assert np.ptp(parts.by_features[:, 0]) == pytest.approx(0)


def test_order_of_rows_changes_nothing_but_rounding():
    points, labels, said, probs, _ = planted(400)
    order = np.random.default_rng(1).permutation(400)
    first = fit(points, labels, said, probs)
    again = fit(points[order], labels[order], said[order], probs[order])
    assert again.by_features == pytest.approx(first.by_features[order], abs=1e-6)


def test_small_groups_start_together():
    """Seventy classes of which none has eight failing rows: their failing rows begin components all the same."""
    rng = np.random.default_rng(3)
    labels = np.arange(700) % 70
    fails = np.arange(700) < 140
    points = rng.standard_normal((700, 3)) + 6.0 * fails[:, None]
    parts = error_mixture(points, labels * 2 + fails, fails, [np.eye(70)[labels]], components=10)
    assert parts.means.shape[0] <= 11
    assert parts.by_features[:140].argmax(axis=1).max() < parts.by_features[140:].argmax(axis=1).min()


def test_few_rows_are_refused():
    with pytest.raises(InputError, match="large enough"):
        error_mixture(np.zeros((4, 1)), np.zeros(4, dtype=int), np.zeros(4, dtype=bool), [np.ones((4, 1))])
