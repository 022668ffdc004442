"""Images as descriptors see them: small, and with what stands out from a margin of one colour by itself."""

from __future__ import annotations

import numpy as np
from PIL import Image

from tilth.operators.image_cells import open_image

__all__ = ["SIDE", "crop_to_content", "open_image", "thumbnails"]

SIDE = 32
"""Pixels a side of the thumbnails that descriptors read."""
_FIRST = 160
"""Longest side to which an image is reduced before its content is looked for."""
_TOLERANCE = 48
"""Difference of a channel (of 255) from the margin's colour that counts as content."""
_UNIFORM = 0.9
_SPECKS = 0.01


def thumbnails(image: Image.Image) -> tuple[np.ndarray, bool]:
    """Return two (SIDE, SIDE, 3) uint8 thumbnails, the whole image and its content alone, and whether it has a margin.

    The whole image is squeezed to a square; content keeps its shape on a square of the margin's colour.
    """
    if max(image.size) > _FIRST:
        image = image.copy()
        image.thumbnail((_FIRST, _FIRST), Image.Resampling.BILINEAR, reducing_gap=2.0)
    content = crop_to_content(image)
    whole = _squeezed(image)
    return np.stack([whole, whole if content is None else _squeezed(content)]), content is not None


def crop_to_content(image: Image.Image) -> Image.Image | None:
    """Return what stands out from a margin of one colour, centred on a square of that colour; None without such a margin.

    The box leaves 1 % of the content out on each side, so that specks do not stretch it.
    """
    pixels = np.asarray(image, dtype=np.int16)
    ring = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    colour = np.median(ring, axis=0).astype(np.int16)
    if (np.abs(ring - colour).max(axis=1) <= _TOLERANCE).mean() < _UNIFORM:
        return None
    content = np.abs(pixels - colour).max(axis=2) > _TOLERANCE
    if not content.any():
        return None
    top, bottom = _span(content.sum(axis=1))
    left, right = _span(content.sum(axis=0))
    side = max(bottom - top, right - left)
    square = Image.new("RGB", (side, side), (int(colour[0]), int(colour[1]), int(colour[2])))
    corner = ((side - (right - left)) // 2, (side - (bottom - top)) // 2)
    square.paste(image.crop((left, top, right, bottom)), corner)
    return square


def _span(amounts: np.ndarray) -> tuple[int, int]:
    """Return the range [start, stop) that holds the amounts but for a speck at each end."""
    shares = np.cumsum(amounts) / amounts.sum()
    start = int(np.searchsorted(shares, _SPECKS, side="right"))
    return start, max(int(np.searchsorted(shares, 1 - _SPECKS, side="left")) + 1, start + 1)


def _squeezed(image: Image.Image) -> np.ndarray:
    if image.size != (SIDE, SIDE):
        image = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(image, dtype=np.uint8)
