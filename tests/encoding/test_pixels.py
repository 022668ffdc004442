from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tilth.encoding._pixels import SIDE, crop_to_content, open_image, thumbnails

WHITE = np.full((40, 60, 3), 255)


def drawing() -> np.ndarray:
    pixels = WHITE.copy()
    pixels[10:30, 20:24] = 0
    return pixels


def test_content_is_cut_out_and_centred_by_hand() -> None:
    content = crop_to_content(Image.fromarray(drawing().astype(np.uint8)))
    assert content is not None and content.size == (20, 20)
    values = np.asarray(content)[..., 0]
    np.testing.assert_array_equal(values[:, 8:12], 0)
    assert (values[:, :8] == 255).all() and (values[:, 12:] == 255).all()


def test_specks_do_not_stretch_the_box() -> None:
    pixels = np.full((200, 200, 3), 255)
    pixels[80:120, 80:120] = 0
    pixels[2, 2] = 0
    content = crop_to_content(Image.fromarray(pixels.astype(np.uint8)))
    assert content is not None and content.size[0] < 45


def test_photographs_and_blanks_have_no_margin() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    for pixels in (noise, WHITE.astype(np.uint8)):
        assert crop_to_content(Image.fromarray(pixels)) is None
    pair, has_margin = thumbnails(Image.fromarray(noise))
    assert not has_margin and pair.shape == (2, SIDE, SIDE, 3)
    np.testing.assert_array_equal(pair[0], pair[1])


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "1", "I;16", "CMYK"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    image = Image.fromarray(drawing().astype(np.uint8))
    image = (
        Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
        if mode == "I;16"
        else image.convert(mode)
    )
    file = io.BytesIO()
    image.save(file, "TIFF" if mode == "CMYK" else "PNG")
    found = open_image(file.getvalue(), SIDE)
    assert found is not None and found.mode == "RGB"
    assert np.asarray(found)[20, 22].max() < 30 and np.asarray(found)[0, 0].min() > 225


def test_transparency_is_white_and_orientation_is_obeyed(png) -> None:
    clear = np.zeros((4, 4, 4))
    found = open_image(png(clear), SIDE)
    assert found is not None and np.asarray(found).min() == 255
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = open_image(png(drawing(), "JPEG", exif=exif), SIDE)
    assert turned is not None and turned.size == (40, 60)


def test_broken_files_are_none(png) -> None:
    whole = png(drawing())
    for cell in (None, b"", b"no image", whole[:60], whole[: len(whole) // 2], b"\x89PNG\r\n\x1a\n" + b"\0" * 50):
        assert open_image(cell, SIDE) is None


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
def test_no_damage_raises(png, kind: str) -> None:
    whole = bytearray(png(drawing(), kind))
    rng = np.random.default_rng(0)
    for _ in range(60):
        hurt = whole.copy()
        for place in rng.integers(0, len(hurt), 4):
            hurt[place] = rng.integers(256)
        open_image(bytes(hurt[: rng.integers(1, len(hurt) + 1)]), SIDE)


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch, png) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert open_image(png(drawing()), SIDE) is None
