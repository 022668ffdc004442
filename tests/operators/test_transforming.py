"""Images that are decoded already go through transforms without bytes: made, read, compared and changed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import NotApplicable
from tilth.core.schema import ColumnType
from tilth.editing.brightness import Brightness
from tilth.editing.flip import Flip
from tilth.operators.batch import Batch
from tilth.operators.image_cells import encoded, holds_pixels, pixels_in, pixels_of, tensor_cells
from tilth.operators.transforming import change_images, differing, draw_of, fits_column

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 6, 7, 3), dtype=np.uint8)
VALID = np.array([True, False, True, True, False])
IMAGE = frozenset({ColumnType.IMAGE})


def rows(column: pa.Array) -> Batch:
    return Batch(ids=pa.array([f"r{i}" for i in range(len(column))]), columns={"image": column})


def test_pixels_to_cells_and_back_without_a_copy():
    column = tensor_cells(PIXELS)
    assert column.type == pa.fixed_shape_tensor(pa.uint8(), (6, 7, 3))
    assert np.shares_memory(pixels_in(column), PIXELS)
    assert np.array_equal(pixels_in(column), PIXELS)
    assert np.array_equal(pixels_in(column[2:4]), PIXELS[2:4])
    assert np.array_equal(pixels_in(column.take(pa.array([3, 0]))), PIXELS[[3, 0]])
    assert not pixels_in(column).flags.writeable
    assert len(pixels_in(tensor_cells(PIXELS[:0]))) == 0
    assert np.array_equal(pixels_in(tensor_cells(PIXELS[:, ::-1])), PIXELS[:, ::-1])


def test_missing_cells_stay_missing():
    column = tensor_cells(PIXELS, VALID)
    assert column.is_valid().to_pylist() == VALID.tolist()
    assert np.array_equal(pixels_in(column)[VALID], PIXELS[VALID])
    after = change_images(rows(column), ["image"], lambda images, _: 255 - images)
    assert after.columns["image"].is_valid().to_pylist() == VALID.tolist()
    assert np.array_equal(pixels_in(after.columns["image"])[VALID], 255 - PIXELS[VALID])
    assert after.applied.tolist() == VALID.tolist()
    nothing = change_images(rows(pa.nulls(3, column.type)), ["image"], lambda images, _: 255 - images)
    assert nothing.columns["image"].null_count == 3
    assert not nothing.applied.any()


@pytest.mark.parametrize(
    ("kind", "fits"),
    [
        (pa.fixed_shape_tensor(pa.uint8(), (6, 7, 3)), True),
        (pa.fixed_shape_tensor(pa.uint8(), (6, 7)), False),
        (pa.fixed_shape_tensor(pa.uint8(), (6, 7, 4)), False),
        (pa.fixed_shape_tensor(pa.float32(), (6, 7, 3)), False),
        (pa.fixed_shape_tensor(pa.uint8(), (6, 7, 3), permutation=[2, 0, 1]), False),
        (pa.list_(pa.uint8(), 126), False),
    ],
)
def test_which_tensors_are_images(kind, fits):
    assert holds_pixels(kind) is fits
    assert fits_column(IMAGE, kind) is fits
    assert not fits_column(
        frozenset({ColumnType.EMBEDDING, ColumnType.TEXT}), pa.fixed_shape_tensor(pa.uint8(), (1, 1, 3))
    )


def test_a_tensor_that_holds_no_image_is_refused():
    column = pa.ExtensionArray.from_storage(
        pa.fixed_shape_tensor(pa.uint8(), (3, 2)), pa.array([[1, 2, 3, 4, 5, 6]], pa.list_(pa.uint8(), 6))
    )
    with pytest.raises(NotApplicable, match="columns of type image"):
        Flip().apply(rows(column), draw_of(Flip(), 0))


def test_which_rows_differ_down_to_one_value():
    other = PIXELS.copy()
    other[2, 5, 6, 2] ^= 1
    other[4, 0, 0, 0] ^= 1
    assert differing(tensor_cells(PIXELS), tensor_cells(other)).tolist() == [False, False, True, False, True]
    assert differing(tensor_cells(PIXELS, VALID), tensor_cells(other)).tolist() == [False, True, True, False, True]
    assert differing(tensor_cells(PIXELS, VALID), tensor_cells(other, VALID)).tolist() == [
        False,
        False,
        True,
        False,
        False,
    ]
    assert differing(tensor_cells(PIXELS), tensor_cells(PIXELS[:, :5])).all()


def test_blocks_are_put_together_in_order_and_digests_are_those_of_the_rows():
    many = np.random.default_rng(1).integers(0, 256, (150, 2, 3, 3), dtype=np.uint8)
    for valid in (np.ones(150, dtype=bool), np.arange(150) % 7 != 2):
        there = Batch(
            ids=pa.array([f"r{i}" for i in range(150)]),
            columns={"image": tensor_cells(many, valid)},
        )
        bytes_ = [encoded(image) if ok else None for image, ok in zip(many, valid, strict=True)]
        after = Brightness().apply(there, draw_of(Brightness(), 0))
        wanted = Brightness().apply(rows(pa.array(bytes_)), draw_of(Brightness(), 0))
        assert after.applied.tolist() == wanted.applied.tolist()
        expected = np.stack([pixels_of(cell) for cell in wanted.columns["image"].to_pylist() if cell])
        assert np.array_equal(pixels_in(after.columns["image"])[valid], expected)
