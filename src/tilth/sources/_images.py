"""Images in tables: which columns hold them, their bytes loaded, the broken ones named."""

from __future__ import annotations

import io
import os
import struct
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image, UnidentifiedImageError

from tilth.sources._content import is_url
from tilth.sources._tables import BrokenImage, binary_column

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "IMAGE_SUFFIXES",
    "holds_image_bytes",
    "holds_image_paths",
    "load_images",
    "read_image",
    "why_broken",
    "why_each_broken",
]

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"P5", b"P6")
_LOOKED_AT = 64
_DECODER_ERRORS = (
    ArithmeticError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    SyntaxError,  # how the decoder of PNG reports a broken file
    TypeError,
    ValueError,
    Image.DecompressionBombError,
    struct.error,
)


def holds_image_bytes(column: pa.ChunkedArray) -> bool:
    """Whether at least half of the first cells are encoded images, or structs of image bytes and path."""
    if _is_image_struct(column.type):
        return True
    if not _is_bytes(column.type):
        return False
    cells = _first_cells(column)
    return bool(cells) and 2 * sum(_has_signature(cell) for cell in cells) >= len(cells)


def holds_image_paths(column: pa.ChunkedArray) -> bool:
    """Whether nearly all of the first cells are file names of images."""
    if not pa.types.is_string(column.type):
        return False
    cells = _first_cells(column)
    named = sum(Path(cell).suffix.lower() in IMAGE_SUFFIXES and len(cell) < 1024 for cell in cells if "\n" not in cell)
    return bool(cells) and named >= 0.95 * len(cells)


def load_images(table: pa.Table, column: str, base: Path | None) -> tuple[pa.Table, list[BrokenImage]]:
    """Return the table with the column's images as bytes, and the broken ones, whose cells become null.

    The column holds encoded bytes, structs of bytes and path, or paths, which are relative to `base`. Missing
    cells stay missing and are not broken.
    """
    cells = [_bytes_and_path(cell) for cell in table.column(column).to_pylist()]
    read = [_read(data, path, base) for data, path in cells]
    reasons = why_each_broken(data for data, _ in read)
    broken = [
        BrokenImage(row, cells[row][1], why or decoder_says)
        for row, ((_, why), decoder_says) in enumerate(zip(read, reasons, strict=True))
        if why or decoder_says
    ]
    bad = {image.row for image in broken}
    kept = [None if row in bad else data for row, (data, _) in enumerate(read)]
    position = table.column_names.index(column)
    return table.set_column(position, column, binary_column(kept)), broken


def why_broken(data: bytes | None) -> str:
    """Return why these bytes cannot be decoded as an image; empty if they can, or if there are none."""
    if data is None:
        return ""
    if not data:
        return "empty"
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.draft("L", (1, 1))  # reads all of a JPEG but decodes it at an eighth of its size
            image.load()
    except UnidentifiedImageError:
        return "not an image in a known format"
    except _DECODER_ERRORS as problem:
        return str(problem) or type(problem).__name__
    return ""


def why_each_broken(images: Iterable[bytes | None]) -> list[str]:
    """Return `why_broken` for each image, decoded in parallel."""
    with warnings.catch_warnings(), ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        warnings.simplefilter("ignore")  # a decoder's doubts are no refusal
        return list(pool.map(why_broken, images))


def _read(data: bytes | None, path: str, base: Path | None) -> tuple[bytes | None, str]:
    if data is not None or not path:
        return data, ""
    if is_url(path):
        return None, "a URL; only files beside the table are read"
    return read_image((base or Path.cwd()) / path)


def read_image(path: Path) -> tuple[bytes | None, str]:
    """Return a file's bytes, or None and why it cannot be read."""
    try:
        return path.read_bytes(), ""
    except FileNotFoundError:
        return None, "no such file"
    except (OSError, ValueError) as problem:
        return None, str(problem)


def _bytes_and_path(cell: object) -> tuple[bytes | None, str]:
    if isinstance(cell, dict):
        return cell["bytes"], cell["path"] or ""
    return (cell, "") if isinstance(cell, bytes) else (None, str(cell or "").strip())


def _has_signature(data: bytes) -> bool:
    return data.startswith(_SIGNATURES) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")


def _first_cells(column: pa.ChunkedArray) -> list[Any]:
    rows = pc.indices_nonzero(pc.is_valid(column)).slice(0, _LOOKED_AT)
    cells: list[Any] = column.take(rows).to_pylist()
    return cells


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))


def _is_image_struct(kind: pa.DataType) -> bool:
    return bool(pa.types.is_struct(kind)) and {field.name for field in kind} == {"bytes", "path"}
