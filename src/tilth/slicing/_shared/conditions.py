"""Conditions: one value or range of one column, as a predicate that finds the rows again, and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tilth.slicing._shared.edges import Edge

__all__ = ["Bound", "Condition", "Feature", "range_condition"]


class Bound(NamedTuple):
    """An edge as it is written in a predicate and in words; `after` as in `Edge`."""

    sql: str
    words: str
    after: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on one column: the predicate, and the words that complete "rows whose …"."""

    where: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Feature:
    """A column, or what was computed of it, cut into values.

    Parameters
    ----------
    name : what it is, in words
    column : the column of the table
    codes : (n,) the number of each row's value; the number of conditions where it has none of them
    conditions : one per value; the first `n_ordered` are neighbouring ranges, ascending
    bounds : n_ordered + 1 ends of the ranges; None for no end
    subject : the expression whose ranges they are, as SQL
    finite : what else a range without an end asks, as SQL: not to be no number
    """

    name: str
    column: str
    codes: NDArray[np.uint16]
    conditions: tuple[Condition, ...]
    bounds: tuple[Bound | None, ...] = ()
    subject: str = ""
    finite: str = ""

    @property
    def n_ordered(self) -> int:
        """How many of the first conditions are neighbouring ranges."""
        return max(0, len(self.bounds) - 1)

    def condition(self, low: int, high: int) -> Condition:
        """Return the condition of the values from low to high, both included; ends beyond which no row lies are left open."""
        if high >= self.n_ordered or self.n_ordered == 1:
            return self.conditions[low]
        begin, end = self.bounds[low], self.bounds[high + 1]
        is_one = begin is not None and end is not None and begin.sql == end.sql
        held = np.flatnonzero(np.bincount(self.codes, minlength=self.n_ordered)[: self.n_ordered])
        if not is_one and len(held) and (low > held[0] or high < held[-1]):
            begin = None if low <= held[0] else begin
            end = None if high >= held[-1] else end
        return range_condition(self.name, self.subject, begin, end, self.finite)


def range_condition(name: str, subject: str, low: Bound | None, high: Bound | None, finite: str = "") -> Condition:
    """Return the condition of a range: from low (if any) up to high (if any)."""
    if low is not None and high is not None and low.sql == high.sql:
        return Condition(f"{subject} = {low.sql}", f"{name} is {low.words}")
    parts: list[str] = []
    if low is not None:
        parts.append(f"{subject} {'>' if low.after else '>='} {low.sql}")
    if high is not None:
        parts.append(f"{subject} {'<=' if high.after else '<'} {high.sql}")
    if finite and (low is None or high is None):  # in SQL, no number lies beyond all numbers, on the side of its sign
        parts.append(finite)
    return Condition(" AND ".join(parts), f"{name} is {_range_words(low, high)}")


def _range_words(low: Bound | None, high: Bound | None) -> str:
    ends = "" if high is None else high.words if high.after else f"under {high.words}"
    if low is None:
        return f"up to {ends}" if high is not None and high.after else ends
    if not ends:
        return f"above {low.words}" if low.after else f"{low.words} or more"
    return f"{'above' if low.after else 'from'} {low.words} to {ends}"


def as_bounds(edges: Sequence[Edge], sql: Sequence[str], words: Sequence[str]) -> tuple[Bound, ...]:
    """Return edges with how they are written."""
    return tuple(Bound(one, said, edge.after) for edge, one, said in zip(edges, sql, words, strict=True))
