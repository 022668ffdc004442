"""Attributes: what can be said of a row in a word or two, and be true or false of it."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.schema import Column, ColumnType
from tilth.detection._shared.images import holds_images, thumbnails
from tilth.detection._shared.words import feature_columns, missing_cells, value_codes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tilth.core.arrays import Mask
    from tilth.operators.view import View

__all__ = ["Attribute", "attributes_of"]

MOST_VALUES, MOST_TERMS = 30, 2_000
"""Commonest values of a category and commonest terms of a text that are looked at."""
_TERM = re.compile(r"\w+")


class Attribute(NamedTuple):
    """Something that is true of some rows.

    Parameters
    ----------
    column : the column that it is read from
    said : in words
    holds : (n,) of the rows asked for
    """

    column: str
    said: str
    holds: Mask


def attributes_of(view: View, table: pa.Table, fewest: int) -> Iterator[Attribute]:
    """Yield attributes that hold of at least `fewest` rows of a table, and not of at least as many.

    Values of categories, halves of numbers, gaps, terms of texts, colours and brightness of images; of other columns nothing.
    """
    for column in feature_columns(view):
        for said, holds in _of_column(column, table.column(column.name)):
            if fewest <= int(holds.sum()) <= len(holds) - fewest:
                yield Attribute(column.name, said, holds)


def _of_column(column: Column, cells: pa.ChunkedArray) -> Iterator[tuple[str, Mask]]:
    missing = missing_cells(cells) if not holds_images(cells) else np.zeros(len(cells), dtype=bool)
    yield f"{column.name} is missing", missing
    if column.type is ColumnType.CATEGORY:
        yield from _values(column.name, cells)
    elif column.type is ColumnType.NUMBER and not missing.all():
        values = np.asarray(pc.fill_null(cells.cast(pa.float64(), safe=False), np.nan), dtype=np.float64)
        middle = float(np.median(values[~missing]))
        yield f"{column.name} > {middle:g}", np.where(missing, False, values > middle)
    elif column.type is ColumnType.TEXT:
        yield from _terms(column.name, cells)
    elif column.type is ColumnType.IMAGE and holds_images(cells):
        yield from _colours(column.name, cells)


def _values(name: str, cells: pa.ChunkedArray) -> Iterator[tuple[str, Mask]]:
    codes, missing = value_codes(cells)
    counts = np.bincount(codes[~missing]) if not missing.all() else np.zeros(0, dtype=np.intp)
    for code in np.argsort(-counts, kind="stable")[:MOST_VALUES]:
        holds = codes == code
        yield f"{name} = {cells[int(np.argmax(holds))].as_py()!r}", holds


def _terms(name: str, cells: pa.ChunkedArray) -> Iterator[tuple[str, Mask]]:
    """Words, by rising alphabet among equally common ones, so that the order of rows changes nothing."""
    words = [
        frozenset(_TERM.findall(str(cell).lower())) if cell is not None else frozenset() for cell in cells.to_pylist()
    ]
    counts = Counter(word for row in words for word in row)
    rows: dict[str, list[int]] = {
        word: [] for word, _ in sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:MOST_TERMS]
    }
    for place, row in enumerate(words):
        for word in row & rows.keys():
            rows[word].append(place)
    for word, places in rows.items():
        holds = np.zeros(len(words), dtype=bool)
        holds[places] = True
        yield f"{name} has the word {word!r}", holds


def _colours(name: str, cells: pa.ChunkedArray) -> Iterator[tuple[str, Mask]]:
    at, small = thumbnails(cells)
    if not len(at):
        return
    means = small.reshape(len(at), -1, 3).mean(axis=1)
    light = means.mean(axis=1)
    facts = {"bright": light, **{c: means[:, i] - light for i, c in enumerate(("red", "green", "blue"))}}
    for said, values in facts.items():
        holds = np.zeros(len(cells), dtype=bool)
        holds[at] = values > np.median(values)
        yield f"{name} is more {said} than most" if said != "bright" else f"{name} is brighter than most", holds
