"""Votes that say yes or no of each class on its own: a table with one 0/1 column per labeler and class, or a 0/1 block.

row_id, ann|joy, ann|anger, bob|joy        1 yes · 0 no · empty or -1: nothing said of this class
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector
from tilth.core.errors import LabelError, SourceError, UnknownColumnError, first_three
from tilth.sources._vote_words import WordVotes, abstentions, coded, counted
from tilth.sources._votes_matrix import id_column, ids_of, numbered

if TYPE_CHECKING:
    from tilth.sources._votes import VoteReading

__all__ = ["lists_joined", "of_yes_no_array", "of_yes_no_table", "yes_no_columns"]

YES, NO = frozenset({"1", "yes", "true", "True"}), frozenset({"0", "no", "false", "False"})


def lists_joined(table: pa.Table, separator: str) -> pa.Table:
    """Return a table whose lists of classes are written as cells: [a, b] as "a|b", [] as the separator alone."""
    for place, field in enumerate(table.schema):
        if not (pa.types.is_list(field.type) or pa.types.is_large_list(field.type)):
            continue
        cells = [
            None if cell is None else separator.join(map(str, cell)) or separator
            for cell in table.column(place).to_pylist()
        ]
        table = table.set_column(place, field.name, pa.array(cells, pa.string()))
    return table


def yes_no_columns(table: pa.Table, reading: VoteReading, truth: str | None) -> dict[str, tuple[str, str]]:
    """Return column -> (labeler, class) where each column that could be a labeler is named LABELER|CLASS; else nothing."""
    known = {id_column(table, reading.ignore), truth, *reading.ignore}
    named = [column for column in table.column_names if column not in known]
    halves = {column: tuple(half.strip() for half in column.rsplit(reading.separator, 1)) for column in named}
    if not named or any(len(pair) != 2 or not all(pair) for pair in halves.values()):
        return {}
    return {column: (pair[0], pair[1]) for column, pair in halves.items()}


def of_yes_no_table(table: pa.Table, name: str, reading: VoteReading, truth: str | None) -> WordVotes:
    """Return the votes of a table with one 0/1 column per labeler and class.

    Raises
    ------
    LabelError
        Two columns for one labeler and class, or cells that say neither yes nor no.
    """
    for column in (*reading.ignore, *([] if truth is None else [truth])):
        if column not in table.column_names:
            raise UnknownColumnError.among(column, table.column_names, where=name)
    pairs = yes_no_columns(table, reading, truth)
    if len(set(pairs.values())) < len(pairs):
        raise LabelError("two columns are for one labeler and class", where=name, next_step="leave one out: --ignore")
    labelers, classes = _different([pair[0] for pair in pairs.values()]), _different([p[1] for p in pairs.values()])
    cells = [_answers(table.column(column), column, name, reading.abstain) for column in pairs]
    ids = id_column(table, reading.ignore)
    note = f"one column per labeler and class: {counted(table.num_rows, 'row')}, {counted(len(labelers), 'labeler')}"
    return _votes_of(
        name,
        np.stack(cells, axis=1),
        np.array([labelers.index(one) for one, _ in pairs.values()]),
        np.array([classes.index(one) for _, one in pairs.values()]),
        labelers=labelers,
        classes=classes,
        row_ids=numbered(table.num_rows) if ids is None else ids_of(table, ids, name),
        has_ids=ids is not None,
        truth=None if truth is None else coded(table.column(truth)),
        notes=(f"{note}, yes or no of {len(classes)}",),
    )


def of_yes_no_array(block: np.ndarray, name: str, classes: Sequence[str]) -> WordVotes:
    """Return the votes of an (n, m, k) block: 1 says yes, 0 says no, -1 or NaN says nothing of the class.

    Raises
    ------
    SourceError
        Other cells, no cells, or another number of classes than are named.
    """
    n, m, k = block.shape
    if not block.size or block.dtype.kind not in "biuf":
        raise SourceError(
            f"holds no votes: {block.dtype} of the shape {block.shape}", where=name, next_step="write 1, 0 and -1"
        )
    if classes and len(classes) != k:
        raise SourceError(
            f"votes on {k} classes, and {len(classes)} are named",
            where=name,
            next_step="name one per column: --classes",
        )
    cells = np.where(np.isnan(block), -1, block) if block.dtype.kind == "f" else block
    odd = np.setdiff1d(np.unique(cells), (-1, 0, 1))
    if len(odd):
        raise SourceError(
            f"{first_three(odd.tolist())} is neither yes (1) nor no (0)", where=name, next_step="write -1 for no vote"
        )
    return _votes_of(
        name,
        cells.astype(np.int8).reshape(n, m * k),
        np.repeat(np.arange(m), k),
        np.tile(np.arange(k), m),
        labelers=[f"labeler{j}" for j in range(m)],
        classes=list(classes) or [str(c) for c in range(k)],
        row_ids=numbered(n),
        has_ids=False,
        truth=None,
        notes=(f"yes or no of {k} classes: {counted(n, 'row')} and {counted(m, 'labeler')}",),
    )


def _votes_of(
    name: str,
    cells: np.ndarray,
    labeler_of: IntVector,
    class_of: IntVector,
    *,
    labelers: Sequence[str],
    classes: Sequence[str],
    **more: object,
) -> WordVotes:
    """Return votes of (n, m k) cells of 1, 0 and -1, by the labeler and the class of each column."""
    rows, columns = np.nonzero(cells >= 0)
    return WordVotes(
        name=name,
        labelers=tuple(labelers),
        rows=rows,
        sources=labeler_of[columns],
        said=class_of[columns],
        words=tuple(classes),
        no=cells[rows, columns] == 0,
        form="yes or no",
        **more,  # type: ignore[arg-type]
    )


def _answers(column: pa.ChunkedArray, named: str, where: str, abstain: str) -> np.ndarray:
    """Return 1, 0 or -1 for each cell."""
    cells = coded(column)
    silent = abstentions(cells.words, abstain)
    odd = [word for word in cells.words if word not in YES | NO | silent]
    if odd:
        raise LabelError(
            f"column {named!r} is for one labeler and class by its name, and says neither 0 nor 1: {first_three(odd)}",
            where=where,
            next_step="write 1 for yes, 0 for no; or name another --separator",
        )
    meant = [-1 if word in silent else int(word in YES) for word in cells.words]
    return np.asarray(np.array([*meant, -1], dtype=np.int8)[cells.codes])


def _different(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(names))
