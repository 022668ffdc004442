"""Names for array shapes; numbers are NumPy, text and bytes are Arrow."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Arrays", "Bits", "FloatMatrix32", "IntVector", "Mask", "Matrix", "Vector", "read_only"]

Vector = NDArray[np.float64]
"""(n,) float64."""
Matrix = NDArray[np.float64]
"""(n, k) float64."""
FloatMatrix32 = NDArray[np.float32]
"""(n, d) float32: embeddings."""
IntVector = NDArray[np.intp]
"""(n,) intp: class numbers or positions."""
Mask = NDArray[np.bool_]
"""(n,) bool."""
Bits = NDArray[np.uint64]
"""(n,) uint64: digests and counters."""
Arrays = dict[str, NDArray[Any]]
"""Arrays by name, as evidence is kept."""


_Array = TypeVar("_Array", bound=NDArray[Any])


def read_only(array: _Array) -> _Array:
    """Return a view of the array that refuses writes."""
    view = array.view()
    view.flags.writeable = False
    return view
