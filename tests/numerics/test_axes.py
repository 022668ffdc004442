"""Rows on axes: what is turned block by block gives what a matrix gives, in products, parts and whole fits."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.numerics import _axes
from tilth.numerics import softmax_regression as sr
from tilth.numerics._axes import Turned, pieces, pulled_back, scored


@pytest.fixture
def pair(monkeypatch):
    """A design, and rows on its axes as a matrix and turned, in blocks of a few rows."""
    monkeypatch.setattr(_axes, "_BLOCK_NUMBERS", 50)
    monkeypatch.setattr(_axes, "_PIECE_ROWS", 64)
    rng = np.random.default_rng(0)
    features = (rng.normal(size=(500, 7)) @ rng.normal(size=(7, 7)) + 3.0).astype(np.float32)
    design = sr.prepare(features, 0.01)
    return design, design.project(features), Turned(features, design.mean, design.basis)


def test_rows_are_held_up_to_a_size(pair, monkeypatch):
    design, held, turned = pair
    assert isinstance(design.on_axes(turned.features), np.ndarray)
    monkeypatch.setattr(sr, "MOST_HELD", held.size - 1)
    assert isinstance(design.on_axes(turned.features), Turned)
    assert turned.shape == held.shape and turned.ndim == 2


@pytest.mark.parametrize(
    "rows", [np.arange(500), np.arange(0, 500, 3), np.array([9, 4, 400]), np.zeros(0, dtype=np.intp)]
)
def test_products_of_some_rows(pair, rows):
    _, held, turned = pair
    rng = np.random.default_rng(1)
    coefficients, residual = rng.normal(size=(held.shape[1], 3)), rng.normal(size=(3, len(rows)))
    assert len(turned[rows]) == len(rows)
    np.testing.assert_allclose(scored(turned[rows], coefficients), scored(held[rows], coefficients), atol=1e-10)
    np.testing.assert_allclose(pulled_back(turned[rows], residual), pulled_back(held[rows], residual), atol=1e-9)
    found = [part for _, part in pieces(turned[rows])]
    np.testing.assert_allclose(np.concatenate(found) if found else held[rows], held[rows], atol=1e-10)


def test_some_of_some_rows(pair):
    _, held, turned = pair
    some = np.array([5, 3, 300])
    first = np.arange(1, 500, 2)[:200]
    again = turned[np.arange(1, 500, 2)][some[:2]]
    assert again.features is turned.features
    np.testing.assert_array_equal(again.rows, first[some[:2]])
    np.testing.assert_allclose(scored(again, np.eye(held.shape[1])), held[first[some[:2]]].T, atol=1e-10)


@pytest.mark.parametrize("k", [2, 5])
def test_a_fit_of_turned_rows_is_the_fit_of_the_matrix(pair, k):
    design, held, turned = pair
    labels = (held[:, -1] > 0) + (np.arange(500) % k > 1) * (k > 2)
    targets, weights = np.eye(k)[labels.astype(np.intp)], np.ones(500)
    transition = 0.9 * np.eye(k) + 0.1 / k
    for options in ({}, {"transition": transition}):
        plain = sr.fit(held, targets, weights, design, **options)
        other = sr.fit(turned, targets, weights, design, **options)
        assert other.converged
        np.testing.assert_allclose(sr.predict_proba(turned, other), sr.predict_proba(held, plain), atol=1e-7)


def test_curvatures_of_turned_rows(pair):
    design, held, turned = pair
    targets, weights = np.eye(3)[np.arange(500) % 3], np.ones(500)
    fitted = sr.fit(held, targets, weights, design)
    plain, other = (sr.curvature(rows, weights, design, fitted) for rows in (held, turned))
    np.testing.assert_allclose(other.inverses, plain.inverses, rtol=1e-3, atol=1e-5 * np.abs(plain.inverses).max())
    probs = np.full((3, 500), 1 / 3)
    full = [sr.curvature_of_stage(2, rows, probs, weights / 500, design.variances, 0.01) for rows in (held, turned)]
    np.testing.assert_allclose(full[1].factor, full[0].factor, atol=1e-9 * np.abs(full[0].factor).max())
