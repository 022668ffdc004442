from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from tilth.encoding._svd import truncated_svd


def low_rank(n: int, v: int, rank: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (rng.standard_normal((n, rank)) * 2.0 ** -np.arange(rank) @ rng.standard_normal((rank, v))).astype(
        np.float32
    )


@pytest.mark.parametrize(("n", "v"), [(80, 30), (30, 80)])
@pytest.mark.parametrize("sparse", [True, False])
def test_finds_the_singular_vectors_of_a_low_rank_matrix(n: int, v: int, sparse: bool) -> None:
    dense = low_rank(n, v, 5)
    values, vectors = truncated_svd(csr_array(dense) if sparse else dense, 4, np.random.default_rng(1))
    _, expected, turned = np.linalg.svd(dense, full_matrices=False)
    np.testing.assert_allclose(values, expected[:4], rtol=1e-4)
    np.testing.assert_allclose(np.abs(np.einsum("ij,ji->i", turned[:4], vectors)), 1.0, atol=1e-4)


def test_signs_are_fixed_and_flat_directions_left_out() -> None:
    values, vectors = truncated_svd(csr_array(low_rank(60, 40, 3)), 10, np.random.default_rng(0))
    assert len(values) == vectors.shape[1] == 3
    assert (vectors.max(axis=0) == np.abs(vectors).max(axis=0)).all()


def test_a_matrix_of_zeros_has_no_direction() -> None:
    values, vectors = truncated_svd(csr_array((4, 6), dtype=np.float32), 3, np.random.default_rng(0))
    assert len(values) == 0 and vectors.shape == (6, 0)
