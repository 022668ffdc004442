"""Regions: by hand, against SciPy's densities, contrasts that find what was planted, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from tilth.core.errors import InputError
from tilth.core.region import Region
from tilth.numerics.region_membership import contrast_region, half_space, region_membership
from tilth.numerics.regions import principal_axes


def test_equals_densities_of_another_library():
    rng = np.random.default_rng(0)
    features = rng.standard_normal((50, 3)).astype(np.float32)
    weights, means, variances = np.array([0.2, 0.5, 0.3]), rng.standard_normal((3, 2)), rng.uniform(0.5, 2, (3, 2))
    centre, directions = rng.standard_normal(3), rng.standard_normal((3, 2))
    region = Region(
        centre=centre, directions=directions, means=means, variances=variances, log_weights=np.log(weights), index=1
    )
    points = (features - centre) @ directions
    density = np.stack([norm.pdf(points, m, np.sqrt(v)).prod(axis=1) for m, v in zip(means, variances, strict=True)])
    joint = weights[:, None] * density
    assert region_membership(region, features) == pytest.approx(joint[1] / joint.sum(axis=0))


def test_a_row_does_not_hang_on_its_company():
    features = np.random.default_rng(1).standard_normal((9_000, 4)).astype(np.float32)
    region = half_space(principal_axes(features, 4), np.array([1.0, 0, 0, 0]), 0.3, 0.5)
    assert region_membership(region, features)[8_990] == pytest.approx(region_membership(region, features[8_990:])[0])


def test_half_space_is_one_half_at_its_edge():
    line = np.linspace(-2, 2, 401, dtype=np.float32)[:, None]
    axes = principal_axes(line, 1)
    places = axes.of(line)[:, 0]
    belongs = region_membership(half_space(axes, np.array([1.0]), 0.5, 0.25), line)
    assert belongs[np.abs(places - 0.5).argmin()] == pytest.approx(0.5, abs=1e-3)
    assert belongs[np.abs(places - 0.75).argmin()] == pytest.approx(1 / (1 + np.exp(-1)), abs=0.02)


def test_contrast_finds_planted_rows_from_a_part_of_them():
    rng = np.random.default_rng(2)
    planted = rng.random(1_500) < 0.06
    features = (rng.standard_normal((1_500, 12)) + 3.5 * planted[:, None] * np.eye(12)[4]).astype(np.float32)
    axes = principal_axes(features, 12)
    told = planted & (rng.random(1_500) < 0.5)
    belongs = region_membership(
        contrast_region(axes, axes.of(features), told.astype(float), planted.astype(float)), features
    )
    assert planted[np.argsort(-belongs)[:20]].all()
    assert (belongs[planted] > 0.5).mean() > 0.8
    assert (belongs[~planted] > 0.5).mean() < 0.02


def test_rows_alike_belong_alike():
    features = np.ones((20, 3), dtype=np.float32)
    axes = principal_axes(features, 2)
    half = (np.arange(20) < 10).astype(float)
    belongs = region_membership(contrast_region(axes, axes.of(features), half, half), features)
    assert np.ptp(belongs) == 0
    assert 0 <= belongs[0] <= 1


def test_other_features_are_refused():
    region = half_space(principal_axes(np.eye(3, dtype=np.float32), 1), np.ones(1), 0.0, 1.0)
    with pytest.raises(InputError, match="3 numbers"):
        region_membership(region, np.zeros((2, 4), dtype=np.float32))
