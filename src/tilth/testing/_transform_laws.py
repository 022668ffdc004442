"""Laws of transforms: random per row id and by the seed only, row by row, the same types and shapes, missing cells stay missing."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any, get_args

import numpy as np
import pyarrow as pa

from tilth.core.draw import Draw
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.operators.batch import Batch
from tilth.operators.image_cells import pixels_in, pixels_of, tensor_cells
from tilth.operators.transforming import differing, draw_of
from tilth.operators.voting import part_of
from tilth.testing._behaviour import global_state, same_state
from tilth.testing._subject import Check, Subject

__all__ = ["TRANSFORMING", "transform_rows"]

TEXTS = (
    "It is not what Anna bought in Paris, said Bob.",
    "",
    "Call 0800 12345 now, the BIG prize is 250!",
    "größer als das",
    "We don't see why Bob met Anna in Paris on 12 May",
    "x",
    "and then Anna met Bob, in Paris, for 7.50",
)
CATEGORIES = ("red", "green", "blue")
IMAGES = f"a_{ColumnType.IMAGE}"
IMAGE_SIZES = ((32, 32), (24, 32))
WIDTH = 3
ROWS = 42


def transform_rows(accepts: frozenset[ColumnType], rows: int = ROWS) -> Batch:
    """Return rows of every type that a transform accepts, some cells missing, images of two sizes."""
    usual: Mapping[ColumnType, Any] = {
        ColumnType.TEXT: _with_gaps([TEXTS[row % len(TEXTS)] for row in range(rows)], pa.string()),
        ColumnType.NUMBER: _with_gaps([(row * 7 % 11) / 2.0 for row in range(rows)], pa.float64()),
        ColumnType.CATEGORY: _with_gaps([CATEGORIES[row * row % 3] for row in range(rows)], pa.string()),
        ColumnType.DATE: pa.array((np.arange(rows) + np.datetime64("2020-01-01", "D")).astype("datetime64[us]")),
        ColumnType.IMAGE: _with_gaps([_image(row) for row in range(rows)], pa.binary()),
        ColumnType.EMBEDDING: pa.array([[float(row), 1.0, -1.0] for row in range(rows)], pa.list_(pa.float32(), WIDTH)),
    }
    columns = {f"a_{kind}": cells for kind, cells in usual.items() if kind in accepts}
    return Batch(ids=pa.array([f"r{row}" for row in range(rows)], pa.string()), columns=columns)


def _with_gaps(cells: list[Any], kind: pa.DataType) -> pa.Array:
    return pa.array([None if row % 10 == 9 else cell for row, cell in enumerate(cells)], kind)


def _image(row: int) -> bytes:
    from PIL import Image

    if row == 8:
        return b"no image"
    size = IMAGE_SIZES[row % 2]
    pixels = np.random.default_rng(row).integers(0, 256, (*size, 3), dtype=np.uint8)
    sink = BytesIO()
    Image.fromarray(pixels).save(sink, format="PNG")
    return sink.getvalue()


def says_what_it_changes(subject: Subject) -> None:
    """It declares the types of columns that it accepts, what it may do to the label, and names of columns."""
    made = subject.make()
    accepts, columns = getattr(made, "accepts", None), getattr(made, "columns", None)
    if not isinstance(accepts, frozenset) or not accepts or not accepts <= frozenset(ColumnType):
        raise subject.breach(f"it accepts {accepts!r}", "declare accepts: ClassVar = frozenset({ColumnType.TEXT})")
    if getattr(made, "label", None) not in get_args(LabelEffect):
        raise subject.breach("it does not say what it may do to the label", 'declare label: ClassVar = "keep"')
    if not isinstance(columns, tuple):
        raise subject.breach(f"its columns are {columns!r}", "give a tuple of names; () for all that it accepts")


def keeps_rows_types_and_shapes(subject: Subject) -> None:
    """It returns the columns that it was handed, for the same rows, of the same types; no row is enough, and none too few."""
    for rows in (ROWS, 1, 0):
        batch, made = _case(subject, rows)
        after = made.apply(batch, _draw(made))
        if not isinstance(after, Transformed) or len(after) != rows or set(after.columns) != set(batch.columns):
            raise subject.breach(f"on {rows} rows it answers {after!r}", "return Transformed with the same columns")
        for name, cells in after.columns.items():
            if cells.type != batch.column(name).type or len(cells) != rows:
                raise subject.breach(f"column {name} comes back as {cells.type}", "keep types and lengths")


def says_which_rows_it_changed(subject: Subject) -> None:
    """Exactly the rows that it says it changed differ; those on which it failed are as they were."""
    batch, made = _case(subject)
    after = made.apply(batch, _draw(made))
    differs = np.zeros(len(batch), dtype=bool)
    for name, cells in after.columns.items():
        differs |= differing(batch.column(name), cells)
    if not np.array_equal(differs, after.applied):
        raise subject.breach("rows that it says it changed are not those that differ", "compare before and after")
    ids = batch.ids.to_pylist()
    failed = [failure.row_id for failure in after.failures]
    if not set(failed) <= set(ids) or any(differs[ids.index(row)] for row in failed):
        raise subject.breach("a row on which it failed is unknown, or was changed", "leave it as it is")
    if not after.applied.any():
        raise subject.breach("it changes none of the usual rows", "see tilth.testing for the rows")


def draws_by_row_id(subject: Subject) -> None:
    """What becomes of a row does not depend on the rows beside it, nor on their order."""
    batch, made = _case(subject)
    whole = _cells(made.apply(batch, _draw(made)))
    parts = [_cells(made.apply(part_of(batch, start, 4), _draw(made))) for start in range(0, len(batch), 4)]
    if any([cell for part in parts for cell in part[name]] != cells for name, cells in whole.items()):
        raise subject.breach("in parts, it gives something else", "draw by row id: draw.uniforms(batch.digests)")
    order = pa.array(np.arange(len(batch))[::-1])
    columns = {name: cells.take(order) for name, cells in batch.columns.items()}
    turned = _cells(made.apply(Batch(ids=batch.ids.take(order), columns=columns), _draw(made)))
    if any(cells[::-1] != whole[name] for name, cells in turned.items()):
        raise subject.breach("in another order, it gives something else", "draw by row id, never by position")


def draws_by_seed_only(subject: Subject) -> None:
    """With one seed it gives the same twice, and the global generators are as they were."""
    batch, made = _case(subject)
    before = global_state()
    first, again = (_cells(made.apply(batch, _draw(made))) for _ in range(2))
    if first != again:
        raise subject.breach("asked twice, it gives something else", "draw from `draw` only")
    if not same_state(before, global_state()):
        raise subject.breach("it drew from a global random generator", "draw from `draw` only")


def leaves_missing_cells(subject: Subject) -> None:
    """Missing cells stay missing, in rows that miss some and in rows that miss all."""
    batch, made = _case(subject)
    after = made.apply(batch, _draw(made))
    bare = Batch(ids=batch.ids, columns={n: pa.nulls(len(batch), c.type) for n, c in batch.columns.items()})
    nothing = made.apply(bare, _draw(made))
    filled = any(
        (cells.is_valid().to_numpy(False) & ~_there(batch, name)).any() for name, cells in after.columns.items()
    )
    if filled or any(cells.null_count < len(cells) for cells in nothing.columns.values()) or nothing.failures:
        raise subject.breach("a missing cell is there afterwards, or made it fail", "leave null as it is")


def changes_decoded_images_alike(subject: Subject) -> None:
    """Images that are decoded already become, pixel for pixel, what the same images as PNG become."""
    batch, made = _case(subject)
    if ColumnType.IMAGE not in made.accepts:
        return
    found = [pixels_of(cell) for cell in batch.column(IMAGES).to_pylist()]
    for size in IMAGE_SIZES:
        rows = [row for row, image in enumerate(found) if image is not None and image.shape[:2] == size]
        part = {name: cells.take(pa.array(rows)) for name, cells in batch.columns.items()}
        ids = batch.ids.take(pa.array(rows))
        decoded = tensor_cells(np.stack([image for row in rows if (image := found[row]) is not None]))
        wanted = made.apply(Batch(ids=ids, columns=part), _draw(made)).columns[IMAGES]
        given = made.apply(Batch(ids=ids, columns={**part, IMAGES: decoded}), _draw(made)).columns[IMAGES]
        expected = [pixels_of(cell) for cell in wanted.to_pylist()]
        same = given.type == decoded.type and len(given) == len(expected)
        if not same or any(
            one is None or not np.array_equal(one, other) for one, other in zip(expected, pixels_in(given), strict=True)
        ):
            raise subject.breach(
                "decoded images become something else than encoded ones",
                "see tilth.operators.transforming.change_images",
            )


def learns_whatever_the_order(subject: Subject) -> None:
    """What it learns of train rows does not depend on their order, and no row and missing cells are borne."""
    made = subject.make()
    if not hasattr(made, "learn"):
        return
    batch = transform_rows(made.accepts)
    order = pa.array(np.arange(len(batch))[::-1])
    turned = Batch(ids=batch.ids.take(order), columns={n: c.take(order) for n, c in batch.columns.items()})
    if made.learn(batch) != made.learn(turned):
        raise subject.breach("from rows in another order it learns something else", "sort, count, or take quantiles")
    made.learn(transform_rows(made.accepts, 0))
    made.learn(Batch(ids=batch.ids, columns={n: pa.nulls(len(batch), c.type) for n, c in batch.columns.items()}))


def _case(subject: Subject, rows: int = ROWS) -> tuple[Batch, Any]:
    """Return rows and the transform, which has learnt from the usual ones where it learns."""
    made = subject.make()
    if hasattr(made, "learn"):
        made = made.learn(transform_rows(made.accepts))
    return transform_rows(made.accepts, rows), made


def _draw(made: Any) -> Draw:
    return draw_of(made, 3)


def _cells(after: Transformed) -> dict[str, list[Any]]:
    return {name: cells.to_pylist() for name, cells in after.columns.items()}


def _there(batch: Batch, name: str) -> np.ndarray:
    return np.asarray(batch.column(name).is_valid())


TRANSFORMING: tuple[Check, ...] = (
    says_what_it_changes,
    keeps_rows_types_and_shapes,
    says_which_rows_it_changed,
    draws_by_row_id,
    draws_by_seed_only,
    leaves_missing_cells,
    changes_decoded_images_alike,
    learns_whatever_the_order,
)
