"""What the benchmarks of verdicts rest on: latent dev scores without a gain, laws with known noise, intervals of kept gains."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.quality._lives import DevRows, angle_of
from benchmarks.quality._worlds import LAWS, Law, clopper_pearson, in_slice, world_of
from benchmarks.quality.kept_gains import interval_given_kept, least_kept, paired

from tilth.editing.upweight_slice import UpweightSlice


def test_models_of_the_same_margin_gain_nothing_and_differ_as_often_as_asked():
    rng = np.random.default_rng(0)
    rows = DevRows(base=rng.standard_normal(400_000), margin=0.8)
    shares = np.array([0.01, 0.05, 0.15])
    after = rows.after(rng.standard_normal((3, 400_000)), angle_of(shares, 0.8))
    np.testing.assert_allclose((after != rows.before).mean(axis=1), shares, rtol=0.04)
    assert np.abs(after.mean(axis=1) - rows.before.mean()).max() < 0.002


def test_harm_lowers_accuracy():
    rng = np.random.default_rng(0)
    rows = DevRows(base=rng.standard_normal(100_000), margin=0.8)
    assert (rows.after(rng.standard_normal(100_000), 0.3, 0.15) - rows.before).mean() < -0.03


@pytest.mark.parametrize("noise", ["uniform", "class", "region"])
@pytest.mark.parametrize("k", [2, 4])
def test_as_many_labels_are_wrong_as_asked(noise, k):
    law, rng = Law(name="any", k=k, noise=noise, rate=0.15), np.random.default_rng(1)
    x, truth = law.rows(40_000, rng)
    assert (law.given(x, truth, rng) != truth).mean() == pytest.approx(0.15, abs=0.01)


def test_in_no_class_and_in_no_region_the_truth_is_outvoted():
    for law in LAWS.values():
        rng = np.random.default_rng(2)
        x, truth = law.rows(20_000, rng)
        given = Law(name="any", k=law.k, d=law.d, noise="class").given(x, truth, rng, rate=0.4)
        assert (given != truth)[truth == 0].mean() < 0.5


def test_a_slice_apart_is_worse_off_until_it_counts_more():
    law = replace(LAWS["linear"], apart=True)
    world = world_of(law, n_train=3_000, n_dev=500, seed=0)
    x, truth = law.rows(50_000, np.random.default_rng(3))
    inside = in_slice(x)
    right = world.decisions(world.bench.baseline, x) == truth
    view = replace(world, slices={"apart": in_slice(world.features)}).evidence().view(UpweightSlice(slice="apart"))
    mended = world.bench.fit_edited(UpweightSlice(slice="apart", times=3.0).propose(view))
    gain = (world.decisions(mended, x) == truth).astype(float) - right
    assert inside.mean() == pytest.approx(0.16, abs=0.01)
    assert right[inside].mean() < right[~inside].mean() - 0.1
    assert gain[inside].mean() > 0.03
    assert abs(gain[~inside].mean()) < gain[inside].mean() / 2


def test_the_exact_interval_of_a_share_by_hand():
    """No hit in n: the upper end is 1 - (0.05 / 2)^(1 / n)."""
    assert clopper_pearson(0, 10) == (0.0, pytest.approx(1 - 0.025**0.1))
    low, high = clopper_pearson(10, 10)
    assert (low, high) == (pytest.approx(0.025**0.1), 1.0)


def test_far_above_the_threshold_the_interval_is_the_plain_one():
    low, middle, high = interval_given_kept(np.array([0.05]), np.array([0.005]), np.array([-1.0]))
    np.testing.assert_allclose([low[0], middle[0], high[0]], [0.05 - 0.0098, 0.05, 0.05 + 0.0098], atol=2e-5)


def test_near_the_threshold_the_interval_lies_lower_and_inside_the_wider_plain_one():
    low, middle, high = interval_given_kept(np.array([0.0101]), np.array([0.005]), np.array([0.01]))
    assert 0.0101 - 2.81 * 0.005 <= low[0] < middle[0] < high[0] <= 0.0101 + 2.81 * 0.005
    assert middle[0] < 0.005


def test_a_p_value_at_its_threshold_has_nothing_to_spare():
    least = least_kept(np.array([0.02]), [np.array([0.01])], [np.array([0.01])], np.array([0.01]))
    assert least[0] == pytest.approx(0.02)


def test_the_scarcer_comparison_says_what_would_have_been_kept():
    gain, errors = np.array([0.02]), [np.array([0.005]), np.array([0.01])]
    least = least_kept(gain, errors, [np.array([1e-6]), np.array([0.009])], np.array([0.01]))
    assert 0.0195 < least[0] < 0.02


def test_paired_figures_are_those_of_mcnemar():
    gain, _, low, high, p = paired(5, 0, 100)
    assert (gain, p) == (pytest.approx(0.05), 0.03125)
    assert low < gain < high
