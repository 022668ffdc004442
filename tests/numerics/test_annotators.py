"""What answers tell of annotators: the others' word, errors, kappa of pairs."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import InputError
from tilth.numerics.agreement import cohen_kappa
from tilth.numerics.annotators import confusions_of, pair_kappas, shares_of_others


def planted(seed=0, n=400, m=6, k=3, share=0.6):
    """Answers of annotators with known confusions."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)
    confusions = rng.dirichlet(np.full(k, 0.6), size=(m, k)) * 0.4 + 0.6 * np.eye(k)
    rows, sources = np.nonzero(rng.random((n, m)) < share)
    drawn = rng.random(len(rows))[:, None]
    said = (drawn > confusions[sources, truth[rows]].cumsum(axis=1)).sum(axis=1)
    return truth, confusions, rows, sources, np.minimum(said, k - 1)


def test_others_by_hand():
    shares = shares_of_others(np.array([0, 0, 0, 0, 1]), np.array([2, 1, 1, 0, 0]), 2, 3)
    assert shares.tolist() == [[0, 1, 0], [1 / 3, 1 / 3, 1 / 3], [1 / 3, 1 / 3, 1 / 3], [0, 1, 0], [0, 0, 0]]


def test_others_equal_a_loop():
    _, _, rows, _, said = planted(n=60)
    shares = shares_of_others(rows, said, 60, 3)
    for at in range(len(rows)):
        rest = said[(rows == rows[at]) & (np.arange(len(rows)) != at)]
        counts = np.bincount(rest, minlength=3)
        wanted = (counts == counts.max()) / (counts == counts.max()).sum() if len(rest) else np.zeros(3)
        assert shares[at] == pytest.approx(wanted)


def test_known_confusions_are_recovered():
    truth, confusions, rows, sources, said = planted(n=6000, share=1.0)
    found = confusions_of(sources, said, np.eye(3)[truth[rows]], 6)
    assert np.abs(found - confusions).max() < 0.05
    assert found.sum(axis=2) == pytest.approx(np.ones((6, 3)))


def test_who_never_answered_errs_like_all():
    truth, _, rows, sources, said = planted()
    found = confusions_of(sources, said, np.eye(3)[truth[rows]], 8)
    assert found[6] == pytest.approx(found[7])
    everybody = np.zeros((3, 3))
    np.add.at(everybody, (truth[rows], said), 1.0)
    assert found[6] == pytest.approx(everybody / everybody.sum(axis=1, keepdims=True), abs=0.01)
    with pytest.raises(InputError):
        confusions_of(sources, said, np.eye(3)[truth[rows]], 8, strength=0)


def test_confusions_with_doubt_are_the_mean_over_truths():
    _, _, rows, sources, said = planted(n=50)
    soft = np.random.default_rng(1).dirichlet(np.ones(3), 50)[rows]
    found = confusions_of(sources, said, soft, 6, strength=4.0)
    counts = np.zeros((6, 3, 3))
    for j, c, p in zip(sources, said, soft, strict=True):
        counts[j, :, c] += p
    believed = np.where(np.eye(3, dtype=bool), 0.8, 0.1)
    pooled = counts.sum(axis=0) + believed
    pooled /= pooled.sum(axis=1, keepdims=True)
    wanted = counts + 4 * pooled
    assert found == pytest.approx(wanted / wanted.sum(axis=2, keepdims=True))


def test_pairs_equal_kappa_of_their_common_rows():
    _, _, rows, sources, said = planted()
    shape = {"n_rows": 400, "n_annotators": 6, "n_classes": 3}
    pairs = pair_kappas(rows, sources, said, **shape, least=20)
    assert len(pairs) == 15
    assert [pair.kappa.value for pair in pairs] == sorted(pair.kappa.value for pair in pairs)
    for pair in pairs:
        mine, yours = (dict(zip(rows[sources == j], said[sources == j], strict=True)) for j in pair[:2])
        common = sorted(set(mine) & set(yours))
        first, second = (np.array([said_of[row] for row in common]) for said_of in (mine, yours))
        assert pair.shared == len(common)
        assert pair.kappa.value == pytest.approx(cohen_kappa(first, second, 3).value)
    assert pair_kappas(rows, sources, said, **shape, least=399) == []


def test_a_pair_that_says_one_class_only_is_left_out():
    rows, sources = np.repeat(np.arange(30), 2), np.tile([0, 1], 30)
    shape = {"n_rows": 30, "n_annotators": 2, "n_classes": 2}
    assert pair_kappas(rows, sources, np.zeros(60, dtype=np.intp), **shape, least=20) == []
