"""Slicers where rows come in groups: parts do not tear a group, and a few bad groups are no bad slice."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.schema import ColumnType
from tilth.operators.registry import make
from tilth.slicing._shared.failures import failures_of
from tilth.testing.views import view_of

N_GROUPS, SIZE = 30, 20


def grouped(seed):
    """Rows of one group lie together, and fail with a rate of their own: nothing else is to be found."""
    rng = np.random.default_rng(seed)
    groups = rng.permutation(np.repeat(np.arange(N_GROUPS), SIZE))
    n = len(groups)
    labels = rng.integers(2, size=n)
    rates = rng.beta(0.5, 2.0, size=N_GROUPS)
    said = np.where(rng.random(n) < rates[groups], 1 - labels, labels)
    features = 3 * rng.standard_normal((N_GROUPS, 8))[groups] + rng.standard_normal((n, 8))
    return {
        "labels": labels,
        "pred_probs": np.where(np.eye(2)[said] > 0, 0.8, 0.2),
        "embeddings": features.astype(np.float32),
        "scores": (said == labels).astype(np.float64),
        "table": {"ward": rng.integers(6, size=N_GROUPS)[groups].astype(str)},
    }, groups


def found(name, evidence, groups):
    slicer = make("slicing", name)
    wanted = {key: values for key, values in evidence.items() if key in slicer.needs}
    more = {} if groups is None else {"groups": groups}
    return slicer.discover(view_of(slicer, columns={"ward": ColumnType.CATEGORY}, n=N_GROUPS * SIZE, **wanted, **more))


def test_no_part_tears_a_group():
    evidence, groups = grouped(0)
    slicer = make("slicing", "error_mixture")
    view = view_of(slicer, columns={"ward": ColumnType.CATEGORY}, n=len(groups), groups=groups, **evidence)
    failures = failures_of(view, folds=2, least_rows=10)
    for group in range(N_GROUPS):
        assert len(np.unique(failures.folds[failures.together == group])) == 1
    assert 0.2 < failures.folds.mean() < 0.8


@pytest.mark.parametrize("name", ["lattice", "error_mixture", "error_clusters"])
def test_groups_with_rates_of_their_own_are_hardly_ever_slices(name):
    runs = 12
    with_groups = sum(bool(found(name, *grouped(seed))) for seed in range(runs))
    without = sum(bool(found(name, grouped(seed)[0], None)) for seed in range(runs))
    assert with_groups <= 2
    assert without >= 6


def test_one_patient_whose_class_is_mistaken_is_no_confused_pair():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), 100)
    said = np.where(rng.random(400) < 0.15, rng.integers(4, size=400), labels)
    said[:40] = 1  # of class 0, all of one patient
    evidence = {"labels": labels, "pred_probs": np.eye(4)[said], "scores": (said == labels).astype(float)}
    slicer, classes = make("slicing", "confusion_pairs"), ("a", "b", "c", "d")
    alone = slicer.discover(view_of(slicer, classes=classes, **evidence))
    assert [one.slice.name for one in alone] == ["a taken for b"]
    of_one = np.where(np.arange(400) < 40, 0, np.arange(400))
    assert slicer.discover(view_of(slicer, classes=classes, groups=of_one, **evidence)) == []
    many = slicer.discover(view_of(slicer, classes=classes, groups=np.arange(400), **evidence))
    assert [one.slice.name for one in many] == ["a taken for b"]
