"""Rows for transforms: texts, columns of any kind, images."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from tilth.core.transformed import Transformed
from tilth.operators.batch import Batch
from tilth.operators.image_cells import pixels_of
from tilth.operators.transforming import draw_of


def texts(*cells: str | None, **columns: Any) -> Batch:
    """Rows with a column `text`, or with the columns named."""
    made = {name: one if isinstance(one, pa.Array) else pa.array(one) for name, one in columns.items()}
    made = made or {"text": pa.array(cells, pa.string())}
    rows = len(next(iter(made.values())))
    return Batch(ids=pa.array([f"r{i}" for i in range(rows)], pa.string()), columns=made)


def changed(transform: Any, text: str) -> str:
    """One text after a transform."""
    after = transform.apply(texts(text), draw_of(transform, 0))
    return str(after.columns["text"][0].as_py())


def images(
    rows: int, side: int = 8, *, flat: bool = False, given: np.ndarray | None = None, cells: Sequence[bytes | None] = ()
) -> Batch:
    """Rows with a column `image`: random ones, flat ones, one that is given, or cells."""
    rng = np.random.default_rng(0)
    made = list(cells)
    for _ in range(0 if cells else rows):
        noise = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
        pixels = np.full((side, side, 3), 128, dtype=np.uint8) if flat else noise if given is None else given
        sink = BytesIO()
        Image.fromarray(pixels).save(sink, format="PNG")
        made.append(sink.getvalue())
    ids = pa.array([f"r{i}" for i in range(len(made))], pa.string())
    return Batch(ids=ids, columns={"image": pa.array(made, pa.binary())})


def pixels(rows: Batch | Transformed) -> np.ndarray:
    """The images of rows as one array."""
    return np.stack([pixels_of(cell) for cell in rows.columns["image"].to_pylist()])
