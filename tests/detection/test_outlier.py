"""outlier: by hand, planted outliers, null worlds, parity with scikit-learn's LOF ranking."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import LocalOutlierFactor

from tilth.core.errors import NotApplicable
from tilth.detection.outlier import Outlier, isolation_ratios, tail_probabilities
from tilth.numerics.neighbours import Neighbours, k_nearest


def near_of(rows, k=10):
    return k_nearest(rows, k, metric="euclidean", exclude_self=True)


def test_ratios_by_hand():
    # spacings 1, 1, 8; the far row's neighbour has spacing 1
    ratios = isolation_ratios(np.array([[1], [0], [1]]), np.array([[1.0], [1.0], [8.0]]))
    assert ratios.tolist() == [1.0, 1.0, 8.0]


def test_clumps_of_copies_make_no_outliers_of_their_neighbours():
    # spacings 0, 0, 1, 1: the floor is a tenth of the median positive spacing
    ratios = isolation_ratios(np.array([[1], [0], [0], [2]]), np.array([[0.0], [0.0], [1.0], [1.0]]))
    assert ratios.tolist() == [1.0, 1.0, 10.0, 1.0]
    assert isolation_ratios(np.array([[1], [0]]), np.zeros((2, 1))).tolist() == [1.0, 1.0]


def test_tail_of_a_power_law_is_met():
    # ln ratio exponential with rate 4: the true tail is exp(-4 x)
    logs = -np.log(1 - (np.arange(10_000) + 0.5) / 10_000) / 4
    p = tail_probabilities(np.exp(logs))
    assert np.allclose(p, np.exp(-4 * logs), rtol=0.05)


def test_planted_outliers_between_clusters_of_unequal_density(view_of):
    rng = np.random.default_rng(0)
    tight, wide = rng.normal(size=(500, 3)) * 0.1, rng.normal(size=(500, 3)) * 3 + 30
    planted = rng.normal(size=(6, 3)) * 2 + np.array([8.0, 8.0, 8.0])
    rows = np.concatenate([tight, wide, planted])
    detector = Outlier()
    (finding,) = detector.find(view_of(detector, n=1006, neighbours=near_of(rows)))
    assert finding.flagged[:1000].sum() <= 8
    assert finding.flagged[1000:].all()


def test_lone_rows_far_out_are_flagged(view_of):
    rng = np.random.default_rng(1)
    rows = np.concatenate([rng.normal(size=(1000, 5)), np.eye(5) * 40])
    detector = Outlier()
    (finding,) = detector.find(view_of(detector, n=1005, neighbours=near_of(rows)))
    assert finding.flagged[1000:].all()
    assert finding.flagged[:1000].sum() <= 5
    assert "stand apart" in finding.summary


def test_neighbours_that_may_have_been_missed_are_said(view_of):
    rows = np.concatenate([np.random.default_rng(1).normal(size=(1000, 5)), np.eye(5) * 40])
    detector, near = Outlier(), near_of(rows)
    missed = Neighbours(near.positions, near.distances, exact=False)
    (exact,), (found,) = (detector.find(view_of(detector, n=1005, neighbours=one)) for one in (near, missed))
    assert "not with all" in found.threshold
    assert "not with all" not in exact.threshold
    assert np.array_equal(found.severity, exact.severity)


@pytest.mark.parametrize("law", ["normal", "uniform", "lattice"])
def test_null_worlds_are_left_alone(view_of, law):
    rng = np.random.default_rng(2)
    rows = {
        "normal": rng.normal(size=(2000, 8)),
        "uniform": rng.random((2000, 3)),
        "lattice": rng.integers(6, size=(2000, 3)).astype(float),
    }[law]
    detector = Outlier()
    assert sum(f.n_flagged for f in detector.find(view_of(detector, n=2000, neighbours=near_of(rows)))) <= 10


def test_ranks_like_the_local_outlier_factor():
    rng = np.random.default_rng(3)
    rows = np.concatenate([rng.normal(size=(300, 4)), rng.normal(size=(15, 4)) * 6])
    near = near_of(rows, 20)
    ours = isolation_ratios(near.positions, near.distances)
    theirs = -LocalOutlierFactor(n_neighbors=20).fit(rows).negative_outlier_factor_
    ranks = [np.argsort(np.argsort(score)) for score in (ours, theirs)]
    assert np.corrcoef(*ranks)[0, 1] > 0.85
    assert set(np.argsort(-ours)[:5]) <= set(np.argsort(-theirs)[:15])


def test_refusal(view_of):
    detector = Outlier()
    near = Neighbours(np.zeros((5, 1), int), np.zeros((5, 1)))
    with pytest.raises(NotApplicable, match="fewer"):
        detector.find(view_of(detector, n=5, neighbours=near))
