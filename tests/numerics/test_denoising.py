"""Denoising: noise that the likelihood confirms is found, overlap is not taken for it."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import InputError
from tilth.numerics.denoising import denoise


def world(n=3000, k=3, shift=1.6, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)
    x = (rng.normal(size=(n, 6)) + 2 * shift * np.eye(k, 6)[truth] / np.sqrt(2)).astype(np.float32)
    flipped = rng.random(n) < noise
    labels = np.where(flipped, (truth + rng.integers(1, k, n)) % k, truth)
    return x, truth, labels, rng.integers(0, 4, n)


@pytest.mark.parametrize("shift", [0.5, 1.0, 2.0])
def test_classes_that_overlap_are_not_taken_for_noise(shift):
    x, truth, _, folds = world(shift=shift)
    found = denoise(x, truth, folds, 3, 1.0)
    assert found.noise_rate < 0.04
    assert (found.truth.argmax(axis=1) == truth).mean() > 0.98


@pytest.mark.parametrize("noise", [0.1, 0.3])
def test_planted_noise_is_found_and_undone(noise):
    x, truth, labels, folds = world(noise=noise)
    found = denoise(x, labels, folds, 3, 1.0)
    assert found.noise_rate == pytest.approx(noise, abs=0.04)
    wrong_before = (labels != truth).mean()
    assert (found.truth.argmax(axis=1) != truth).mean() < 0.7 * wrong_before
    off = found.transition[~np.eye(3, dtype=bool)]
    assert off == pytest.approx(noise / 2, abs=0.05)


def test_the_posterior_is_calibrated_where_the_model_is_right():
    x, truth, labels, folds = world(n=8000, noise=0.25)
    found = denoise(x, labels, folds, 3, 1.0)
    own = found.truth[np.arange(len(truth)), labels]
    for low, high in ((0.0, 0.3), (0.3, 0.7), (0.7, 1.0)):
        inside = (own >= low) & (own <= high)
        assert own[inside].mean() == pytest.approx((labels == truth)[inside].mean(), abs=0.06)


def test_rows_are_probabilities_and_the_same_again():
    x, _, labels, folds = world(n=300, noise=0.2)
    one, two = (denoise(x, labels, folds, 4, 1.0) for _ in range(2))  # a class without rows
    assert one.truth.sum(axis=1) == pytest.approx(1.0)
    assert np.array_equal(one.truth, two.truth)
    assert one.transition.sum(axis=1) == pytest.approx(1.0)


def test_a_part_of_the_rows_may_teach_the_transition():
    x, _, labels, folds = world(noise=0.2)
    part = denoise(x, labels, folds, 3, 1.0, cells=3600)
    assert part.truth.shape == (3000, 3)
    assert part.noise_rate == pytest.approx(0.2, abs=0.06)


def test_a_table_sorted_by_label_teaches_the_transition_of_every_class():
    x, truth, labels, folds = world(n=6000, k=6, noise=0.2)
    order = np.argsort(labels, kind="stable")
    found = denoise(x[order], labels[order], folds[order], 6, 1.0, cells=6 * 1500)
    assert found.noise_rate == pytest.approx(0.2, abs=0.05)
    assert (found.truth.argmax(axis=1) == truth[order]).mean() > (labels == truth).mean() + 0.05


def test_with_few_rows_per_class_no_class_is_taken_for_another():
    rng = np.random.default_rng(0)
    k, n = 40, 1600
    truth, families = rng.integers(0, k, n), rng.normal(size=(10, 60))
    means = 0.7 * families[np.arange(k) % 10] + 0.3 * rng.normal(size=(k, 60))
    x = means[truth] / np.linalg.norm(means, axis=1)[truth][:, None] + 1.2 * rng.normal(size=(n, 60)) / np.sqrt(60)
    labels = np.where(rng.random(n) < 0.3, (truth + rng.integers(1, k, n)) % k, truth)
    found = denoise((x / np.sqrt((x**2).sum(axis=1).mean())).astype(np.float32), labels, np.arange(n) % 4, k, 0.3)
    assert found.transition.diagonal().min() > 0.5
    assert (found.truth.argmax(axis=1) == truth).mean() > (labels == truth).mean() + 0.05


def test_one_fold_is_refused():
    x, _, labels, _ = world(n=50)
    with pytest.raises(InputError, match="two folds"):
        denoise(x, labels, np.zeros(50, dtype=int), 3, 1.0)
