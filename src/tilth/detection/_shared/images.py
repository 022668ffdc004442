"""Images from their bytes: thumbnails of a column, for comparing."""

from __future__ import annotations

import struct
import warnings
import zlib
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from PIL import Image, ImageOps

from tilth.numerics.image_signature import Pixels, thumbnail

if TYPE_CHECKING:
    from tilth.core.arrays import IntVector

__all__ = ["holds_images", "thumbnails"]

SHORTEST = 64
"""Least pixels per side to which a JPEG is decoded."""
BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
"""What the decoders raise on damaged files."""


def holds_images(column: pa.ChunkedArray) -> bool:
    """Whether the cells are the bytes of files."""
    return bool(pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type))


def thumbnails(column: pa.ChunkedArray) -> tuple[IntVector, Pixels]:
    """Return positions of cells that hold a readable image (m,), and their thumbnails (m, 32, 32, 3)."""
    positions, small = [], []
    for position, cell in enumerate(column):
        pixels = _pixels(cell.as_py())
        if pixels is not None:
            positions.append(position)
            small.append(thumbnail(pixels))
    stack = np.stack(small) if small else np.empty((0, 32, 32, 3), dtype=np.uint8)
    return np.array(positions, dtype=np.intp), stack


def _pixels(data: bytes | None) -> Pixels | None:
    """Decode to RGB on white, upright; None for no or a broken image."""
    if not data:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.simplefilter("ignore", UserWarning)
            file = Image.open(BytesIO(data))
            file.draft("RGB", (SHORTEST, SHORTEST))
            image = ImageOps.exif_transpose(file)
            if "A" in image.getbands() or "transparency" in image.info:
                image = image.convert("RGBA")
                image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
            grey = image.mode == "L"  # of three equal channels one is enough
            return np.asarray(image if grey else image.convert("RGB"), dtype=np.uint8)
    except BROKEN:
        return None
