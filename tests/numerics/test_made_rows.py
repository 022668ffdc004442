"""made_rows: copies, what looks made, what is of another class; and rows of the very distribution pass."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import InputError
from tilth.numerics import made_rows as module
from tilth.numerics.made_rows import audited

RNG = np.random.default_rng(0)
LABELS = np.repeat([0, 1], [300, 60])
REAL = (RNG.normal(size=(360, 4)) + 4 * LABELS[:, None] * np.eye(4)[0]).astype(np.float32)


def judged(made, c=1, parents=None, **levels):
    m = len(made)
    parents = np.full((m, 1), 300) if parents is None else parents
    return audited(REAL, LABELS, np.asarray(made, np.float32), np.eye(2)[np.full(m, c)], parents, **levels)


def fresh(n, c=1, seed=1):
    return np.random.default_rng(seed).normal(size=(n, 4)) + 4 * c * np.eye(4)[0]


def mixed_parents(n):
    return 300 + np.random.default_rng(3).integers(60, size=(n, 2))


def test_rows_of_the_same_distribution_pass():
    gate = judged(fresh(90), parents=mixed_parents(90))
    assert gate.kept.mean() > 0.85
    assert 0.35 < gate.auroc < 0.65


def test_copies_and_near_copies_stay_out():
    gate = judged(np.vstack([REAL[300:310], REAL[300:310] + 1e-3, fresh(60)]), parents=mixed_parents(80))
    assert gate.copies[:20].all()
    assert not gate.copies[20:].mean() > 0.2


def test_what_looks_made_stays_out():
    strange = fresh(60) + np.array([0, 9, 0, 0])
    gate = judged(np.vstack([strange, fresh(60, seed=2)]), parents=mixed_parents(120))
    assert gate.unreal[:60].mean() > 0.9
    assert gate.unreal[60:].mean() < 0.1
    assert gate.auroc > 0.7


def test_too_little_spread_is_told():
    shrunk = fresh(90) * 0.2 + 0.8 * REAL[300:].mean(axis=0)
    assert judged(shrunk, parents=mixed_parents(90)).auroc > 0.75


def test_rows_of_another_class_stay_out():
    gate = judged(np.vstack([fresh(20, c=0), fresh(60)]), parents=mixed_parents(80), sure=1.0)
    assert gate.disagreeing[:20].mean() > 0.9
    assert gate.disagreeing[20:].mean() < 0.2


def test_masks_do_not_overlap_and_nothing_made_is_no_error():
    gate = judged(np.vstack([REAL[300:310], fresh(30, c=0), fresh(30) + 9]), parents=mixed_parents(70))
    assert (gate.copies.astype(int) + gate.unreal + gate.disagreeing <= 1).all()
    assert not len(judged(np.zeros((0, 4))).kept)


def test_wide_features_and_a_class_of_two_rows():
    x = np.random.default_rng(5).normal(size=(62, 400)).astype(np.float32)
    labels = np.repeat([0, 1], [60, 2])
    made = x[[60, 61]].mean(axis=0, keepdims=True)
    gate = audited(x, labels, made, np.eye(2)[[1]], np.array([[60, 61]]))
    assert gate.kept.tolist() == [True]


def test_shapes_are_checked():
    with pytest.raises(InputError):
        audited(REAL, LABELS, REAL[:2], np.eye(2)[[0]], np.array([[0]]))


@pytest.mark.parametrize("d", [3, 60])
def test_copies_of_many_rows_are_looked_for_among_those_around_them(monkeypatch, d):
    """In few columns only rows within reach are compared, in many all are: the same rows are found either way."""
    rng = np.random.default_rng(7)
    real = rng.standard_normal((600, d)).astype(np.float32)
    labels = np.arange(600) % 2
    made = real[:40] + np.repeat([0.0, 1e-4, 2.0, 5.0], 10)[:, None].astype(np.float32)
    given = (real, labels, made, np.eye(2)[labels[:40]], np.arange(40)[:, None])
    usual = audited(*given).copies
    monkeypatch.setattr(module, "FEW_REAL", 0)
    assert audited(*given).copies.tolist() == usual.tolist()
    assert usual[:20].all()
    assert not usual[30:].any()
