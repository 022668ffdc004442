"""Where the next labeler should look: rows of no vote and of conflict, grouped by what tells them from the other rows.

A group is told by a word, a category or a range of numbers that may be shown: something to write a labeler about. Labels of train
and pool rows say what it would say; labels of dev rows say nothing here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_array

from tilth.core.arrays import IntVector, Mask, evenly
from tilth.core.cast_votes import CastVotes
from tilth.core.dataset import Dataset
from tilth.core.project_labels import Place
from tilth.core.schema import Column, ColumnType, Role
from tilth.core.votes import Votes
from tilth.numerics.telling_marks import MarkedGroup, telling_groups
from tilth.numerics.vote_analysis import tallies

__all__ = ["next_places"]

NO_VOTE, CONFLICT = "no vote", "conflict"
MOST_ROWS = 40_000
"""Rows that are looked at, evenly spaced where there are more."""
EXAMPLES = 3
_WORD = re.compile(r"[^\W\d_][\w'’]+")
_NOT_READ = (Role.LABEL, Role.ID, Role.SPLIT, Role.PRED_PROBS)


def next_places(dataset: Dataset, cast: CastVotes, labels: tuple[IntVector, Mask], most: int = 5) -> tuple[Place, ...]:
    """Return groups of rows without a vote, then of rows of conflict, the most telling first.

    Parameters
    ----------
    dataset : the version
    cast : the votes on its rows
    labels : (n,) class numbers of the rows voted on, and which of them may be shown as a hint
    most : groups of each kind at most
    """
    votes = cast.votes
    looked = evenly(len(votes), MOST_ROWS)
    marks, names = _marks(dataset, cast.positions[looked])
    counts = tallies(votes.rows, votes.said, len(votes), votes.n_classes)
    kinds = {NO_VOTE: ~votes.covered, CONFLICT: (counts > 0).sum(axis=1) > 1}
    return tuple(
        place
        for kind, rows in kinds.items()
        for place in _places(kind, rows, looked, marks, names, votes, _told(dataset, labels), most)
    )


def _told(dataset: Dataset, labels: tuple[IntVector, Mask]) -> tuple[IntVector, Mask]:
    codes, known = labels
    return codes, known & dataset.schema.may_show(dataset.schema.task.label)


def _places(
    kind: str,
    rows: Mask,
    looked: IntVector,
    marks: csr_array,
    names: list[str],
    votes: Votes,
    labels: tuple[IntVector, Mask],
    most: int,
) -> Iterator[Place]:
    """Yield the groups of one kind; what nothing tells comes last, as one."""
    inside = rows[looked]
    if not inside.any():
        return
    found = telling_groups(marks, inside, most=most)
    left = inside.copy()
    for group in found:
        left[group.rows] = False
    rest = np.flatnonzero(left)
    for group in (*found, MarkedGroup(np.zeros(0, dtype=np.intp), rest, 0.0)):
        if len(group.rows):
            yield _place(kind, group, int(inside.sum()), looked, names, votes, labels)


def _place(
    kind: str,
    group: MarkedGroup,
    of: int,
    looked: IntVector,
    names: list[str],
    votes: Votes,
    labels: tuple[IntVector, Mask],
) -> Place:
    rows = looked[group.rows]
    codes, known = labels
    counted = np.bincount(codes[rows[known[rows]]], minlength=votes.n_classes)
    order = np.argsort(-counted, kind="stable")
    return Place(
        kind=kind,
        what=tuple(names[mark] for mark in group.marks),
        rows=len(rows),
        share=len(rows) / of,
        elsewhere=group.elsewhere,
        labels={votes.classes[code]: int(counted[code]) for code in order if counted[code]},
        torn=_torn(votes, rows) if kind == CONFLICT else "",
        looked_at=None if len(looked) == len(votes) else len(looked),
        examples=tuple(str(one) for one in votes.row_ids.take(pa.array(rows[:EXAMPLES])).to_pylist()),
    )


def _torn(votes: Votes, rows: IntVector) -> str:
    """Return the two labelers that contradict one another most often on some rows."""
    starts = np.searchsorted(votes.rows, [rows, rows + 1])
    pairs: Counter[tuple[int, int, int, int]] = Counter()
    for start, end in starts.T.tolist():
        cast = [(int(votes.sources[at]), int(votes.said[at])) for at in range(start, end)]
        pairs.update((*one, *two) for one in cast for two in cast if one[0] < two[0] and one[1] != two[1])
    if not pairs:
        return ""
    (first, says, second, other), count = min(pairs.items(), key=lambda item: (-item[1], item[0]))
    names, classes = votes.labelers, votes.classes
    return f"{names[first]} says {classes[says]}, {names[second]} {classes[other]} on {count:,}"


# -- marks -------------------------------------------------------------------------------------------------------------


def _marks(dataset: Dataset, positions: IntVector) -> tuple[csr_array, list[str]]:
    """Return which row has which mark, (n, t), and the names of the marks."""
    columns = [c for c in dataset.schema.columns if c.role not in _NOT_READ and dataset.schema.may_show(c.name)]
    numbers: dict[str, int] = {}
    rows, marks = list[int](), list[int]()
    for column in columns:
        cells = dataset.read(column.name).column(0).take(pa.array(positions))
        for row, mark in _marks_of(column, cells):
            rows.append(row)
            marks.append(numbers.setdefault(mark, len(numbers)))
    names = sorted(numbers)
    place = np.empty(len(numbers), dtype=np.intp)
    place[[numbers[name] for name in names]] = np.arange(len(names))
    shape = (len(positions), len(names))
    found = csr_array(
        (np.ones(len(rows)), (np.array(rows, dtype=np.intp), place[np.array(marks, dtype=np.intp)])), shape
    )
    found.data[:] = 1.0
    return found, names


def _marks_of(column: Column, cells: pa.ChunkedArray) -> Iterator[tuple[int, str]]:
    if column.type is ColumnType.TEXT:
        for row, text in enumerate(cells.cast(pa.string()).to_pylist()):
            yield from ((row, word) for word in set(_WORD.findall((text or "").lower())))
    elif column.type is ColumnType.CATEGORY:
        for row, value in enumerate(cells.cast(pa.string()).to_pylist()):
            yield row, f"{column.name} is {'missing' if value is None else value}"
    elif column.type is ColumnType.NUMBER:
        yield from _ranges(column.name, cells)


def _ranges(name: str, cells: pa.ChunkedArray) -> Iterator[tuple[int, str]]:
    numbers = np.asarray(pc.fill_null(cells.cast(pa.float64()), np.nan))
    known = numbers[~np.isnan(numbers)]
    if not len(known):
        return
    low, high = np.quantile(known, [0.25, 0.75])
    for sign, there in (("<=", numbers <= low), (">=", numbers >= high)):
        bound = low if sign == "<=" else high
        yield from ((int(row), f"{name} {sign} {bound:g}") for row in np.flatnonzero(there))
    yield from ((int(row), f"{name} is missing") for row in np.flatnonzero(np.isnan(numbers)))
