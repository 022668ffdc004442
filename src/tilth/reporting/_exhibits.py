"""Exhibits on a page: rows as cards or a table, and which of them fit into a page of limited size."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape

from tilth.core.summary import Exhibit, ExhibitRow
from tilth.reporting.clean import brief, shortened

__all__ = ["ExhibitView", "Fitted", "RowView", "exhibit_view", "fit", "image_uri"]

LONGEST_CELL = 600
"""Signs of a cell that are shown."""
_LONG = 80
_MOST_COLUMNS = 40
_ROW_MARKUP = 900
_CELL_MARKUP = 70
_IMAGE_MARKUP = 260
_KINDS = ((b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"), (b"GIF8", "gif"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RowView:
    """One row as a page shows it; every text is clean and of limited length."""

    row_id: str
    split: str
    severity: float
    facts: Mapping[str, str]
    cells: Mapping[str, str]
    images: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhibitView:
    """The rows of one finding, as a table where they are short cells only, else as cards."""

    title: str
    rows: tuple[RowView, ...]
    facts: tuple[str, ...]
    texts: tuple[str, ...]
    """Columns whose cells are long enough to be read as text."""
    columns: tuple[str, ...]
    """The other columns."""
    is_table: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Exhibits that fit into an allowance of bytes, and how much was left out for it."""

    exhibits: tuple[Exhibit, ...]
    images: int = 0
    rows: int = 0


def exhibit_view(exhibit: Exhibit) -> ExhibitView:
    """Return an exhibit as it is shown."""
    rows = tuple(_row_view(row) for row in exhibit.rows)
    has_pictures = any(row.images for row in rows)
    texts = tuple(dict.fromkeys(name for row in rows for name, text in row.cells.items() if len(text) > _LONG))
    title = "1 row, the worst" if len(rows) == 1 else f"{len(rows)} rows, the worst first"
    return ExhibitView(
        title=title,
        rows=rows,
        facts=tuple(dict.fromkeys(name for row in rows for name in row.facts)),
        texts=texts,
        columns=tuple(dict.fromkeys(name for row in rows for name in row.cells if name not in texts)),
        is_table=not (has_pictures or texts),
    )


def _row_view(row: ExhibitRow) -> RowView:
    pictures = [(brief(name, 80), image_uri(image)) for name, image in row.images.items()]
    return RowView(
        row_id=brief(row.row_id, 80),
        split=brief(row.split, 40),
        severity=row.severity,
        facts={brief(name, 80): shortened(text, LONGEST_CELL) for name, text in row.facts.items() if text},
        cells={brief(name, 80): shortened(text, LONGEST_CELL) for name, text in _first(row.cells).items()},
        images=tuple((name, uri) for name, uri in pictures if uri),
    )


def _first(cells: Mapping[str, str]) -> dict[str, str]:
    return dict(list(cells.items())[:_MOST_COLUMNS])


def image_uri(image: bytes) -> str:
    """Return an image as a data: URI, or nothing where it is of no kind that is drawn without scripts."""
    for mark, kind in _KINDS:
        if image.startswith(mark):
            return f"data:image/{kind};base64,{base64.b64encode(image).decode()}"
    return ""


@dataclass(slots=True)
class _Room:
    """Bytes that are left, and what was left out."""

    left: int
    images: int = 0
    rows: int = 0
    kept: dict[int, list[ExhibitRow]] = field(default_factory=dict)


def fit(exhibits: Sequence[Exhibit], allowance: int) -> Fitted:
    """Return as much of the exhibits as fits: rows before images, the worst rows of all findings first."""
    room = _Room(left=allowance)
    ranked = _ranked(exhibits)
    for which, row in ranked:
        cost = _row_cost(row)
        if cost <= room.left:
            room.left -= cost
            room.kept.setdefault(which, []).append(replace(row, images={}))
        else:
            room.rows += 1
            room.left = 0
            room.images += len(row.images)
    _add_images(ranked, room)
    fitted = (replace(exhibit, rows=tuple(room.kept.get(i, ()))) for i, exhibit in enumerate(exhibits))
    return Fitted(exhibits=tuple(fitted), images=room.images, rows=room.rows)


def _ranked(exhibits: Sequence[Exhibit]) -> list[tuple[int, ExhibitRow]]:
    """Return all rows with the number of their exhibit: the first of each exhibit, then the second of each …"""
    ranked = [(rank, which, row) for which, one in enumerate(exhibits) for rank, row in enumerate(one.rows)]
    return [(which, row) for _, which, row in sorted(ranked, key=lambda item: item[:2])]


def _add_images(ranked: Sequence[tuple[int, ExhibitRow]], room: _Room) -> None:
    place = dict.fromkeys(room.kept, 0)
    for which, row in ranked:
        if place.get(which, 0) >= len(room.kept.get(which, ())):
            continue
        cost = sum(4 * (len(image) + 2) // 3 + _IMAGE_MARKUP for image in row.images.values())
        if cost <= room.left:
            room.left -= cost
            room.kept[which][place[which]] = row
        else:
            room.left = 0
            room.images += len(row.images)
        place[which] += 1


def _row_cost(row: ExhibitRow) -> int:
    cells = [*_first(row.cells).items(), *row.facts.items()]
    texts = (f"{name}{shortened(text, LONGEST_CELL)}" for name, text in cells)
    return _ROW_MARKUP + sum(_CELL_MARKUP + 2 * len(escape(text).encode()) for text in texts)
