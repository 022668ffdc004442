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
        """Return the condition of the values from low to high, both included."""
        if low == high:
            return self.conditions[low]
        return range_condition(self.name, self.subject, self.bounds[low], self.bounds[high + 1], self.finite)


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
    begins = "" if low is None else f"above {low.words}" if low.after else low.words
    ends = "" if high is None else f"up to {high.words}" if high.after else f"under {high.words}"
    if not ends:
        return begins if begins.startswith("above") else f"{begins} or more"
    if not begins:
        return ends
    return f"{begins} to {ends}" if begins.startswith("above") else f"from {begins} to {ends}"


def as_bounds(edges: Sequence[Edge], sql: Sequence[str], words: Sequence[str]) -> tuple[Bound, ...]:
    """Return edges with how they are written."""
    return tuple(Bound(one, said, edge.after) for edge, one, said in zip(edges, sql, words, strict=True))
