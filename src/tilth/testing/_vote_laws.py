"""Laws of labelers: one class name or null per row, row by row, from the declared columns only, the same each time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.said import Said
from tilth.operators.batch import Batch
from tilth.operators.voting import part_of
from tilth.testing._behaviour import global_state, same_state
from tilth.testing._subject import Check, Subject

__all__ = ["VOTING", "labeler_rows"]

WORDS = ("please subscribe", "", "Check out my channel", "spam such as this", "what a song", "größer als das", "1")


def labeler_rows(columns: tuple[str, ...] = (), rows: int = 21) -> Batch:
    """Return rows of text, numbers and dates, some cells missing, for a labeler; columns of other names hold text."""
    usual = _usual(rows)
    names = columns or tuple(usual)
    return Batch(
        ids=pa.array([f"r{place}" for place in range(rows)]),
        columns={name: usual.get(name, usual["text"]) for name in names},
    )


def _usual(rows: int) -> Mapping[str, pa.Array]:
    texts = [None if place % 10 == 9 else WORDS[place % len(WORDS)] for place in range(rows)]
    numbers = [None if place % 8 == 7 else float(place % 5) - 1.0 for place in range(rows)]
    days = np.arange(rows) + np.datetime64("2020-01-01", "D")
    return {
        "text": pa.array(texts, pa.string()),
        "number": pa.array(numbers, pa.float64()),
        "date": pa.array(days.astype("datetime64[us]")),
    }


def names_its_columns(subject: Subject) -> None:
    """`columns` is a tuple of names, all different."""
    columns = subject.make().columns
    fits = isinstance(columns, tuple) and all(isinstance(name, str) for name in columns)
    if not fits or len(set(columns)) < len(columns):
        raise subject.breach(f"its columns are {columns!r}", "give a tuple of different names")


def says_one_thing_per_row(subject: Subject) -> None:
    """It answers each row of a batch that holds its declared columns and no other."""
    for rows in (21, 1, 0):
        said = _said(subject, rows)
        if not isinstance(said, Said) or len(said) != rows:
            raise subject.breach(f"on {rows} rows it answers {said!r}", "return Said with one name or null per row")
        failed = {failure.row_id for failure in said.failures}
        ids = labeler_rows((), rows).ids.to_pylist()
        if not failed <= set(ids) or any(said.names[ids.index(row)].is_valid for row in failed):
            raise subject.breach("a row on which it failed is not among the rows, or has a vote", "abstain there")


def votes_row_by_row(subject: Subject) -> None:
    """What it says of a row does not depend on the rows beside it, nor on their order."""
    made = subject.make()
    batch = labeler_rows(made.columns)
    whole = made.vote(batch).names.to_pylist()
    parts = [made.vote(part_of(batch, start, 4)).names.to_pylist() for start in range(0, len(batch), 4)]
    if [name for part in parts for name in part] != whole:
        raise subject.breach("in parts, it says something else", "look at one row at a time")
    order = np.arange(len(batch))[::-1]
    turned = Batch(
        ids=batch.ids.take(pa.array(order)),
        columns={name: cells.take(pa.array(order)) for name, cells in batch.columns.items()},
    )
    if made.vote(turned).names.to_pylist() != whole[::-1]:
        raise subject.breach("in another order, it says something else", "look at one row at a time")


def bears_missing_cells(subject: Subject) -> None:
    """Rows all of whose cells are missing get an answer, not an exception."""
    made = subject.make()
    batch = labeler_rows(made.columns)
    bare = Batch(
        ids=batch.ids, columns={name: pa.nulls(len(batch), cells.type) for name, cells in batch.columns.items()}
    )
    if failures := made.vote(bare).failures:
        raise subject.breach(f"it fails on missing cells: {failures[0].error}", "abstain where a cell is missing")


def says_the_same_again(subject: Subject) -> None:
    """Asked twice it answers alike, and the global generators are as they were."""
    before = global_state()
    first, again = (_said(subject, 21).names for _ in range(2))
    if not first.equals(again):
        raise subject.breach("asked twice, it answers differently", "draw nothing")
    if not same_state(before, global_state()):
        raise subject.breach("it drew from a global random generator")


def _said(subject: Subject, rows: int) -> Any:
    made = subject.make()
    return made.vote(labeler_rows(made.columns, rows))


VOTING: tuple[Check, ...] = (
    names_its_columns,
    says_one_thing_per_row,
    votes_row_by_row,
    bears_missing_cells,
    says_the_same_again,
)
