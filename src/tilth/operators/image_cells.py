"""Encoded images as pixels and back: opened leniently in format, strictly in content."""

from __future__ import annotations

import struct
import warnings
import zlib
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

__all__ = ["Pixels", "compressed", "encoded", "open_image", "pixels_of"]

Pixels = NDArray[np.uint8]
"""(h, w, 3) uint8: one image in RGB; or (n, h, w, 3): several of one size."""
_WHOLE = 1 << 16
"""Shortest side from which a JPEG would be decoded smaller."""
_BROKEN = (
    OSError,
    UnidentifiedImageError,
    SyntaxError,
    ValueError,
    TypeError,
    EOFError,
    IndexError,
    KeyError,
    OverflowError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
"""What Pillow's readers raise on damaged files."""


def open_image(cell: bytes | None, shortest: int) -> Image.Image | None:
    """Return an RGB image, or None for no or a broken one.

    A JPEG is decoded at the smallest scale that leaves `shortest` pixels a side; its orientation tag is obeyed; what is
    transparent becomes white; of an animation the first frame counts.
    """
    if not cell:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.simplefilter("ignore", UserWarning)
            image = Image.open(BytesIO(cell))
            image.draft("RGB", (shortest, shortest))
            return _opaque(ImageOps.exif_transpose(image))
    except _BROKEN:
        return None


def pixels_of(cell: bytes | None) -> Pixels | None:
    """Return an image as (h, w, 3) uint8 pixels in its own size, or None for no or a broken one."""
    image = open_image(cell, _WHOLE)
    return None if image is None else np.asarray(image, dtype=np.uint8)


def encoded(pixels: Pixels) -> bytes:
    """Return (h, w, 3) uint8 pixels as PNG, which loses nothing."""
    sink = BytesIO()
    Image.fromarray(pixels).save(sink, format="PNG", compress_level=1)
    return sink.getvalue()


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode in {"I", "F"}:
        image = _eight_bits(image)
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(ground, image).convert("RGB")
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return a grey image of 16 or 32 bits in 8: Pillow's own conversion clips instead of scaling."""
    values = np.asarray(image, dtype=np.float64)
    top = 65_535.0 if values.max(initial=0.0) > 255 else 255.0
    return Image.fromarray(np.clip(values * (255.0 / top), 0, 255).astype(np.uint8))


def compressed(pixels: Pixels, quality: int) -> Pixels:
    """Return (h, w, 3) uint8 pixels as they are after JPEG of a quality in 1 to 95."""
    sink = BytesIO()
    Image.fromarray(pixels).save(sink, format="JPEG", quality=quality)
    return np.asarray(Image.open(sink).convert("RGB"), dtype=np.uint8)
