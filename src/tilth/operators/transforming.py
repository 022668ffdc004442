"""What transforms share: which rows they changed, texts and images block by block, and what rises with severity."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import Mask, Matrix, Vector
from tilth.core.draw import Draw
from tilth.core.errors import ConfigError, NotApplicable
from tilth.core.ids import Digests
from tilth.core.schema import ColumnType
from tilth.core.transformed import Transformed
from tilth.numerics.image_tables import Glance, Tables, glance_at, looked_up
from tilth.operators.batch import Batch
from tilth.operators.image_cells import Pixels, encoded, holds_pixels, pixels_in, pixels_of, tensor_cells

__all__ = [
    "SEVERITIES",
    "ImageChange",
    "PixelWise",
    "at_severity",
    "boxes_of",
    "by_tables",
    "change_images",
    "change_texts",
    "chosen",
    "differing",
    "draw_of",
    "fits_column",
    "refuse_severity",
    "to_either_side",
    "transformed",
]

SEVERITIES = (1, 2, 3, 4, 5)
"""How strongly a transform changes a row, weakest first."""
SIGNS_AT_ONCE = 1 << 20
IMAGES_AT_ONCE = 64
GLANCE = 32
"""So many values of two images are compared first."""
Amount = TypeVar("Amount")
TextChange = Callable[[str, Vector, Vector], str]
"""A text and two numbers per sign (and one more), in [0, 1) -> the text afterwards, or the same where it does not apply."""
ImageChange = Callable[[Pixels, Digests], Pixels]
"""(n, h, w, 3) images of one size and the digests of their rows, (n, 2) -> the images afterwards."""


def draw_of(transform: Any, seed: int) -> Draw:
    """Return the random numbers of a transform: severities share them, so that what is stronger differs in strength only."""
    name = getattr(transform, "name", None) or type(transform).__name__
    return Draw(seed=seed, step=("transform", str(name)))


def refuse_severity(severity: int) -> None:
    """Raise ConfigError for what is no severity."""
    if severity not in SEVERITIES or isinstance(severity, bool):
        raise ConfigError(
            f"severity cannot be {severity!r}", next_step="write a whole number from 1, weak, to 5, strong"
        )


def at_severity(amounts: Sequence[Amount], severity: int) -> Amount:
    """Return the amount that belongs to a severity."""
    return amounts[severity - 1]


def fits_column(accepts: frozenset[ColumnType], kind: pa.DataType) -> bool:
    """Whether cells of an Arrow type may be those of a column that is accepted; text and categories look alike."""
    tests: Mapping[ColumnType, Callable[[pa.DataType], bool]] = {
        ColumnType.NUMBER: lambda k: pa.types.is_floating(k) or pa.types.is_integer(k),
        ColumnType.CATEGORY: _is_text,
        ColumnType.TEXT: _is_text,
        ColumnType.DATE: pa.types.is_timestamp,
        ColumnType.IMAGE: lambda k: pa.types.is_binary(k) or pa.types.is_large_binary(k) or holds_pixels(k),
        ColumnType.EMBEDDING: pa.types.is_fixed_size_list,
    }
    return any(tests[one](kind) for one in accepts)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind))


def chosen(batch: Batch, columns: Sequence[str], accepts: frozenset[ColumnType]) -> tuple[str, ...]:
    """Return the columns of a batch that a transform changes: those that it names, else all that it accepts.

    Raises
    ------
    NotApplicable
        The batch has none of them.
    """
    names = tuple(name for name in (columns or batch.columns) if fits_column(accepts, batch.column(name).type))
    if not names:
        wanted = " or ".join(sorted(accepts))
        raise NotApplicable(f"it changes columns of type {wanted}, and there is none")
    return names


def differing(before: pa.Array, after: pa.Array) -> Mask:
    """Return the rows whose cell is another now, null and NaN equal to themselves, all where the type is; (n,), (n,) -> (n,)."""
    if before.type != after.type:
        return np.ones(len(before), dtype=bool)
    if holds_pixels(before.type):
        return _differing_pixels(before, after)
    if pa.types.is_fixed_size_list(before.type):
        return np.array([one != other for one, other in zip(before.to_pylist(), after.to_pylist(), strict=True)], bool)
    equal = np.asarray(pc.fill_null(pc.equal(before, after), False))
    if pa.types.is_floating(before.type):
        equal |= np.asarray(pc.fill_null(pc.is_nan(before), False)) & np.asarray(pc.fill_null(pc.is_nan(after), False))
    was, remains = np.asarray(before.is_null()), np.asarray(after.is_null())
    return np.asarray(~(equal | (was & remains)))


def _differing_pixels(before: pa.ExtensionArray, after: pa.ExtensionArray) -> Mask:
    """Compare a few values of each image first, and whole images only where these are equal."""
    was, remains = np.asarray(before.is_valid()), np.asarray(after.is_valid())
    one, other = (pixels_in(cells).reshape(len(cells), -1) for cells in (before, after))
    step = max(1, one.shape[1] // GLANCE)
    differs = (one[:, ::step] != other[:, ::step]).any(axis=1)
    for row in np.flatnonzero(~differs & was & remains):
        differs[row] = not np.array_equal(one[row], other[row])
    return np.asarray((differs & was & remains) | (was != remains))


def transformed(batch: Batch, changed: Mapping[str, pa.Array], **more: Any) -> Transformed:
    """Return a batch with some columns changed, and the rows in which they differ."""
    applied = np.zeros(len(batch), dtype=bool)
    for name, cells in changed.items():
        applied |= differing(batch.column(name), cells)
    return Transformed(columns={**batch.columns, **changed}, applied=applied, **more)


# -- texts -------------------------------------------------------------------------------------------------------------


def change_texts(batch: Batch, names: Sequence[str], draw: Draw, change: TextChange) -> Transformed:
    """Return a batch with a change made to each text of some columns; missing and empty cells stay."""
    changed = {}
    for name in names:
        cells = batch.column(name)
        texts = _plain_text(cells).to_pylist()
        made = list(texts)
        for rows, order, kind in _text_draws(texts, batch.digests, draw.child(name)):
            for row, first, second in zip(rows, order, kind, strict=True):
                made[row] = change(texts[row], first, second)
        changed[name] = pa.array(made, pa.string()).cast(cells.type)
    return transformed(batch, changed)


def _plain_text(cells: pa.Array) -> pa.Array:
    return cells.cast(cells.type.value_type) if pa.types.is_dictionary(cells.type) else cells


def _text_draws(
    texts: Sequence[str | None], digests: Digests, draw: Draw
) -> Iterator[tuple[list[int], list[Vector], list[Vector]]]:
    """Yield some rows at a time with two numbers per sign of each, so that long texts do not fill the memory."""
    rows = [row for row, text in enumerate(texts) if text]
    counts = np.array([len(texts[row] or "") + 1 for row in rows], dtype=np.intp)
    block = np.cumsum(counts) // SIGNS_AT_ONCE
    for one in np.unique(block):
        inside = np.flatnonzero(block == one)
        mine = np.array(rows)[inside]
        ends = np.cumsum(counts[inside])[:-1]
        numbers = [np.split(draw.child(what).each(digests[mine], counts[inside]), ends) for what in ("order", "kind")]
        yield mine.tolist(), numbers[0], numbers[1]


# -- images ------------------------------------------------------------------------------------------------------------


@runtime_checkable
class PixelWise(Protocol):
    """A transform of images that gives each pixel a new value by its old one alone, so that several become one table."""

    accepts: ClassVar[frozenset[ColumnType]]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that it changes; () for every image column."""
        ...

    def tables(self, seen: Glance, digests: Digests, draw: Draw) -> Tables:
        """Return what each value becomes in each image; n images, (n, 2) -> (n, 256)."""
        ...


def by_tables(transform: PixelWise, draw: Draw) -> ImageChange:
    """Return the change that a pixel-wise transform makes to images."""
    return lambda images, digests: looked_up(images, transform.tables(glance_at(images), digests, draw))


def to_either_side(draw: Draw, digests: Digests) -> Vector:
    """Return -1 or 1 for each row, as often the one as the other; (n, 2) -> (n,)."""
    return np.where(draw.uniforms(digests) < 0.5, -1.0, 1.0)


def boxes_of(draw: Draw, digests: Digests, side: float) -> Matrix:
    """Return a box of one size at a place drawn at random for each row: top, left, height, width as shares; (n, 2) -> (n, 4)."""
    places = draw.several(digests, 2) * (1 - side)
    return np.column_stack([places, np.full_like(places, side)])


def change_images(batch: Batch, names: Sequence[str], change: ImageChange) -> Transformed:
    """Return a batch with a change made to each image of some columns; what is no image stays as it is.

    Encoded images come back as PNG. Decoded pixels come back as such, so that a chain of changes neither opens nor encodes.
    """
    changed = {}
    for name in names:
        cells = batch.column(name)
        made = _changed_pixels if holds_pixels(cells.type) else _changed_bytes
        changed[name] = made(cells, batch.digests, change)
    return transformed(batch, changed)


def _changed_pixels(cells: pa.ExtensionArray, digests: Digests, change: ImageChange) -> pa.ExtensionArray:
    before = pixels_in(cells)
    if not cells.null_count:
        return tensor_cells(change(before, digests) if len(before) else before)
    valid = np.asarray(cells.is_valid())
    after = np.zeros(before.shape, dtype=np.uint8)
    if valid.any():
        after[valid] = change(before[valid], digests[valid])
    return tensor_cells(after, valid)


def _changed_bytes(cells: pa.Array, digests: Digests, change: ImageChange) -> pa.Array:
    made = cells.to_pylist()
    for start in range(0, len(made), IMAGES_AT_ONCE):
        _change_block(made, range(start, min(start + IMAGES_AT_ONCE, len(made))), digests, change)
    return pa.array(made, cells.type)


def _change_block(cells: list[bytes | None], rows: range, digests: Digests, change: ImageChange) -> None:
    """Change some cells in place, images of one size at a time."""
    sizes: dict[tuple[int, ...], list[tuple[int, Pixels]]] = {}
    for row in rows:
        pixels = pixels_of(cells[row])
        if pixels is not None:
            sizes.setdefault(pixels.shape, []).append((row, pixels))
    for found in sizes.values():
        before = np.stack([pixels for _, pixels in found])
        after = change(before, digests[[row for row, _ in found]])
        for (row, was), now in zip(found, after, strict=True):
            if not np.array_equal(was, now):
                cells[row] = encoded(now)
