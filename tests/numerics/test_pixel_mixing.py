"""pixel_mixing: by hand, ends, sizes."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import InputError
from tilth.numerics.pixel_mixing import blended_pixels


def test_by_hand_and_at_the_ends():
    first, second = np.full((2, 3, 3), 100, np.uint8), np.full((2, 3, 3), 200, np.uint8)
    assert set(blended_pixels(first, second, 0.25).ravel().tolist()) == {175}
    assert (blended_pixels(first, second, 1.0) == first).all()
    assert (blended_pixels(first, second, 0.0) == second).all()
    assert blended_pixels(first, second, 0.5).dtype == np.uint8


def test_sizes_must_agree():
    with pytest.raises(InputError, match="cannot be blended"):
        blended_pixels(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 3, 3), np.uint8), 0.5)
