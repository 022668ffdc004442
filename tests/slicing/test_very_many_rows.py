"""Slicers of embeddings among more rows than they search: a part of the rows finds the slice, and all rows learn whether they belong."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.operators.registry import make
from tilth.slicing._shared import failures, jaccard
from tilth.testing.views import view_of

N_ROWS, MOST = 6_000, 1_500


@pytest.fixture
def few_are_searched(monkeypatch):
    monkeypatch.setattr(failures, "MOST_ROWS", MOST)


@pytest.mark.parametrize("name", ["error_mixture", "error_clusters", "auditor"])
def test_a_part_of_the_rows_finds_the_slice_as_well_as_all(planted, monkeypatch, name):
    evidence, inside = planted(N_ROWS)
    by_all = _found(name, evidence, inside)
    monkeypatch.setattr(failures, "MOST_ROWS", MOST)
    assert _found(name, evidence, inside) > by_all - 0.1


def _found(name, evidence, inside):
    """Return how well the best slice found is the planted one."""
    found = make("slicing", name).discover(view_of(make("slicing", name), **evidence))
    assert {one.membership.shape for one in found} == {(N_ROWS,)}
    return max(jaccard(one.membership, inside.astype(float)) for one in found)


@pytest.mark.usefixtures("few_are_searched")
def test_the_same_rows_are_searched_when_rows_stand_elsewhere(planted):
    evidence, _ = planted(N_ROWS)
    turned = np.random.default_rng(0).permutation(N_ROWS)
    ids = np.array([f"row {n}" for n in range(N_ROWS)])
    first = failures.failures_of(_view(evidence, ids), folds=2, least_rows=100)
    moved = {key: values[turned] for key, values in evidence.items()}
    second = failures.failures_of(_view(moved, ids[turned]), folds=2, least_rows=100)
    assert len(first) == MOST
    assert ids[first.rows].tolist() == ids[turned][second.rows].tolist()


@pytest.mark.usefixtures("few_are_searched")
def test_rows_without_a_score_or_features_take_nobody_s_place(planted):
    evidence, _ = planted(N_ROWS)
    evidence["scores"][: N_ROWS // 2] = np.nan
    evidence["embeddings"][N_ROWS // 2 : -MOST, 0] = np.inf
    evidence["embeddings"][N_ROWS // 2 : -MOST : 2, 1] = -np.inf
    found = failures.failures_of(_view(evidence), folds=2, least_rows=100)
    assert sorted(found.rows.tolist()) == list(range(N_ROWS - MOST, N_ROWS))


def _view(evidence, ids=None):
    more = {} if ids is None else {"ids": ids.tolist()}
    return view_of(make("slicing", "error_mixture"), **evidence, **more)
