from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LogisticRegression

from tilth.encoding._gradients import colour_layout, gradient_histograms
from tilth.encoding._patches import learn_filters, pooled_responses
from tilth.encoding.image_descriptor import ImageDescriptor

SMALL = ImageDescriptor(dimension=16, filters=8, sample=30)


def shapes(kind: str, n: int, seed: int = 0) -> list[np.ndarray]:
    """Bars of one direction at random places on grey noise."""
    rng = np.random.default_rng(seed)
    images = rng.integers(90, 130, (n, 24, 24, 3))
    for image in images:
        at = rng.integers(4, 18)
        image[(slice(None), slice(at, at + 3)) if kind == "upright" else (slice(at, at + 3), slice(None))] = 240
    return list(images)


def test_an_upright_edge_votes_for_its_direction() -> None:
    image = np.zeros((1, 32, 32, 3), dtype=np.uint8)
    image[:, :, 14:] = 200
    cells = gradient_histograms(image, 8, 9, signed=False).reshape(4, 4, 9)
    assert (cells[:, 1, 0] > 0).all(), "a gradient that points right has angle 0"
    assert not cells[:, 1, 1:].any() and not cells[:, 0].any() and not cells[:, 3].any()
    signed = gradient_histograms(255 - image, 8, 16, signed=True).reshape(4, 4, 16)
    assert (signed[:, 1, 8] > 0).all(), "signed, it points left: half a turn"


def test_colour_layout_by_hand() -> None:
    image = np.zeros((1, 32, 32, 3), dtype=np.uint8)
    image[0, :8, 24:, 0] = 255
    image[0, 8:12, :8, 2] = 255
    means, spreads = colour_layout(image).reshape(2, 4, 4, 3)
    assert means[0, 3].tolist() == [1, 0, 0] and means[1, 0].tolist() == [0, 0, 0.5]
    assert spreads[1, 0, 2] == pytest.approx(0.5) and means.sum() == 1.5


def test_filters_are_blind_to_brightness_and_flat_patches() -> None:
    images = np.array(shapes("upright", 20)).astype(np.uint8)
    filters = learn_filters(images, 8, np.random.default_rng(0))
    np.testing.assert_allclose(pooled_responses(images + 10, filters), pooled_responses(images, filters), atol=1e-3)
    flat = np.stack([np.full((24, 24, 3), level, dtype=np.uint8) for level in (10, 200)])
    np.testing.assert_array_equal(*pooled_responses(flat, filters))


def test_layouts(same_for_all_layouts, png) -> None:
    files = [png(image) for image in shapes("upright", 40) + shapes("level", 40)]
    cells = pa.array([*files, None, b"broken", files[0][:90]], pa.binary())
    same_for_all_layouts(SMALL, cells, pa.array([files[3], None, png(np.zeros((3, 200)))], pa.binary()))


def test_missing_and_broken_images_are_zeros_with_an_indicator(fitted, png) -> None:
    files = [png(image) for image in shapes("level", 20)]
    rows = fitted(SMALL, pa.array([*files, b"broken"], pa.binary()))(
        pa.array([None, b"", b"broken", files[0]], pa.binary())
    )
    assert not rows[:3, :-1].any() and rows[:, -1].tolist() == [1, 1, 1, 0]
    assert rows[3, :-1].any()


def test_nothing_missing_and_one_image(fitted, png) -> None:
    one = png(shapes("level", 1)[0])
    for cells in ([], [None, None], [b"broken"], [one]):
        known = fitted(SMALL, pa.array(cells, pa.binary()))
        assert known(pa.array([one, None], pa.binary()))[:, -1].tolist() == [0, 1]
    assert fitted(SMALL, pa.nulls(2))(pa.nulls(1)).tolist() == [[1]]


def test_directions_are_told_apart(fitted, png) -> None:
    train = [png(image) for kind in ("upright", "level") for image in shapes(kind, 30)]
    test = pa.array([png(image) for kind in ("upright", "level") for image in shapes(kind, 30, seed=1)], pa.binary())
    known = fitted(SMALL, pa.array(train, pa.binary()))
    model = LogisticRegression().fit(known(pa.array(train, pa.binary())), np.repeat([0, 1], 30))
    assert model.score(known(test), np.repeat([0, 1], 30)) > 0.95


def test_margins_are_cut_where_most_images_have_one(fitted, png) -> None:
    def page(top: int, left: int) -> bytes:
        pixels = np.full((80, 80, 3), 255)
        pixels[top : top + 20, left : left + 6] = 0
        return png(pixels)

    known = fitted(SMALL, pa.array([page(5 + i, 40 - i) for i in range(30)], pa.binary()))
    assert known.state["trim"] == 1
    here, there = known(pa.array([page(8, 8), page(50, 60)], pa.binary()))
    np.testing.assert_allclose(here, there, atol=1e-5)
    noise = np.random.default_rng(0).integers(0, 256, (9, 20, 20, 3))
    assert fitted(SMALL, pa.array([png(image) for image in noise], pa.binary())).state["trim"] == 0


def test_real_drawings_are_read(fitted, shared) -> None:
    table = pq.read_table(shared / "roman_numerals" / "roman_numerals.parquet")
    splits, labels = (np.array(table[name].to_pylist()) for name in ("split", "label"))
    keep = np.isin(labels, ["i", "v", "x"])
    train, val = (np.flatnonzero((splits == name) & keep)[::3] for name in ("train", "val"))
    images = table["png"].combine_chunks()
    known = fitted(ImageDescriptor(dimension=64, filters=32, sample=300), images.take(pa.array(train)))
    model = LogisticRegression(max_iter=500).fit(known(images.take(pa.array(train))), labels[train])
    assert model.score(known(images.take(pa.array(val))), labels[val]) > 0.8
