"""What the values of one column say about its type and use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.errors import first_three
from tilth.core.schema import ColumnType, Role
from tilth.sources._cells import as_date, as_number, as_vector, is_day_first, words
from tilth.sources._hints import CODE, FILE, ID, NUMBER, SPLIT_COLUMN, name_parts
from tilth.sources._images import holds_image_bytes
from tilth.sources._splits import is_split_name

if TYPE_CHECKING:
    from tilth.core.arrays import Vector

__all__ = ["Guess", "guess", "numbers_of", "sampled"]

SAMPLE = 10_000
MOSTLY = 0.95
"""A column is of a type if this share of its cells reads so; the rest is junk and becomes missing."""
CODES = 12
"""Whole numbers with at most this many different values (as many as there are months) are taken for codes."""
_CATEGORIES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """A type and a role, and in one line why."""

    type: ColumnType
    note: str
    role: Role = Role.FEATURE
    day_first: bool = False


def guess(name: str, column: pa.ChunkedArray) -> Guess:
    """Return what a column seems to be."""
    kind = column.type
    if holds_image_bytes(column):
        return Guess(type=ColumnType.IMAGE, note="encoded images")
    if column.null_count == len(column):
        return _ignored("empty")
    if pa.types.is_boolean(kind):
        return _constant(column) or Guess(type=ColumnType.CATEGORY, note="true or false")
    if pa.types.is_string(kind):
        return _guess_text(name, column)
    if _is_numeric(kind):
        return _guess_number(name, numbers_of(column), 0)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _constant(column) or Guess(type=ColumnType.DATE, note="dates by the file's own type")
    if pa.types.is_nested(kind):
        return _guess_list(column)
    if pa.types.is_time(kind) or pa.types.is_duration(kind):
        return Guess(type=ColumnType.NUMBER, note="times, read as seconds")
    return _ignored("bytes that are no images" if "binary" in str(kind) else f"cells of type {kind}")


def sampled(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return at most 10,000 evenly spaced cells that are not null."""
    cells = column.drop_null()
    if len(cells) <= SAMPLE:
        return cells
    return cells.take(pa.array(np.linspace(0, len(cells) - 1, SAMPLE).astype(np.int64)))


def numbers_of(column: pa.ChunkedArray) -> Vector:
    """Return the cells that are numbers, in row order, without the missing ones."""
    return np.asarray(as_number(column).column.drop_null().to_numpy(), dtype=np.float64)


def _guess_text(name: str, column: pa.ChunkedArray) -> Guess:
    cells = sampled(words(column))
    if len(cells) == 0:
        return _ignored("empty")
    if pc.all(pc.starts_with(cells, "[")).as_py() and not as_vector(cells).junk.any():
        return Guess(type=ColumnType.EMBEDDING, note="lists of numbers, written as text")
    numbers = as_number(cells)
    n_numbers, n_junk = len(cells) - numbers.column.null_count, int(numbers.junk.sum())
    if n_numbers and n_numbers >= MOSTLY * (n_numbers + n_junk):
        return _guess_number_text(name, column, cells, n_junk)
    is_day = is_day_first(cells)
    dates = as_date(cells, is_day)
    n_dates = len(cells) - dates.column.null_count
    if n_dates and n_dates >= MOSTLY * (n_dates + int(dates.junk.sum())):
        order = ", the day first" if is_day else ""
        junk = _junk_note(cells, dates.junk)
        return Guess(type=ColumnType.DATE, note=f"dates{order}{junk}", day_first=is_day)
    return _guess_words(name, column, cells)


def _guess_number_text(name: str, column: pa.ChunkedArray, cells: pa.ChunkedArray, n_junk: int) -> Guess:
    zeros = pc.sum(pc.match_substring_regex(cells, r"^0\d+$")).as_py() or 0
    if zeros >= 0.02 * len(cells) and zeros > 1:
        distinct = pc.count_distinct(column).as_py()
        if distinct > MOSTLY * len(column.drop_null()):
            return _ignored("codes with leading zeros, nearly all different: looks like an identifier")
        return Guess(type=ColumnType.CATEGORY, note="codes: some have leading zeros")
    found = _guess_number(name, numbers_of(column), n_junk)
    if n_junk and found.type is ColumnType.NUMBER:
        note = found.note + _junk_note(cells, as_number(cells).junk)
        return Guess(type=found.type, note=note, role=found.role)
    return found


def _junk_note(cells: pa.ChunkedArray, junk: np.ndarray) -> str:
    if not junk.any():
        return ""
    found = first_three(repr(cell) for cell in cells.filter(pa.array(junk)).unique().to_pylist())
    return f"; {junk.mean():.1%} of the cells are something else and become missing: {found}"


def _guess_number(name: str, values: Vector, n_junk: int) -> Guess:
    if len(values) == 0:
        return _ignored("empty")
    distinct = np.unique(values)
    if len(distinct) == 1:
        return _ignored(f"constant: always {distinct[0]:g}")
    is_whole = bool((distinct == np.floor(distinct)).all())
    if not is_whole:
        return Guess(type=ColumnType.NUMBER, note=f"numbers with {len(distinct):,} different values")
    return (
        _as_dates(distinct)
        or _as_identifier(name, values, len(distinct))
        or _as_codes(name, len(values), distinct, n_junk)
        or Guess(type=ColumnType.NUMBER, note=_whole_note(distinct))
    )


def _whole_note(distinct: Vector) -> str:
    said = f"whole numbers from {distinct[0]:.0f} to {distinct[-1]:.0f}, {len(distinct):,} different"
    return f"{said}; write `category` if they are codes" if len(distinct) <= 1_000 else said


def _as_dates(distinct: Vector) -> Guess | None:
    if len(distinct) < 2 or distinct[0] < 19_000_101 or distinct[-1] > 21_001_231:
        return None
    texts = pa.chunked_array([pa.array([f"{value:.0f}" for value in distinct[:SAMPLE]])])
    if as_date(texts).junk.any():
        return None
    return Guess(type=ColumnType.DATE, note="dates written as year, month and day in eight digits")


def _as_identifier(name: str, values: Vector, n_distinct: int) -> Guess | None:
    """Take for an identifier a count of the rows, or whole numbers of such a name with many values."""
    parts = name_parts(name)
    if parts & NUMBER or len(values) < 20:
        return None
    is_named = bool(parts & ID)
    steps = np.diff(values)
    if bool((steps == 1).all() or (steps == -1).all()):
        return _ignored("counts the rows")
    if is_named and n_distinct > 0.95 * len(values):
        return _ignored("nearly all different, and called an identifier; name it with --id to keep it as the row's id")
    if is_named and n_distinct > max(20, 0.05 * len(values)):
        return _ignored(_group_note(n_distinct, len(values)))
    return None


def _group_note(n_distinct: int, n: int) -> str:
    return f"identifies {n_distinct:,} things in {n:,} rows; name it with --group if their rows belong together"


def _as_codes(name: str, n: int, distinct: Vector, n_junk: int) -> Guess | None:
    parts = name_parts(name)
    if parts & CODE and len(distinct) <= max(CODES, 0.1 * n):
        return Guess(type=ColumnType.CATEGORY, note=f"whole numbers called a code, {len(distinct):,} different")
    if len(distinct) > CODES or parts & NUMBER or n_junk or n < 2 * len(distinct):
        return None
    note = f"{len(distinct)} different whole numbers, taken for codes; write `number` if they count or measure"
    return Guess(type=ColumnType.CATEGORY, note=note)


def _guess_words(name: str, column: pa.ChunkedArray, cells: pa.ChunkedArray) -> Guess:
    distinct = words(column).drop_null().unique()
    n = len(column) - column.null_count
    parts = name_parts(name)
    if len(distinct) == 1:
        return _ignored(f"constant: always {distinct[0].as_py()[:40]!r}")
    values = distinct.to_pylist() if len(distinct) <= _CATEGORIES else []
    known = [value for value in values if is_split_name(value)]
    if parts & SPLIT_COLUMN and len(values) <= 10 and known and 2 * len(known) >= len(values):
        return Guess(type=ColumnType.CATEGORY, role=Role.SPLIT, note=f"splits by name and values: {', '.join(values)}")
    n_words = pc.mean(pc.add(pc.count_substring_regex(cells, r"\s+"), 1)).as_py()
    share = len(distinct) / n
    if n >= 20 and share >= MOSTLY:
        if parts & FILE:
            return _ignored("file names, nearly all different")
        if _looks_like_identifiers(parts, cells):
            return _ignored("nearly all different, no words: looks like an identifier; name it with --id to use it")
    return _words_or_text(len(distinct), share, n_words, n)


def _looks_like_identifiers(parts: frozenset[str], cells: pa.ChunkedArray) -> bool:
    single = pc.mean(pc.invert(pc.match_substring_regex(cells, r"\s")).cast(pa.int8())).as_py()
    coded = pc.mean(pc.match_substring_regex(cells, r"\d").cast(pa.int8())).as_py()
    longest = pc.max(pc.utf8_length(cells)).as_py()
    return bool(single >= MOSTLY and longest <= 64 and (coded >= 0.8 or parts & ID))


def _words_or_text(n_distinct: int, share: float, n_words: float, n: int) -> Guess:
    said = f"{n_distinct:,} different values in {n:,} rows, {n_words:.1f} words each"
    is_prose = n_words >= 5 and (share > 0.2 or n_distinct > _CATEGORIES)
    if is_prose:
        return Guess(type=ColumnType.TEXT, note=said)
    if n_distinct <= _CATEGORIES and (share <= 0.5 or n_words < 3):
        return Guess(type=ColumnType.CATEGORY, note=said)
    if share <= 0.2:
        return Guess(type=ColumnType.CATEGORY, note=f"{said}: many, but they repeat")
    return Guess(type=ColumnType.TEXT, note=f"{said}: too many for a category")


def _guess_list(column: pa.ChunkedArray) -> Guess:
    kind = column.type
    inner = getattr(kind, "value_type", None)
    if inner is None:
        return _ignored("nested cells")
    if pa.types.is_string(inner) or pa.types.is_large_string(inner):
        return Guess(type=ColumnType.TEXT, note="lists of words, joined")
    if not _is_numeric(inner):
        return _ignored("lists that are no vectors of numbers")
    lengths = pc.list_value_length(column).drop_null().unique().to_pylist()
    if len(lengths) != 1 or lengths[0] == 0:
        return _ignored("lists of numbers of different length")
    return Guess(type=ColumnType.EMBEDDING, note=f"vectors of {lengths[0]:,} numbers")


def _constant(column: pa.ChunkedArray) -> Guess | None:
    values = column.drop_null().unique()
    return _ignored(f"constant: always {values[0].as_py()}") if len(values) == 1 else None


def _ignored(why: str) -> Guess:
    kind = ColumnType.TEXT if why.startswith(("nested", "lists", "bytes", "cells")) else ColumnType.CATEGORY
    return Guess(type=kind, role=Role.IGNORE, note=f"ignored: {why}")


def _is_numeric(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
