"""Names for array shapes; numbers are NumPy, text and bytes are Arrow."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Arrays", "Bits", "FloatMatrix32", "IntVector", "Mask", "Matrix", "Vector", "evenly", "read_only", "rows_of"]

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


def evenly(n: int, most: int) -> IntVector:
    """Return the positions of n rows, or of `most` of them evenly from the first to the last; rising, each once.

    >>> evenly(3, 5).tolist(), evenly(9, 3).tolist(), evenly(0, 3).tolist()
    ([0, 1, 2], [0, 4, 8], [])
    """
    return np.linspace(0, max(n - 1, 0), min(n, most)).astype(np.intp)


_Array = TypeVar("_Array", bound=NDArray[Any])
_Cell = TypeVar("_Cell", bound=np.generic)


def rows_of(array: NDArray[_Cell], rows: IntVector) -> NDArray[_Cell]:
    """Return some rows (m,) of an array (n, …): a copy, or the array itself where they are all of it in their order.

    >>> given = np.array([5.0, 6.0])
    >>> rows_of(given, np.array([0, 1])) is given, rows_of(given, np.array([1, 0])).tolist()
    (True, [6.0, 5.0])
    """
    is_whole = len(rows) == len(array) and bool((rows == np.arange(len(rows))).all())
    return array if is_whole else array[rows]


def read_only(array: _Array) -> _Array:
    """Return a view of the array that refuses writes."""
    view = array.view()
    view.flags.writeable = False
    return view
