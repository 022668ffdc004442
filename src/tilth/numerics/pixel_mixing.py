"""Two images blended into one.

    round(share * first + (1 - share) * second)

Source: Zhang, Cisse, Dauphin, Lopez-Paz (2018), mixup: Beyond Empirical Risk Minimization, ICLR, section 2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tilth.core.errors import InputError

__all__ = ["blended_pixels"]


def blended_pixels(first: NDArray[np.uint8], second: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """Return the mixture of two images of one size, `share` in [0, 1] of the first; (h, w, c) uint8, the same -> (h, w, c) uint8.

    Raises
    ------
    InputError : the images are of different sizes

    Examples
    --------
    >>> blended_pixels(np.full((1, 1, 3), 100, np.uint8), np.full((1, 1, 3), 200, np.uint8), 0.25).tolist()
    [[[175, 175, 175]]]
    """
    if first.shape != second.shape:
        raise InputError(f"images of {first.shape[:2]} and {second.shape[:2]} pixels cannot be blended")
    mixed = np.float32(share) * first + np.float32(1 - share) * second
    return np.rint(mixed).astype(np.uint8)
