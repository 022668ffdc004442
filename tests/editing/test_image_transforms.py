"""What every transform of images does with images of mixed sizes and modes, broken ones, grey ones and the smallest."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from transform_rows import images

from tilth.core.errors import ConfigError, NotApplicable
from tilth.core.schema import ColumnType
from tilth.operators.batch import Batch
from tilth.operators.image_cells import pixels_in, pixels_of, tensor_cells
from tilth.operators.registry import make, names
from tilth.operators.transforming import draw_of

NAMES = [name for name in names("editing", "apply") if make("editing", name).accepts == frozenset({ColumnType.IMAGE})]
GRADED = [name for name in NAMES if hasattr(make("editing", name), "severity")]
RNG = np.random.default_rng(0)


def cell(mode: str, size: tuple[int, int] = (9, 7), kind: str = "PNG", **how) -> bytes:
    height, width = size[1], size[0]
    pixels = RNG.integers(0, 256, (height, width, 4), dtype=np.uint8)
    image = (
        Image.fromarray(pixels).convert(mode)
        if mode != "I;16"
        else Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)
    )
    sink = BytesIO()
    image.save(sink, format=kind, **how)
    return sink.getvalue()


def applied(name: str, batch: Batch, **parameters):
    transform = make("editing", name, **parameters)
    return transform.apply(batch, draw_of(transform, 0))


def test_all_are_there():
    wanted = [
        "shear",
        "translate",
        "perspective",
        "elastic",
        "colour",
        "sharpness",
        "posterize",
        "solarize",
        "equalize",
        "autocontrast",
    ]
    assert set(wanted) <= set(GRADED)
    assert len(NAMES) >= 19


@pytest.mark.parametrize("name", NAMES)
def test_mixed_sizes_modes_and_formats(name):
    cells = [cell(mode) for mode in ("RGB", "L", "LA", "RGBA", "P", "1", "I;16")]
    cells += [cell("RGB", kind="JPEG"), cell("CMYK", kind="JPEG"), cell("P", kind="GIF"), cell("RGB", (30, 5))]
    batch = images(0, cells=cells)
    after = applied(name, batch)
    for was, now, differs in zip(cells, after.columns["image"].to_pylist(), after.applied, strict=True):
        before, found = pixels_of(was), pixels_of(now)
        assert found.shape == before.shape
        assert differs == (now != was)
        assert differs == (not np.array_equal(found, before))  # a cell with the same pixels keeps its bytes


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_image_stays(name):
    whole = cell("RGB", (40, 40))
    cells = [None, b"", b"no image", whole[:60], whole[: len(whole) // 2], b"\x89PNG\r\n\x1a\n", whole]
    after = applied(name, images(0, cells=cells))
    assert after.columns["image"].to_pylist()[:-1] == cells[:-1]
    assert not after.applied[:-1].any()
    assert not after.failures


@pytest.mark.parametrize("severity", [1, 5])
@pytest.mark.parametrize("name", GRADED)
def test_the_smallest_images_keep_their_size(name, severity):
    for size in ((1, 1), (1, 8), (8, 1), (2, 3)):
        cells = [cell("RGB", size) for _ in range(3)]
        after = applied(name, images(0, cells=cells), severity=severity)
        assert [pixels_of(one).shape for one in after.columns["image"].to_pylist()] == [(size[1], size[0], 3)] * 3
        decoded = tensor_cells(np.stack([pixels_of(one) for one in cells]))
        again = applied(name, Batch(ids=after_ids(3), columns={"image": decoded}), severity=severity)
        assert np.array_equal(
            pixels_in(again.columns["image"]), [pixels_of(one) for one in after.columns["image"].to_pylist()]
        )


def after_ids(rows: int) -> pa.Array:
    return pa.array([f"r{i}" for i in range(rows)], pa.string())


@pytest.mark.parametrize("name", NAMES)
def test_grey_images_stay_grey(name):
    if name == "gaussian_noise":
        pytest.skip("noise is drawn for each channel")
    batch = images(0, cells=[cell("L", (16, 16)) for _ in range(4)])
    for one in applied(name, batch).columns["image"].to_pylist():
        found = pixels_of(one).astype(int)
        assert np.abs(found - found[..., :1]).max() <= (2 if name == "jpeg_quality" else 0)


@pytest.mark.parametrize("name", NAMES)
def test_other_columns_and_missing_ones_are_refused(name):
    batch = Batch(
        ids=after_ids(2),
        columns={"text": pa.array(["a", "b"]), "vector": pa.array([[1.0, 2.0]] * 2, pa.list_(pa.float32(), 2))},
    )
    with pytest.raises(NotApplicable, match="columns of type image"):
        applied(name, batch)


@pytest.mark.parametrize("name", GRADED)
@pytest.mark.parametrize("severity", [0, 6, True, 2.5])
def test_what_is_no_severity(name, severity):
    with pytest.raises(ConfigError, match="severity cannot be"):
        make("editing", name, severity=severity)


@pytest.mark.parametrize("name", GRADED)
def test_what_is_stronger_changes_more(name):
    smooth = np.asarray(
        Image.fromarray(RNG.integers(20, 230, (6, 6, 3), dtype=np.uint8)).resize((48, 48), Image.Resampling.BICUBIC)
    )
    batch = Batch(ids=after_ids(12), columns={"image": tensor_cells(np.tile(smooth, (12, 1, 1, 1)))})
    moved = []
    for severity in (1, 3, 5):
        after = pixels_in(applied(name, batch, severity=severity).columns["image"])
        moved.append(np.abs(after.astype(int) - smooth).mean())
    assert moved[0] < moved[1] < moved[2]
