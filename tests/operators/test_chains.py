"""A chain gives what its transforms give one after the other, value for value; tables in it are one pass."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import tilth
from tilth.core.errors import NotApplicable, UsageError
from tilth.editing.brightness import Brightness
from tilth.editing.contrast import Contrast
from tilth.editing.flip import Flip
from tilth.editing.posterize import Posterize
from tilth.editing.rotate import Rotate
from tilth.editing.solarize import Solarize
from tilth.editing.typo import Typo
from tilth.operators import chains
from tilth.operators.batch import Batch
from tilth.operators.chains import apply_chain
from tilth.operators.image_cells import encoded, pixels_in, tensor_cells
from tilth.operators.transforming import PixelWise, differing, draw_of

TABLES = (Brightness(severity=3), Contrast(severity=3), Solarize(severity=2), Posterize(severity=4))
MIXED = (
    Brightness(),
    Solarize(severity=5),
    Flip(),
    Contrast(severity=5),
    Posterize(),
    Rotate(),
    Brightness(severity=5),
)


def rows(side: int, *, decoded: bool) -> Batch:
    pixels = np.random.default_rng(0).integers(0, 256, (9, side, side + 2, 3), dtype=np.uint8)
    cells = tensor_cells(pixels, np.arange(9) != 4) if decoded else pa.array([encoded(one) for one in pixels])
    return Batch(ids=pa.array([f"r{i}" for i in range(9)]), columns={"image": cells})


def one_by_one(transforms, batch: Batch, draws) -> Batch:
    for transform, draw in zip(transforms, draws, strict=True):
        batch = Batch(ids=batch.ids, columns=transform.apply(batch, draw).columns)
    return batch


def draws_for(transforms):
    return [draw_of(one, 0).child(place) for place, one in enumerate(transforms)]


@pytest.mark.parametrize("transforms", [TABLES, TABLES[::-1], MIXED, TABLES[1:2], ()])
@pytest.mark.parametrize("decoded", [True, False])
@pytest.mark.parametrize("side", [20, 130])
def test_a_chain_is_one_after_the_other(transforms, decoded, side):
    batch, draws = rows(side, decoded=decoded), draws_for(transforms)
    after, wanted = apply_chain(transforms, batch, draws), one_by_one(transforms, batch, draws)
    assert not differing(after.columns["image"], wanted.column("image")).any()
    assert np.array_equal(after.applied, differing(batch.column("image"), wanted.column("image")))
    assert after.columns["image"].type == batch.column("image").type


def test_tables_in_a_row_are_one_pass(monkeypatch):
    passes = []
    monkeypatch.setattr(chains, "change_images", lambda *given: passes.append(1) or original(*given))
    assert all(isinstance(one, PixelWise) for one in TABLES)
    assert not isinstance(Rotate(), PixelWise)
    apply_chain(TABLES, rows(20, decoded=True), draws_for(TABLES))
    assert len(passes) == 1


original = chains.change_images


def test_other_columns_are_not_fused():
    pixels = np.full((2, 4, 4, 3), 100, dtype=np.uint8)
    columns = {"a": tensor_cells(pixels), "b": tensor_cells(pixels)}
    chain = (Solarize(severity=5, columns=("a",)), Posterize(severity=5, columns=("b",)))
    after = apply_chain(chain, Batch(ids=pa.array(["x", "y"]), columns=columns), draws_for(chain))
    assert set(pixels_in(after.columns["a"]).ravel().tolist()) == {155}
    assert set(pixels_in(after.columns["b"]).ravel().tolist()) == {64}


def test_failures_and_labels_of_all_steps():
    @tilth.transform(columns=["text"])
    def fails_on_a(row):
        if row.text.startswith("a"):
            raise ValueError("no a")
        return row.text + "!"

    batch = Batch(ids=pa.array(["x", "y"]), columns={"text": pa.array(["a", "b"])})
    after = apply_chain((fails_on_a, fails_on_a), batch, draws_for((fails_on_a, fails_on_a)))
    assert after.columns["text"].to_pylist() == ["a", "b!!"]
    assert after.applied.tolist() == [False, True]
    assert [failure.row_id for failure in after.failures] == ["x", "x"]
    assert after.labels is None


def test_what_is_refused():
    with pytest.raises(UsageError, match="1 transforms with 0 draws"):
        apply_chain((Typo(),), rows(4, decoded=True), ())
    for chain in ((Typo(),), TABLES):
        there = Batch(ids=pa.array(["x"]), columns={"n": pa.array([1.0])})
        with pytest.raises(NotApplicable):
            apply_chain(chain, there, draws_for(chain))
