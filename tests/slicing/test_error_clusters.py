"""ErrorClusters: by hand, planted slices, silence by chance, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import NotApplicable
from tilth.slicing._shared import jaccard
from tilth.slicing.error_clusters import ErrorClusters, failing_clusters
from tilth.testing.views import view_of


def test_by_hand():
    points = np.array([[0.0], [0.2], [10.0], [10.2], [0.4], [20.0], [20.2], [10.4]])
    fails = np.array([True, True, True, True, False, False, False, False])
    near, number = failing_clusters(points, fails, rows_per_cluster=2)
    assert number == 2
    assert near[0] == near[1] < number
    assert near[2] == near[3] < number
    assert near[0] != near[2]
    assert near[5] == near[6] >= number


def test_finds_a_planted_slice(planted):
    evidence, inside = planted()
    found = ErrorClusters().discover(view_of(ErrorClusters(), **evidence))
    assert jaccard(found[0].membership, inside.astype(float)) > 0.6
    assert found[0].q_value < 1e-6
    assert [one.q_value for one in found] == sorted(one.q_value for one in found)


def test_finds_it_by_scores_alone(planted):
    evidence, inside = planted()
    view = view_of(ErrorClusters(), classes=(), embeddings=evidence["embeddings"], scores=evidence["scores"])
    assert jaccard(ErrorClusters().discover(view)[0].membership, inside.astype(float)) > 0.5


def test_silent_where_errors_fall_by_chance(planted):
    spoken = 0
    for seed in range(20):
        evidence, _ = planted(400, seed, inside_share=0.0)
        spoken += bool(ErrorClusters().discover(view_of(ErrorClusters(), **evidence)))
    assert spoken <= 4


def test_refuses_equal_scores(planted):
    evidence, _ = planted()
    with pytest.raises(NotApplicable, match="alike"):
        ErrorClusters().discover(view_of(ErrorClusters(), **(evidence | {"scores": np.zeros(1_200)})))
