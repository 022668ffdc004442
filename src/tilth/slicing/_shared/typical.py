"""Typical conditions: values of the table's shown columns that a slice has more of than all rows have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.schema import ColumnType, Role

if TYPE_CHECKING:
    from tilth.core.arrays import Mask, Vector
    from tilth.core.schema import Column
    from tilth.operators.view import View

__all__ = ["shown_columns", "typical_conditions"]

LEAST_Z = 4.0
"""Standard errors by which a slice must differ: with dozens of columns and values, less is chance."""
LEAST_SHARE, LEAST_LIFT = 0.3, 1.5
"""A value is typical where so many of the slice's rows have it, and so many times as many as of all rows."""
MOST_VALUES = 100
MOST_SIGNS = 40


def shown_columns(view: View, *types: ColumnType) -> list[Column]:
    """Return the columns of some types whose cells may be shown and that the table holds."""
    if not view.has("table"):
        return []
    held = set(view.table.column_names)
    roles = (Role.FEATURE, Role.GROUP)
    return [
        c
        for c in view.schema.columns
        if c.type in types and c.role in roles and c.name in held and view.schema.may_show(c.name)
    ]


def typical_conditions(view: View, inside: Mask, most: int = 3) -> list[str]:
    """Return conditions such as "colour = red (80 % of its rows, 20 % of all)", most telling first."""
    found: list[tuple[float, str]] = []
    for column in shown_columns(view, ColumnType.CATEGORY):
        found += _of_values(column.name, view.table.column(column.name), inside)
    for column in shown_columns(view, ColumnType.NUMBER):
        found += _of_numbers(column.name, view.table.column(column.name), inside)
    return [words for _, words in sorted(found, key=lambda one: (-one[0], one[1]))[:most]]


def _of_values(name: str, cells: pa.ChunkedArray, inside: Mask) -> list[tuple[float, str]]:
    encoded = pc.dictionary_encode(cells.cast(pa.string()).combine_chunks())
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    values = encoded.dictionary.to_pylist()
    if not values or len(values) > MOST_VALUES:
        return []
    codes = np.asarray(encoded.indices.fill_null(len(values)), dtype=np.intp)
    n, m = len(inside), int(inside.sum())
    of_all = np.bincount(codes, minlength=len(values) + 1)[: len(values)] / n
    here = np.bincount(codes[inside], minlength=len(values) + 1)[: len(values)] / m
    z = (here - of_all) / np.sqrt(np.maximum(of_all * (1 - of_all), 1e-9) * max(n - m, 1e-9) / (m * n))
    typical = (z >= LEAST_Z) & (here >= LEAST_SHARE) & (here >= LEAST_LIFT * of_all)
    return [
        (float(z[i]), f"{name} = {_short(values[i])} ({here[i]:.0%} of its rows, {of_all[i]:.0%} of all)")
        for i in np.flatnonzero(typical)
    ]


def _of_numbers(name: str, cells: pa.ChunkedArray, inside: Mask) -> list[tuple[float, str]]:
    """Compare ranks, which no outlier moves."""
    values = np.asarray(pc.fill_null(cells.cast(pa.float64(), safe=False), float("nan")), dtype=np.float64)
    known = np.isfinite(values)
    n, m = int(known.sum()), int((known & inside).sum())
    if m < 2 or n - m < 2 or np.ptp(values[known]) == 0:
        return []
    ranks = _mid_ranks(values[known])
    higher = float(ranks[inside[known]].mean()) - (n + 1) / 2
    z = higher / np.sqrt(max(float(ranks.var()), 1e-12) * (n - m) / (m * (n - 1)))
    if abs(z) < LEAST_Z or abs(higher) < n / 6:
        return []
    here, of_all = (float(np.median(values[rows])) for rows in (known & inside, known))
    word = "high" if z > 0 else "low"
    return [(abs(float(z)), f"{name} is {word} (half of its rows beyond {here:.4g}, of all {of_all:.4g})")]


def _mid_ranks(values: Vector) -> Vector:
    ordered = np.sort(values)
    return np.asarray((np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right") + 1) / 2)


def _short(value: str) -> str:
    return value if len(value) <= MOST_SIGNS else f"{value[:MOST_SIGNS]}…"
