"""Edges: where the values of a column are cut, at numbers and dates that people would write."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tilth.core.arrays import IntVector, Vector

__all__ = ["Edge", "as_date", "bin_numbers", "date_edge", "edges_of", "roundest"]

_LEEWAY = 0.25
"""How far an edge may move to be rounder, in parts of the rows of a bin."""
_MOST_DIGITS = 17
_MOST_PLACES = 300


class Edge(NamedTuple):
    """Where a bin begins: at a value, or just after it."""

    value: float | int
    after: bool = False


def edges_of(values: np.ndarray, bins: int) -> list[Edge]:
    """Return edges between about `bins` bins of like many rows; values that fill a bin by themselves get one.

    Parameters
    ----------
    values : (n,) finite numbers, integers or float64
    bins : number of bins, >= 2

    Returns
    -------
    list of Edge
        Ascending; a bin reaches from one edge to the next, the first from below all, the last without end.

    Examples
    --------
    >>> edges_of(np.array([0, 0, 0, 1, 1]), 3)
    [Edge(value=0, after=False), Edge(value=0, after=True), Edge(value=1, after=False), Edge(value=1, after=True)]
    """
    distinct, counts = np.unique(values, return_counts=True)
    is_heavy = np.ones(len(distinct), bool) if len(distinct) <= bins else counts >= len(values) / bins
    edges = {Edge(_plain(v), after) for v in distinct[is_heavy] for after in (False, True)}
    light, held = distinct[~is_heavy], counts[~is_heavy]
    if len(light) > 1:
        left = max(2, bins - int(is_heavy.sum()))
        ends = np.cumsum(held) / held.sum()
        for cut in range(1, left):
            low, high = (_at(light, ends, (cut + side * _LEEWAY) / left) for side in (-1, 1))
            edges.add(Edge(roundest(low, high)))
    return sorted(edges)


def bin_numbers(values: np.ndarray, edges: list[Edge]) -> IntVector:
    """Return the bin of each value: how many edges it has passed; (n,) -> (n,)."""
    at = [edge.value for edge in edges if not edge.after]
    after = [edge.value for edge in edges if edge.after]
    passed = np.searchsorted(np.asarray(at, dtype=values.dtype), values, side="right")
    passed = passed + np.searchsorted(np.asarray(after, dtype=values.dtype), values, side="left")
    return np.asarray(passed, dtype=np.intp)


def roundest(low: float, high: float) -> float | int:
    """Return the number from low to high that takes the fewest digits to write, the one nearest to the middle of several.

    Examples
    --------
    >>> roundest(17, 23), roundest(0.1234, 0.1266), roundest(31, 31)
    (20, 0.125, 31)
    """
    if low >= high:
        return low
    top = math.floor(math.log10(max(abs(low), abs(high)))) + 1
    for digits in range(_MOST_DIGITS + 1):
        place = top - digits
        if place < 0 and isinstance(low, int):
            break
        for step in (5, 2, 1) if digits else (1,):
            found = _multiple(low, high, step, place)
            if found is not None:
                return found
    return low


def _multiple(low: float, high: float, step: int, place: int) -> float | int | None:
    """Return the multiple of step 10^place in [low, high] that is nearest to the middle."""
    if isinstance(low, int):
        size = step * 10**place
        first, last = -(-low // size), int(high) // size
        middle = round((low + high) / 2 / size)
        return None if first > last else min(max(middle, first), last) * size
    if abs(place) > _MOST_PLACES:
        return None
    unit = step * 10.0**place
    first, last = math.ceil(low / unit), math.floor(high / unit)
    if first > last:
        return None
    number = min(max(round((low / 2 + high / 2) / unit), first), last)
    value = round(number * unit, -place)
    return value if low <= value <= high else None


def as_date(count: int, unit: str) -> np.datetime64:
    """Return the date that lies so many units after the beginning of 1970."""
    (date,) = np.array([count], dtype=np.int64).astype(f"datetime64[{unit}]")
    return np.datetime64(date)


def date_edge(low: int, high: int, unit: str) -> int | None:
    """Return the date in (low, high] that is shortest to write, as counts of the unit since 1970; None if none is."""
    first, last = as_date(low, unit), as_date(high, unit)
    for coarser in ("Y", "M", "D", "h", "m", "s"):
        start = last.astype(f"datetime64[{coarser}]").astype(f"datetime64[{unit}]")
        if start > first:
            return int(start.astype(np.int64))
    return None


def _at(distinct: np.ndarray, ends: Vector, share: float) -> float | int:
    return _plain(distinct[min(int(np.searchsorted(ends, share)), len(distinct) - 1)])


def _plain(value: np.generic) -> float | int:
    plain = value.item()
    return plain if isinstance(plain, int) else float(plain)
