"""Cells read as numbers, categories, dates, vectors or text: each by itself, so new data reads as old."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.sources._dates import day_comes_first, parse_date
from tilth.sources._tables import to_string

if TYPE_CHECKING:
    from collections.abc import Callable

    from tilth.core.arrays import IntVector, Mask

__all__ = [
    "Reading",
    "as_category",
    "as_date",
    "as_number",
    "as_text",
    "as_vector",
    "infinite",
    "is_day_first",
    "trimmed",
    "words",
]

MISSING = frozenset({"", "?", "na", "n/a", "#n/a", "nan", "null", "<na>", "nat"})
"""Words for a missing cell, in small letters; "none" and "unknown" are answers, so they are not here."""
MISSING_NUMBERS = MISSING | {
    "none",
    "nil",
    "-",
    "--",
    ".",
    "..",
    "missing",
    "unknown",
    "not available",
    "n.a.",
}
"""Where numbers are expected these say nothing either."""

_NUMBER = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$"
_THOUSANDS = r"^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?$"
_INFINITE = r"^[+-]?(?i:inf|infinity)$"
_WHOLE_FLOAT = r"^([+-]?\d+)\.0+$"


class Reading(NamedTuple):
    """A column as it was read, and which cells held something that could not be read so."""

    column: pa.ChunkedArray
    junk: Mask


def trimmed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return text without white space at its ends."""
    return pc.utf8_trim_whitespace(column)


def words(column: pa.ChunkedArray, missing: frozenset[str] = MISSING) -> pa.ChunkedArray:
    """Return trimmed text with null where a word says that the cell is missing."""
    cells = trimmed(column)
    says_missing = pc.is_in(pc.utf8_lower(cells), value_set=pa.array(sorted(missing)))
    return pc.if_else(says_missing, pa.scalar(None, pa.string()), cells)


def as_number(column: pa.ChunkedArray) -> Reading:
    """Return float64 with null for missing; infinite cells and unreadable text are junk."""
    kind = column.type
    if pa.types.is_string(kind):
        return _text_as_number(column)
    if pa.types.is_time(kind) or pa.types.is_duration(kind):
        unit = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[kind.unit]
        whole = column.cast(pa.int32() if pa.types.is_time32(kind) else pa.int64())
        numbers = pc.divide(whole.cast(pa.float64()), unit)
    elif pa.types.is_temporal(kind):
        micros = column.cast(pa.timestamp("us", getattr(kind, "tz", None)), safe=False).cast(pa.int64())
        numbers = pc.divide(micros.cast(pa.float64()), 1e6)
    elif pa.types.is_nested(kind) or _is_bytes(kind):
        return Reading(_nulls(column, pa.float64()), _mask(pc.is_valid(column)))
    else:
        numbers = column.cast(pa.float64(), safe=False)
    return _finite(numbers)


def as_category(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return trimmed text, null for missing: 1, 1.0 and "1.0" are "1"; True and "TRUE" are "true"."""
    kind = column.type
    if not pa.types.is_string(kind):
        column = _plain_text(column)
    cells = words(column)
    cells = pc.replace_substring_regex(cells, pattern=_WHOLE_FLOAT, replacement=r"\1")
    small = pc.utf8_lower(cells)
    return pc.if_else(pc.is_in(small, value_set=pa.array(["true", "false"])), small, cells)


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return text as it is, null where blank; lists of words are joined, other things written as JSON."""
    cells = column if pa.types.is_string(column.type) else _plain_text(column)
    return pc.if_else(pc.equal(trimmed(cells), ""), pa.scalar(None, pa.string()), cells)


def as_date(column: pa.ChunkedArray, day_first: bool = False) -> Reading:
    """Return timestamps in microseconds without a zone (UTC where one was named); unreadable text is junk."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        zone = kind.tz
        moments = column.cast(pa.timestamp("us", zone), safe=False)
        return Reading(moments.cast(pa.timestamp("us")) if zone else moments, _none(column))
    if pa.types.is_date(kind):
        return Reading(column.cast(pa.timestamp("us")), _none(column))
    cells = words(_plain_text(column), MISSING_NUMBERS)
    moments = _each(cells, pa.timestamp("us"), lambda text: parse_date(text, day_first))
    return Reading(moments, _mask(pc.and_(pc.is_valid(cells), pc.is_null(moments))))


def is_day_first(column: pa.ChunkedArray) -> bool:
    """Whether texts such as 31/12/2020 and none such as 12/31/2020 are among the cells."""
    if not pa.types.is_string(column.type):
        return False
    said = {day_comes_first(text) for text in column.unique().to_pylist() if text is not None}
    return True in said and False not in said


def as_vector(column: pa.ChunkedArray, width: int | None = None) -> Reading:
    """Return fixed-size lists of float32 of the given or most common length; others are junk and null."""
    given = words(column) if pa.types.is_string(column.type) else column
    present = _mask(pc.is_valid(given))
    lists = _each(given, pa.list_(pa.float64()), _numbers_in) if pa.types.is_string(given.type) else given
    if not _is_list(lists.type):
        return Reading(_nulls(column, pa.list_(pa.float32(), width or 1)), present)
    lengths = np.asarray(pc.fill_null(pc.list_value_length(lists), 0).to_numpy()).astype(np.int64)
    d = width or _most_common(lengths[lengths > 0])
    fits = lengths == d
    values = np.zeros((len(column), d), dtype=np.float32)
    flat = pc.list_flatten(lists.filter(pa.array(fits))).cast(pa.float64(), safe=False)
    values[fits] = flat.to_numpy(zero_copy_only=False).reshape(-1, d)
    usable = fits & np.isfinite(values).all(axis=1)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), d, mask=pa.array(~usable))
    return Reading(pa.chunked_array([vectors]), present & ~usable)


def _most_common(lengths: IntVector) -> int:
    return int(np.bincount(lengths).argmax()) if len(lengths) else 1


def _text_as_number(column: pa.ChunkedArray) -> Reading:
    cells = words(column, MISSING_NUMBERS)
    has_commas = pc.match_substring_regex(cells, _THOUSANDS)
    cells = pc.if_else(has_commas, pc.replace_substring(cells, ",", ""), cells)
    readable = pc.match_substring_regex(cells, _NUMBER)
    junk = _mask(pc.and_(pc.is_valid(cells), pc.invert(readable)))
    numbers = pc.if_else(readable, cells, pa.scalar(None, pa.string())).cast(pa.float64())
    reading = _finite(numbers)
    return Reading(reading.column, junk | reading.junk)


def infinite(column: pa.ChunkedArray) -> Mask:
    """Return which cells are infinite or NaN, as a number or in words; a missing cell is neither."""
    if pa.types.is_string(column.type):
        cells = trimmed(column)
        said = pc.or_(pc.match_substring_regex(cells, _INFINITE), pc.equal(pc.utf8_lower(cells), "nan"))
        return _mask(said)
    if pa.types.is_floating(column.type):
        return _mask(pc.invert(pc.is_finite(column)))
    return _none(column)


def _finite(numbers: pa.ChunkedArray) -> Reading:
    finite = pc.is_finite(numbers)
    return Reading(pc.if_else(finite, numbers, pa.scalar(None, pa.float64())), _mask(pc.is_inf(numbers)))


def _plain_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_string(kind):
        return column
    if pa.types.is_nested(kind) or _is_bytes(kind):
        return pa.chunked_array([pa.array([_written(cell) for cell in column.to_pylist()], pa.string())])
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, kind), column)
    return to_string(column)


def _written(cell: Any) -> str | None:
    if cell is None or isinstance(cell, bytes):
        return None if cell is None else cell.hex()
    if isinstance(cell, list) and all(isinstance(item, str) for item in cell):
        return ", ".join(cell)
    return json.dumps(cell, default=str, ensure_ascii=False)


def _numbers_in(text: str) -> list[float] | None:
    """Return the numbers in a text such as "[0.1, 0.2]"."""
    try:
        values = json.loads(text)
    except json.JSONDecodeError:
        return None
    is_numbers = isinstance(values, list) and all(isinstance(value, int | float) for value in values)
    return [float(value) for value in values] if is_numbers else None


def _each(column: pa.ChunkedArray, kind: pa.DataType, read: Callable[[str], Any]) -> pa.ChunkedArray:
    """Return `read` of every text, called once per different text."""
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks() if encoded.num_chunks != 1 else encoded.chunk(0)
    values = pa.array([read(text) for text in encoded.dictionary.to_pylist()], kind)
    return pa.chunked_array([values.take(encoded.indices)])


def _nulls(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    return pa.chunked_array([pa.nulls(len(column), kind)])


def _none(column: pa.ChunkedArray) -> Mask:
    return np.zeros(len(column), dtype=bool)


def _mask(cells: pa.ChunkedArray) -> Mask:
    return np.asarray(pc.fill_null(cells, False).to_numpy(), dtype=bool)


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))
