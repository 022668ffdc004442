"""Gaussian noise: of the deviation that it promises, stronger with severity, the same noise for all severities."""

from __future__ import annotations

import numpy as np
from transform_rows import images, pixels

from tilth.editing.gaussian_noise import GaussianNoise
from tilth.operators.transforming import draw_of


def distance(severity):
    batch = images(4, 32)
    after = GaussianNoise(severity=severity).apply(batch, draw_of(GaussianNoise(), 0))
    return np.abs(pixels(after).astype(float) - pixels(batch)).mean()


def test_it_rises_with_severity():
    found = [distance(severity) for severity in (1, 2, 3, 4, 5)]
    assert found == sorted(found)
    assert found[0] > 0


def test_its_deviation():
    batch = images(6, 64, flat=True)
    after = GaussianNoise(severity=2).apply(batch, draw_of(GaussianNoise(), 0))
    difference = pixels(after).astype(float) - pixels(batch)
    assert abs(difference.std() - 10) < 0.1
    assert abs(difference.mean()) < 0.1
