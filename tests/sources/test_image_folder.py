"""Image folders: classes, splits, broken images."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tilth.core.errors import SourceError
from tilth.sources import open_source
from tilth.sources.image_folder import ImageFolder, parse_image_folder


def picture(kind="PNG", size=8):
    sink = io.BytesIO()
    pixels = np.arange(size * size * 3, dtype=np.uint8).reshape(size, size, 3)
    Image.fromarray(pixels).save(sink, format=kind)
    return sink.getvalue()


def put(folder, **files):
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def test_one_row_per_image_with_its_class(tmp_path):
    put(
        tmp_path,
        cat__1_dot_png=picture(),
        dog__2_dot_jpg=picture("JPEG"),
        dog__deep__3_dot_gif=picture("GIF"),
    )
    table = ImageFolder(path=str(tmp_path)).read()
    assert table.column_names == ["image", "label", "path"]
    assert table.column("label").to_pylist() == ["cat", "dog", "dog"]
    assert table.column("path").to_pylist() == ["cat/1.png", "dog/2.jpg", "dog/deep/3.gif"]
    assert table.column("image")[0].as_py() == picture()


def test_a_split_level_is_seen_and_kept_by_name(tmp_path):
    put(
        tmp_path,
        train__cat__1_dot_png=picture(),
        val__dog__1_dot_png=picture(),
        label_book__cat__1_dot_png=picture(),
    )
    raw = open_source(tmp_path)
    assert raw.table.column("_tilth_split").to_pylist() == ["label_book", "train", "val"]
    assert raw.table.column("label").to_pylist() == ["cat", "cat", "dog"]


def test_a_class_called_test_is_no_split(tmp_path):
    put(tmp_path, test__1_dot_png=picture(), other__1_dot_png=picture())
    raw = open_source(tmp_path)
    assert raw.table.column_names == ["image", "label", "path"]
    assert raw.table.column("label").to_pylist() == ["other", "test"]


def test_images_outside_class_folders_have_no_label(tmp_path):
    put(tmp_path, loose_dot_png=picture(), cat__1_dot_png=picture())
    assert ImageFolder(path=str(tmp_path)).read().column("label").to_pylist() == ["cat", None]


def test_broken_images_are_named_and_make_no_row(tmp_path):
    whole = picture("JPEG", 64)
    put(
        tmp_path,
        a__1_dot_png=picture(),
        a__2_dot_png=b"no image",
        b__3_dot_jpg=whole[: len(whole) // 2],
        b__4_dot_png=b"",
    )
    found = parse_image_folder(tmp_path, "photos").rows
    assert found.table.column("path").to_pylist() == ["a/1.png"]
    assert [image.path for image in found.broken_images] == ["a/2.png", "b/3.jpg", "b/4.png"]
    assert all(image.row is None and image.why for image in found.broken_images)
    assert "3 images cannot be read: a/2.png, b/3.jpg, b/4.png" in found.warnings[0]


def test_other_files_are_left_out_with_a_warning_and_hidden_ones_without(tmp_path):
    put(tmp_path, a__1_dot_png=picture(), a__notes_dot_txt=b"x")
    (tmp_path / "a" / ".DS_Store").write_bytes(b"x")
    rows = parse_image_folder(tmp_path, "photos").rows
    assert rows.warnings == ("photos: 1 files are no images: a/notes.txt",)


def test_the_digest_follows_content_and_name(tmp_path):
    put(tmp_path, a__1_dot_png=picture())
    first = parse_image_folder(tmp_path, "p").digest
    assert parse_image_folder(tmp_path, "p").digest == first
    put(tmp_path, a__1_dot_png=picture(size=4))
    assert parse_image_folder(tmp_path, "p").digest != first


def test_nothing_to_read_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r"no such folder"):
        ImageFolder(path=str(tmp_path / "nowhere")).read()
    with pytest.raises(SourceError, match=r"no images in the folder"):
        ImageFolder(path=str(tmp_path)).read()
    put(tmp_path, a__1_dot_png=b"x")
    with pytest.raises(SourceError, match=r"all 1 images are broken"):
        ImageFolder(path=str(tmp_path)).read()
