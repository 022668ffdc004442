"""Features: the columns of a table as few values each, every value with its predicate.

Categories keep their most frequent values; numbers and dates are cut where people would cut them; of text its length and its
number of words are taken; a missing cell is a value of its own. What identifies rows, and what cannot be written in a
predicate, is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import Mask
from tilth.core.schema import Column, ColumnType, Role, Schema
from tilth.engine.predicate import written_name
from tilth.slicing._shared.conditions import Bound, Condition, Feature, as_bounds, range_condition
from tilth.slicing._shared.edges import Edge, as_date, bin_numbers, date_edge, edges_of

__all__ = ["features_of", "written_text"]

MOST_VALUES = 40
"""Most values of a category that are looked at: those of the most rows."""
LONGEST_VALUE = 200
_ROLES = frozenset({Role.FEATURE, Role.GROUP, Role.TIME})
_EXACT = 2**53


def features_of(table: pa.Table, schema: Schema, *, bins: int = 10, least_rows: int = 30) -> list[Feature]:
    """Return the columns of a table that slices may be made of, cut into values.

    Columns whose cells may not be shown are left out: a predicate quotes them.

    Parameters
    ----------
    table : n rows of the user's columns
    schema : their types, roles and visibility
    bins : about how many ranges numbers and dates are cut into
    least_rows : values of fewer rows are of no interest
    """
    made: list[Feature] = []
    for column in schema.columns:
        if column.name in table.column_names and column.role in _ROLES and schema.may_show(column.name):
            made += _of_column(column, table.column(column.name), bins, least_rows)
    return [feature for feature in made if len(feature.conditions) > 1 or _is_partial(feature)]


def _is_partial(feature: Feature) -> bool:
    """Whether a single value is not that of all rows."""
    return bool(feature.conditions) and bool((feature.codes >= len(feature.conditions)).any())


def _of_column(column: Column, cells: pa.ChunkedArray, bins: int, least_rows: int) -> Iterator[Feature]:
    if pa.types.is_dictionary(cells.type):
        cells = cells.cast(cells.type.value_type)
    kind = cells.type
    if pa.types.is_boolean(kind):
        yield _booleans(column.name, cells)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        if column.type is ColumnType.TEXT:
            yield from _text(column.name, cells, bins)
        else:
            yield _categories(column.name, cells, least_rows)
    elif pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        yield from _dates(column.name, cells, bins)
    elif (pa.types.is_integer(kind) or pa.types.is_float32(kind) or pa.types.is_float64(kind)) and not _is_id(cells):
        yield _numbers(column.name, column.name, written_name(column.name), cells, bins)


def _is_id(cells: pa.ChunkedArray) -> bool:
    """Whether whole numbers count the rows: no two alike, and hardly a gap."""
    if len(cells) < 3 or cells.null_count or pc.count_distinct(cells).as_py() < len(cells):
        return False
    if not pa.types.is_integer(cells.type) and not bool(pc.all(pc.equal(pc.floor(cells), cells)).as_py()):
        return False
    ends = pc.min_max(cells).as_py()
    return bool(cells.null_count == 0 and ends["max"] - ends["min"] < 2 * len(cells))


# -- kinds of columns --------------------------------------------------------------------------------------------------


def _booleans(name: str, cells: pa.ChunkedArray) -> Feature:
    subject = written_name(name)
    codes = np.asarray(pc.if_else(cells, 0, 1).fill_null(2)).astype(np.uint16)
    conditions = [
        Condition(f"{subject} = TRUE", f"{name} is true"),
        Condition(f"{subject} = FALSE", f"{name} is false"),
    ]
    return Feature(name=name, column=name, codes=codes, conditions=(*conditions, _missing(name, subject)))


def _missing(name: str, subject: str, nan: str = "") -> Condition:
    where = f"({subject} IS NULL OR {nan})" if nan else f"{subject} IS NULL"
    return Condition(where, f"{name} is missing")


def _categories(name: str, cells: pa.ChunkedArray, least_rows: int) -> Feature:
    subject = written_name(name)
    counted = pc.value_counts(cells.drop_null())
    pairs = [(-n, v) for n, v in zip(counted.field(1).to_pylist(), counted.field(0).to_pylist(), strict=True)]
    kept = [v for n, v in sorted(pairs) if -n >= least_rows and len(v) <= LONGEST_VALUE][:MOST_VALUES]
    codes = np.asarray(
        pc.index_in(cells, value_set=pa.array(kept, cells.type), skip_nulls=True).fill_null(len(kept) + 1)
    )
    codes = codes.astype(np.uint16)
    codes[np.asarray(pc.is_null(cells))] = len(kept)
    conditions = [Condition(f"{subject} = {written_text(v)}", f"{name} is {v or 'empty'}") for v in kept]
    return Feature(name=name, column=name, codes=codes, conditions=(*conditions, _missing(name, subject)))


def written_text(value: str) -> str:
    """Return text as a predicate writes it."""
    return "'" + value.replace("'", "''") + "'"


def _text(name: str, cells: pa.ChunkedArray, bins: int) -> Iterator[Feature]:
    subject = written_name(name)
    length = pc.utf8_length(cells).cast(pa.int64())
    words = pc.add(pc.count_substring(cells, " ").cast(pa.int64()), 1)
    size = f"char_length({subject})"
    spaced = f"({size} - char_length(replace({subject}, ' ', '')) + 1)"
    yield _numbers(f"length of {name}", name, size, length, bins)
    if bool(pc.any(pc.greater(words, 1)).as_py()):
        yield _numbers(f"number of words in {name}", name, spaced, words, bins)


def _numbers(name: str, column: str, subject: str, cells: pa.ChunkedArray, bins: int) -> Feature:
    missing = np.asarray(pc.is_null(cells))
    values = np.asarray(pc.fill_null(cells, 0))
    if values.dtype.kind == "f":
        values = values.astype(np.float64)
    absent = missing | np.isnan(values) if values.dtype.kind == "f" else missing
    known = values[~absent & np.isfinite(values)]
    edges = edges_of(known, bins) if len(known) else []
    written = [_number(edge.value) for edge in edges]
    bounds = (None, *as_bounds(edges, written, [_said(edge.value) for edge in edges]), None)
    has_nan = bool((absent & ~missing).any())
    return _ranged(
        name, column, subject, bin_numbers(values, edges), bounds, absent, nan=f"isnan({subject})" if has_nan else ""
    )


def _dates(name: str, cells: pa.ChunkedArray, bins: int) -> Iterator[Feature]:
    is_day = pa.types.is_date(cells.type)
    unit = "D" if is_day else cells.type.unit
    missing = np.asarray(pc.is_null(cells))
    plain = cells.cast(pa.date32()).cast(pa.int32()) if is_day else cells.cast(pa.int64())
    values = np.asarray(pc.fill_null(plain, 0)).astype(np.int64)
    known = np.sort(values[~missing])
    if not len(known) or abs(as_date(int(np.abs(known).max()), unit).astype("datetime64[Y]").astype(int)) > 200:
        return
    ends = [int(known[min(int(len(known) * (cut - 0.25) / bins), len(known) - 1)]) for cut in range(1, bins)]
    tops = [int(known[min(int(len(known) * (cut + 0.25) / bins), len(known) - 1)]) for cut in range(1, bins)]
    found = [date_edge(low, high, unit) for low, high in zip(ends, tops, strict=True)]
    edges = [Edge(value) for value in sorted({one for one in found if one is not None})]
    zone = "" if is_day or cells.type.tz is None else "Z"
    sql, words = [], []
    for edge in edges:
        shown = np.datetime_as_string(as_date(int(edge.value), unit), unit="D" if is_day else "s")
        sql.append(f"DATE '{shown}'" if is_day else f"TIMESTAMP '{shown.replace('T', ' ')}{zone}'")
        words.append(shown.replace("T", " ").removesuffix(" 00:00:00"))
    bounds = (None, *as_bounds(edges, sql, words), None)
    yield _ranged(name, name, written_name(name), bin_numbers(values, edges), bounds, missing)


def _ranged(
    name: str,
    column: str,
    subject: str,
    codes: np.ndarray,
    bounds: tuple[Bound | None, ...],
    absent: Mask,
    *,
    nan: str = "",
) -> Feature:
    """Return a feature of neighbouring ranges; a range that no row has can never be a slice."""
    finite = f"NOT {nan}" if nan else ""
    ranges = [
        range_condition(name, subject, low, high, finite)
        if (low, high) != (None, None)
        else _present(name, subject, nan)
        for low, high in pairwise(bounds)
    ]
    codes = np.where(absent, len(ranges), codes).astype(np.uint16)
    return Feature(
        name=name,
        column=column,
        codes=codes,
        conditions=(*ranges, _missing(column, written_name(column), nan)),
        bounds=bounds,
        subject=subject,
        finite=finite,
    )


def _present(name: str, subject: str, nan: str) -> Condition:
    return Condition(f"{subject} IS NOT NULL" + (f" AND NOT {nan}" if nan else ""), f"{name} is there")


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else repr(value).removesuffix(".0")


def _said(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else _number(value)
