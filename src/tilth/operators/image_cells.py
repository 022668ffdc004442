"""Images as cells: encoded bytes, opened leniently in format and strictly in content, or decoded pixels of one size.

A column of decoded pixels (`tensor_cells`) goes through a chain of transforms without being opened or encoded on the way.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from io import BytesIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

__all__ = ["Pixels", "compressed", "encoded", "holds_pixels", "open_image", "pixels_in", "pixels_of", "tensor_cells"]

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


# -- decoded pixels ----------------------------------------------------------------------------------------------------


def holds_pixels(kind: pa.DataType) -> bool:
    """Whether an Arrow type is that of decoded RGB images of one size: a tensor of bytes, (h, w, 3), in this order."""
    if not isinstance(kind, pa.FixedShapeTensorType) or kind.value_type != pa.uint8():
        return False
    order = kind.permutation
    shape = kind.shape
    return len(shape) == 3 and shape[2] == 3 and min(shape) > 0 and (order is None or list(order) == [0, 1, 2])


def tensor_cells(pixels: Pixels, valid: NDArray[np.bool_] | None = None) -> pa.ExtensionArray:
    """Return images as a column of decoded pixels, without a copy where the array is contiguous.

    Parameters
    ----------
    pixels : (n, h, w, 3) uint8, h and w at least 1; must not be written to afterwards
    valid : (n,) False where a cell is missing, whatever its pixels; None for no missing cell

    Returns
    -------
    (n,) of type fixed_shape_tensor(uint8, (h, w, 3))

    Examples
    --------
    >>> column = tensor_cells(np.zeros((2, 4, 5, 3), dtype=np.uint8))
    >>> column.type.shape, pixels_in(column).shape
    ([4, 5, 3], (2, 4, 5, 3))
    """
    shape = pixels.shape[1:]
    kind = pa.fixed_shape_tensor(pa.uint8(), shape)
    flat = pa.py_buffer(np.ascontiguousarray(pixels).reshape(-1))
    values = pa.Array.from_buffers(pa.uint8(), pixels.size, [None, flat])
    missing = None if valid is None or valid.all() else pa.array(~valid)
    storage = pa.FixedSizeListArray.from_arrays(values, type=kind.storage_type, mask=missing)
    return pa.ExtensionArray.from_storage(kind, storage)


def pixels_in(column: pa.ExtensionArray) -> Pixels:
    """Return a column of decoded pixels as (n, h, w, 3) uint8, not writable, without a copy; missing cells hold anything."""
    shape = tuple(column.type.shape)
    size = int(np.prod(shape))
    values = column.storage.values
    flat = np.frombuffer(values.buffers()[1] or b"", dtype=np.uint8)
    start = values.offset + column.storage.offset * size
    pixels = flat[start : start + len(column) * size].reshape(len(column), *shape)
    pixels.flags.writeable = False
    return pixels
