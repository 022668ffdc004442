from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import InputError, SchemaChangedError
from tilth.encoding.vector import Vector


def test_one_number_scales_all(fitted) -> None:
    known = fitted(Vector(), [[3.0, 4.0], [0.0, 0.0], None])
    np.testing.assert_allclose(known([[3.0, 4.0], None]), [[3 * np.sqrt(2) / 5, 4 * np.sqrt(2) / 5], [0, 0]], rtol=1e-6)


def test_layouts(same_for_all_layouts) -> None:
    rows = np.random.default_rng(0).standard_normal((90, 5)).astype(np.float32).tolist()
    rows[7] = None
    same_for_all_layouts(Vector(sample=30), pa.array(rows, pa.list_(pa.float32(), 5)))


@pytest.mark.parametrize("kind", [pa.list_(pa.float64()), pa.large_list(pa.float32()), pa.list_(pa.float16(), 2)])
def test_physical_types_agree(fitted, kind: pa.DataType) -> None:
    rows = [[1.0, 2.0], None, [0.5, -1.0]]
    np.testing.assert_array_equal(
        fitted(Vector(), pa.array(rows, kind))(pa.array(rows, kind)), fitted(Vector(), rows)(rows)
    )


def test_a_vector_with_a_missing_or_infinite_number_is_missing(fitted) -> None:
    known = fitted(Vector(), [[1.0, 1.0]])
    assert not known(pa.array([[1.0, None], [np.nan, 1.0], [np.inf, 0.0]])).any()


def test_widths_that_differ_are_refused(fitted) -> None:
    with pytest.raises(InputError, match="1 to 2 numbers"):
        fitted(Vector(), [[1.0], [1.0, 2.0]])
    with pytest.raises(SchemaChangedError, match="3 numbers, those of the train rows have 2"):
        fitted(Vector(), [[1.0, 2.0]])([[1.0, 2.0, 3.0]])
    with pytest.raises(InputError, match="vectors"):
        fitted(Vector(), [1.0, 2.0])


def test_nothing_and_missing_only(fitted) -> None:
    kind = pa.list_(pa.float32(), 2)
    assert fitted(Vector(), pa.array([], kind))(pa.nulls(2, kind)).shape[0] == 2
    assert fitted(Vector(), [[1.0, 0.0]])(pa.nulls(2)).tolist() == [[0, 0], [0, 0]]
    assert fitted(Vector(), pa.nulls(2))(pa.nulls(1)).shape == (1, 0)
