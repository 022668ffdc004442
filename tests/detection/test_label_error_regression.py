"""label_error_regression: by hand, planted errors, heavy tails and uneven spread, parity with scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tilth.core.errors import NotApplicable
from tilth.detection.label_error_regression import LabelErrorRegression, local_z, t_tail
from tilth.numerics.neighbours import k_nearest


def test_local_z_by_hand():
    # no neighbours: median 0, MAD 1 -> scale 1.4826
    z, scale = local_z(np.array([-2.0, -1.0, 0.0, 1.0, 2.0]), np.empty((5, 0), int), np.ones(5, bool))
    assert np.allclose(scale, 1 / 0.6744897501960817)
    assert np.allclose(z, np.array([-2, -1, 0, 1, 2]) * 0.6744897501960817)


def test_neighbours_weigh_against_five_rows():
    residuals = np.array([0.0, -3.0, 3.0, 1.0, -1.0])
    positions = np.array([[1, 2], [0, 3], [0, 4], [0, 1], [0, 2]])
    _, scale = local_z(residuals, positions, np.ones(5, bool))
    # global: median 0, MAD 1; local of row 0: MAD of {-3, 3} around 0 = 3; trust = 2 / 7
    assert scale[0] == pytest.approx((5 / 7 * 1 + 2 / 7 * 3) / 0.6744897501960817)


def test_unlabelled_rows_say_nothing():
    residuals = np.array([0.0, 1.0, -1.0, 1e6])
    positions = np.array([[3, 1], [3, 2], [3, 0], [0, 1]])
    usable = np.array([True, True, True, False])
    z, scale = local_z(residuals, positions, usable)
    assert z[3] == 0
    assert scale.max() < 10


@pytest.mark.parametrize("df", [3.0, 1e9])
def test_tail_is_that_of_the_law_of_the_residuals(df):
    z = stats.t.ppf((np.arange(20_000) + 0.5) / 20_000, df) * 2.5
    p = t_tail(z)
    expected = 2 * stats.t.sf(np.abs(z) / 2.5, df)
    assert np.allclose(p, expected, rtol=0.25, atol=1e-4)


def test_planted_errors_are_found_and_few_others(view_of):
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (2000, 2)).astype(np.float32)
    spread = np.where(x[:, 0] > 0, 5.0, 0.5)
    numbers = x[:, 1] * 3 + spread * rng.normal(size=2000)
    planted = np.zeros(2000, bool)
    planted[rng.choice(2000, 60, replace=False)] = True
    numbers = numbers + np.where(planted, 12 * spread * rng.choice([-1, 1], 2000), 0.0)
    detector = LabelErrorRegression()
    near = k_nearest(x, 20, metric="euclidean", exclude_self=True)
    view = view_of(detector, classes=(), numbers=numbers, predictions=x[:, 1] * 3.0, neighbours=near)
    (finding,) = detector.find(view)
    assert finding.flagged[planted].mean() > 0.9
    assert planted[finding.flagged].mean() > 0.85
    quiet = x[:, 0] < -0.2
    assert finding.flagged[planted & quiet].mean() > 0.9, "errors of the quiet half stand out from their neighbours"


@pytest.mark.parametrize("law", ["normal", "t3", "laplace"])
def test_null_worlds_are_left_alone(view_of, law):
    rng = np.random.default_rng(1)
    noise = {"normal": rng.normal(size=3000), "t3": rng.standard_t(3, 3000), "laplace": rng.laplace(size=3000)}[law]
    detector = LabelErrorRegression()
    found = detector.find(view_of(detector, classes=(), numbers=noise, predictions=np.zeros(3000)))
    assert sum(finding.n_flagged for finding in found) <= 15


def test_trusted_numbers_are_never_doubted(view_of):
    rng = np.random.default_rng(2)
    numbers = np.append(rng.normal(size=99), 50.0)
    trusted = np.arange(100) == 99
    detector = LabelErrorRegression()
    assert detector.find(view_of(detector, classes=(), numbers=numbers, predictions=np.zeros(100)))[0].flagged[99]
    assert not detector.find(view_of(detector, classes=(), numbers=numbers, predictions=np.zeros(100), trusted=trusted))


def test_refusals(view_of):
    detector = LabelErrorRegression()
    with pytest.raises(NotApplicable, match="class"):
        detector.find(view_of(detector, labels=np.zeros(100, int)))
    with pytest.raises(NotApplicable, match="fewer"):
        detector.find(view_of(detector, classes=(), numbers=np.zeros(3), predictions=np.zeros(3)))
    with pytest.raises(NotApplicable, match="equal their prediction"):
        detector.find(view_of(detector, classes=(), numbers=np.zeros(60), predictions=np.zeros(60)))
