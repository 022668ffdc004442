"""Images of questions: a CSV cannot hold them, so they are written beside it, and the CSV names the files."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

import pyarrow as pa

from tilth.core.dataset import Dataset
from tilth.core.schema import ColumnType

__all__ = ["with_image_files"]

KINDS = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg", b"GIF8": ".gif", b"RIFF": ".webp", b"BM": ".bmp"}


def with_image_files(questions: pa.Table, dataset: Dataset, path: Path) -> pa.Table:
    """Return the questions with a column of file names for each image column that may be shown, and write the files."""
    schema = dataset.schema
    names = [c.name for c in schema.columns if c.type is ColumnType.IMAGE and schema.may_show(c.name)]
    if not names or not questions.num_rows:
        return questions
    folder = path.with_name(f"{path.stem}_images")
    folder.mkdir(parents=True, exist_ok=True)
    ids = questions.column("row_id").combine_chunks()
    cells = dataset.read(*names).take(pa.array(dataset.positions(ids)))
    for name in names:
        images = zip(ids.to_pylist(), cells.column(name).to_pylist(), strict=True)
        files = [None if raw is None else _written(folder, name, row, raw) for row, raw in images]
        column = name if name not in questions.column_names else f"{name} (column)"
        questions = questions.append_column(column, pa.array(files, pa.string()))
    return questions


def _written(folder: Path, column: str, row: str, raw: bytes) -> str:
    """Write one image and return its path as the CSV's reader finds it."""
    suffix = next((suffix for sign, suffix in KINDS.items() if raw.startswith(sign)), ".img")
    name = blake2b(f"{column}\n{row}".encode(), digest_size=8).hexdigest() + suffix
    (folder / name).write_bytes(raw)
    return f"{folder.name}/{name}"
