"""Exhibits: the worst rows of each finding as a person reads them, as far as visibility allows."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.finding import Finding
from tilth.core.names import SPLIT
from tilth.core.schema import ColumnType, Schema, Visibility
from tilth.core.summary import Exhibit, ExhibitRow
from tilth.loop.found import Found
from tilth.loop.visibility import shown_evidence

__all__ = ["exhibits_of"]

ROWS_EACH = 12
LONGEST_CELL = 400
THUMBNAIL = 96


def exhibits_of(found: Found, rows_each: int = ROWS_EACH) -> tuple[Exhibit, ...]:
    """Return the worst flagged rows of each finding about rows."""
    return tuple(_exhibit(found, finding, rows_each) for finding in found.findings if finding.n_flagged)


def _exhibit(found: Found, finding: Finding, rows_each: int) -> Exhibit:
    dataset, schema = found.dataset, found.version.schema
    flagged = np.flatnonzero(finding.flagged)
    worst = flagged[np.argsort(-finding.severity[flagged], kind="stable")][:rows_each]
    ids = finding.ids.take(pa.array(worst))
    shown = [c.name for c in schema.columns if c.visibility is Visibility.SHOWN and c.type is not ColumnType.EMBEDDING]
    at = pa.array(dataset.positions(ids))
    cells = dataset.read(SPLIT, *shown).take(at)
    facts = {name: [_fact(values[i]) for i in worst] for name, values in shown_evidence(finding, schema).items()}
    rows = [
        ExhibitRow(
            row_id=ids[i].as_py(),
            split=cells.column(SPLIT)[i].as_py(),
            severity=float(finding.severity[row]),
            cells={
                n: _cell(cells.column(n)[i].as_py()) for n in shown if schema.column(n).type is not ColumnType.IMAGE
            },
            images=_images(cells, schema, shown, i),
            facts={name: values[i] for name, values in facts.items()},
        )
        for i, row in enumerate(worst)
    ]
    return Exhibit(kind=finding.kind, rows=tuple(rows))


def _fact(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return f"{value:.3g}"
    return "" if value is None else str(value)


def _cell(value: Any) -> str:
    if value is None:
        return "—"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"


def _images(cells: pa.Table, schema: Schema, shown: Sequence[str], row: int) -> dict[str, bytes]:
    names = [name for name in shown if schema.column(name).type is ColumnType.IMAGE]
    images = {name: cells.column(name)[row].as_py() for name in names}
    return {name: small for name, raw in images.items() if raw and (small := thumbnail(raw))}


def thumbnail(raw: bytes) -> bytes | None:
    """Return an image as a PNG of at most 96 pixels a side, or None if it cannot be read."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(raw)) as image:
            small = image.convert("RGB")
            small.thumbnail((THUMBNAIL, THUMBNAIL))
            out = io.BytesIO()
            small.save(out, format="PNG", optimize=True)
            return out.getvalue()
    except (UnidentifiedImageError, OSError, ValueError):
        return None
