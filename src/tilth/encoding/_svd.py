"""Leading right singular vectors of a matrix, by a random projection and power iterations.

Source: Halko, Martinsson, Tropp (2011), SIAM Review 53, algorithms 4.4 and 5.1.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from tilth.core.arrays import FloatMatrix32, Vector

__all__ = ["truncated_svd"]

_OVERSAMPLE = 16
_FLAT = 1e-3


def truncated_svd(
    matrix: csr_array | FloatMatrix32, rank: int, rng: np.random.Generator, power: int = 1
) -> tuple[Vector, FloatMatrix32]:
    """Return the leading singular values (r,) and right singular vectors (v, r) of an (n, v) matrix.

    r <= rank: directions with less than 0.1 % of the first singular value are left out. Each vector's largest entry is
    positive, so that the signs are fixed. Cost: O(nnz rank) per product, 2 + 2 power products, and two QR of (n, rank).

    Parameters
    ----------
    matrix : (n, v) float32, sparse or dense
    rank : directions wanted, at least 1
    rng : draws the projection
    power : power iterations; one is enough for spectra of texts, where no direction stands out

    Randomness: the generator decides everything.

    Source: Halko, Martinsson, Tropp (2011), SIAM Review 53, algorithms 4.4 and 5.1.
    """
    n, v = matrix.shape
    width = min(rank + _OVERSAMPLE, n, v)
    basis = matrix @ rng.standard_normal((v, width), dtype=np.float32)
    across = np.ascontiguousarray(matrix.T) if isinstance(matrix, np.ndarray) else csr_array(matrix.T)
    for _ in range(power):
        basis = matrix @ (across @ np.linalg.qr(basis)[0])
    images = across @ np.linalg.qr(basis)[0]
    squares, turns = np.linalg.eigh((images.T @ images).astype(np.float64))
    values = np.sqrt(np.maximum(squares[::-1][:rank], 0.0))
    kept = values > _FLAT * values.max(initial=1e-12)
    scaled = (turns[:, ::-1][:, :rank][:, kept] / values[kept]).astype(np.float32)
    vectors = images @ scaled
    peaks = vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])]
    return values[kept], np.asarray(vectors * np.sign(peaks), dtype=np.float32)
