"""What the detectors have in common: figures in words, missing cells, and control of false alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.errors import NotApplicable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tilth.core.arrays import IntVector, Mask, Vector
    from tilth.core.schema import Column, ColumnType
    from tilth.numerics.neighbours import Neighbours
    from tilth.operators.view import View

__all__ = [
    "benjamini_hochberg",
    "class_texts",
    "doubtable",
    "feature_columns",
    "holm",
    "labels_differ",
    "missing_cells",
    "named",
    "refuse_few_rows",
    "refuse_regression",
    "searched",
    "share_of",
    "texts",
    "value_codes",
]

_TEXTUAL = (pa.types.is_string, pa.types.is_large_string)


def share_of(part: int, whole: int, noun: str = "rows") -> str:
    """Return a count with its share in words: "12 of 1,000 rows (1.2 %)"."""
    percent = 100 * part / max(whole, 1)
    shown = f"{percent:.0f}" if percent >= 10 else f"{percent:.2g}"
    return f"{part:,} of {whole:,} {noun} ({shown} %)"


def named(names: Sequence[str], most: int = 5) -> str:
    """Return the first names in quotes and how many more there are."""
    shown = ", ".join(repr(str(name)) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most:,} more"


def texts(values: Iterable[object], shown: Mask) -> list[str]:
    """Return per-row evidence as text, empty where it does not apply."""
    return [str(value) if show else "" for value, show in zip(values, shown, strict=True)]


def class_texts(view: View, codes: IntVector, shown: Mask) -> list[str]:
    """Return the class names of class numbers, empty where they do not apply."""
    return [view.classes[code] if show else "" for code, show in zip(codes, shown, strict=True)]


def refuse_few_rows(n_rows: int, least: int) -> None:
    """Raise NotApplicable for fewer rows than a method can work with."""
    if n_rows < least:
        raise NotApplicable(f"{n_rows:,} usable rows are fewer than the {least:,} that it needs")


def refuse_regression(view: View) -> None:
    """Raise NotApplicable for a numeric label."""
    if view.schema.task.is_regression:
        raise NotApplicable("it reads classes, and the label is a number")


def searched(near: Neighbours) -> str:
    """Say that neighbours may have been missed, where that is so; empty after an exact search."""
    if near.exact:
        return ""
    return f"; of these {len(near.positions):,} rows each was compared with some thousand around it, not with all"


def doubtable(view: View) -> Mask:
    """Rows that have a label which no person has confirmed."""
    trusted = view.trusted if view.has("trusted") else np.zeros(len(view), dtype=bool)
    return np.asarray(view.labelled & ~trusted)


def labels_differ(view: View, leader: IntVector) -> Mask:
    """Rows of groups in which some label differs from the leader's; (n,) positions of leaders -> (n,)."""
    given = view.numbers if view.schema.task.is_regression else view.labels
    differs = view.labelled & view.labelled[leader] & (given != given[leader])
    return np.asarray(np.bincount(leader, differs, minlength=len(leader))[leader] > 0)


def feature_columns(view: View, *types: ColumnType) -> tuple[Column, ...]:
    """Return the feature columns that the table holds, of the given types or of any."""
    held = set(view.table.column_names)
    return tuple(c for c in view.schema.features if c.name in held and (not types or c.type in types))


def missing_cells(column: pa.ChunkedArray) -> Mask:
    """Cells that are null, not a number, or text without a sign in it; (n,) bool."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    missing = np.asarray(pc.is_null(column, nan_is_null=pa.types.is_floating(column.type)), dtype=bool)
    if any(test(column.type) for test in _TEXTUAL):
        blank = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(column), ""), False)
        missing |= np.asarray(blank, dtype=bool)
    return missing


def value_codes(column: pa.ChunkedArray) -> tuple[IntVector, Mask]:
    """Number the values of a plain column from 0, missing cells all under one further number.

    Returns codes (n,) and the mask of missing cells.
    """
    missing = missing_cells(column)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    encoded = pc.dictionary_encode(column.combine_chunks(), null_encoding="mask")
    codes = np.asarray(pc.fill_null(encoded.indices, 0), dtype=np.intp).copy()
    codes[missing] = len(encoded.dictionary)
    return codes, missing


def benjamini_hochberg(p_values: Vector) -> Vector:
    """Return for each p-value the share of false alarms among all at least as small; (m,) -> (m,).

    q_(i) = min over j >= i of p_(j) m / j. Source: Benjamini, Hochberg (1995), JRSS B 57.
    """
    m = len(p_values)
    order = np.argsort(p_values, kind="stable")
    scaled = p_values[order] * m / np.arange(1, m + 1)
    adjusted = np.empty(m)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted


def holm(p_values: Vector) -> Vector:
    """Return p-values corrected for the number of tests; (m,) -> (m,).

    p~_(i) = max over j <= i of p_(j) (m - j + 1). Source: Holm (1979), Scandinavian Journal of Statistics 6.
    """
    m = len(p_values)
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty(m)
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * np.arange(m, 0, -1)), 1.0)
    return adjusted
