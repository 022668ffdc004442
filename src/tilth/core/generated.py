"""Generated: what a person's generator made of rows, before any of it is judged."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

__all__ = ["Generated"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Generated:
    """The rows that a generator made.

    Attributes
    ----------
    cells : its columns, (m,) rows; other cells are the parents'
    parents : (m,) id of the row that each was made of
    calls : rows of which it was asked, now or in an earlier run
    failed : of how many of these it raised, or gave what is no row
    reason : the first failure in words, "" where there is none
    """

    cells: pa.Table
    parents: pa.Array
    calls: int
    failed: int = 0
    reason: str = ""
