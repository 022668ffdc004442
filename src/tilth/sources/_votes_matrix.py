"""A matrix of votes: one line per row, one column per labeler; from a NumPy array or from a table."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import IntVector, Mask
from tilth.core.errors import DuplicateIdError, LabelError, SourceError, UnknownColumnError, first_three
from tilth.sources._vote_words import (
    ABSTAIN,
    ROW_NAMES,
    Coded,
    WordVotes,
    abstentions,
    coded,
    counted,
    in_parts,
    names_in,
    row_major,
)

__all__ = ["TRUTH_NAMES", "id_column", "ids_of", "numbered", "of_array", "of_table"]

TRUTH_NAMES = ("truth", "gold", "label", "y", "target", "y_true", "ground_truth", "gold_label", "true_label", "class")
_BLOCK = 1 << 16
_MOST_WORDS = 50
_LONG_COLUMNS = 3


def of_array(matrix: Any, name: str, abstain: str) -> WordVotes:
    """Return the votes of an (n, m) array of class numbers; NaN is an empty cell. O(n m) time, memory by the votes.

    Raises
    ------
    SourceError
        No matrix, no rows or no columns, or cells that are no numbers.
    """
    array = _checked(matrix, name)
    n_rows, n_labelers = array.shape
    blocks = [np.asarray(array[start : start + _BLOCK]) for start in range(0, n_rows, _BLOCK)]
    values = np.unique(np.concatenate([np.unique(block) for block in blocks]))
    values = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    words = tuple(str(int(value)) if float(value).is_integer() else repr(float(value)) for value in values.tolist())
    silent = np.array([word in abstentions(words, abstain) for word in words], dtype=bool)
    parts = [_block(block, number * _BLOCK, values, silent) for number, block in enumerate(blocks)]
    rows, sources, said = (np.concatenate([part[i] for part in parts]) for i in range(3))
    seen = np.stack([np.any([(block == value).any(axis=0) for block in blocks], axis=0) for value in values[:4]])
    return WordVotes(
        name=name,
        row_ids=numbered(n_rows),
        has_ids=False,
        labelers=tuple(f"labeler{j}" for j in range(n_labelers)),
        rows=rows,
        sources=sources,
        said=said,
        words=words,
        abstained=sum(part[3] for part in parts),
        notes=(_size(n_rows, n_labelers),),
        warnings=_doubt(words, seen, abstain),
    )


def numbered(n_rows: int) -> pa.Array:
    """Return ids for rows that have none: their position from 0."""
    return pa.array(np.arange(n_rows)).cast(pa.string())


def _checked(matrix: Any, name: str) -> np.ndarray:
    try:
        array = matrix if isinstance(matrix, np.ndarray) else np.asarray(matrix)
    except ValueError as problem:
        raise SourceError(
            "lists of different length are no matrix",
            where=name,
            next_step="give one vote per labeler and row, -1 for none",
        ) from problem
    if array.ndim != 2:
        raise SourceError(
            f"votes are a matrix (rows, labelers), and this has the shape {array.shape}",
            where=name,
            next_step="give one line per row and one column per labeler",
        )
    if not array.size:
        raise SourceError(
            f"holds no votes: its shape is {array.shape}", where=name, next_step="check how it was written"
        )
    if array.dtype.kind not in "biuf":
        raise SourceError(
            f"a matrix of {array.dtype} holds no class numbers",
            where=name,
            next_step="write class numbers, with -1 where a labeler abstains, or a table with a header",
        )
    if array.dtype.kind == "f" and np.isinf(array).any():
        raise SourceError("an infinite cell is no vote", where=name, next_step="write -1 where a labeler abstains")
    return array.astype(np.int8) if array.dtype.kind == "b" else array


def _block(
    block: np.ndarray, start: int, values: np.ndarray, silent: Mask
) -> tuple[IntVector, IntVector, IntVector, int]:
    """Return rows, sources and codes of the votes in some lines, and how many cells abstain."""
    is_vote = ~np.isnan(block) if block.dtype.kind == "f" else np.ones(block.shape, dtype=bool)
    filled = int(is_vote.sum())
    for value in values[silent]:
        is_vote &= block != value
    rows, sources = np.nonzero(is_vote)
    return rows + start, sources, np.searchsorted(values, block[rows, sources]), filled - len(rows)


def _doubt(words: Sequence[str], seen: np.ndarray, abstain: str, truth: Collection[str] = ()) -> tuple[str, ...]:
    """Say so where -1 was read as abstaining, but could as well be a class beside 1, with 0 abstaining.

    A labeler that never abstains is rare: where some never say -1, though they say 0 and 1, then 0 is likely to abstain;
    where some say -1 and 1 and never 0, it is -1. A truth of -1 and 1 says the former too.
    """
    if abstain != ABSTAIN or set(words) != {"-1", "0", "1"}:
        return ()
    minus, zero, one = (seen[list(words).index(word)] for word in ("-1", "0", "1"))
    says_truth = {"-1", "1"} <= set(truth) and "0" not in truth
    if (minus & one & ~zero).any() and not says_truth:
        return ()
    likely = (zero & one & ~minus).any() or says_truth
    said = "-1 is read as abstaining, and 0 and 1 as classes; "
    if likely:
        why = "the truth is -1 or 1" if says_truth else "some labelers never say -1"
        return (f"{said}{why}, so that 0 may abstain instead: then type --abstain 0",)
    return (f"{said}if 0 abstains and -1 is a class, type --abstain 0",)


def of_table(
    table: pa.Table,
    name: str,
    *,
    abstain: str,
    truth: str | None,
    ignore: Collection[str],
    has_number_names: bool,
    separator: str = "",
) -> WordVotes:
    """Return the votes of a table: every column is a labeler but that of the ids, that of the truth and ignored ones.

    With a separator, a cell may name several classes.

    Raises
    ------
    UnknownColumnError
        No column of the name that was given for the truth, or to be left out.
    DuplicateIdError
        An id twice.
    LabelError
        A column of so many words that they are no classes.
    """
    for column in (*ignore, *([] if truth is None else [truth])):
        if column not in table.column_names:
            raise UnknownColumnError.among(column, table.column_names, where=name)
    ids = id_column(table, ignore)
    spare = [c for c in table.column_names if c.lower() in TRUTH_NAMES and c not in (truth, ids, *ignore)]
    spare = [] if has_number_names and len(spare) > 1 else spare
    labelers = [c for c in table.column_names if c not in {truth, ids, *ignore, *spare}]
    if not labelers:
        raise SourceError(
            f"no column is a labeler; the columns are {first_three(table.column_names)}",
            where=name,
            next_step="give one column per labeler, or a long table with the columns row, worker, answer",
        )
    columns = {column: coded(table.column(column)) for column in labelers}
    _refuse_what_is_no_matrix(
        {column: in_parts(one, separator) for column, one in columns.items()}, table.num_rows, name
    )
    places: dict[str, int] = {}
    for one in columns.values():
        for word in one.words:
            places.setdefault(word, len(places))
    silent = abstentions(places, abstain)
    said = [_recoded(one, places, silent) for one in columns.values()]
    rows, sources, codes = row_major(said, table.num_rows)
    seen = np.array([[word in one.words for one in columns.values()] for word in places])
    true = {
        word for column in (*spare, *([] if truth is None else [truth])) for word in coded(table.column(column)).words
    }
    filled = sum(int((one.codes >= 0).sum()) for one in columns.values())
    return WordVotes(
        name=name,
        row_ids=numbered(table.num_rows) if ids is None else ids_of(table, ids, name),
        has_ids=ids is not None,
        labelers=tuple(labelers),
        rows=rows,
        sources=sources,
        said=codes,
        words=tuple(places),
        abstained=filled - len(rows),
        truth=None if truth is None else coded(table.column(truth)),
        notes=tuple(_notes(table, labelers, ids, truth)),
        warnings=(*_left_out(spare, truth), *_doubt(tuple(places), seen, abstain, true)),
    )


def _recoded(one: Coded, places: dict[str, int], silent: set[str]) -> IntVector:
    """Return a column's codes among the words of all columns, -1 where it abstains."""
    codes = np.array([*(-1 if word in silent else places[word] for word in one.words), -1], dtype=np.intp)
    found: IntVector = codes[one.codes]
    return found


def _refuse_what_is_no_matrix(columns: Mapping[str, Coded], n_rows: int, where: str) -> None:
    for column, one in columns.items():
        _refuse_free_text(column, one, n_rows, where)
    kinds = [set(one.words) for one in columns.values()]
    is_disjoint = len(set().union(*kinds)) == sum(len(kind) for kind in kinds)
    if len(kinds) == _LONG_COLUMNS and all(len(kind) > 1 for kind in kinds) and is_disjoint:
        raise LabelError(
            f"the columns {first_three(columns)} have no word in common: they do not vote for the same classes",
            where=where,
            next_step=f"if this is a long table, name its row, labeler and answer: --columns {','.join(columns)}",
        )


def _refuse_free_text(column: str, one: Coded, n_rows: int, where: str) -> None:
    if len(one.words) > max(_MOST_WORDS, n_rows // 2):
        raise LabelError(
            f"column {column!r} holds {len(one.words):,} different words, which are no classes: {first_three(one.words)}",
            where=where,
            next_step=f"leave it out: --ignore {column!r}; call ids row_id; a long table: --columns ROW,WORKER,ANSWER",
        )


def _size(n_rows: int, n_labelers: int) -> str:
    return f"a matrix of {counted(n_rows, 'row')} and {counted(n_labelers, 'labeler')}"


def _notes(table: pa.Table, labelers: Sequence[str], ids: str | None, truth: str | None) -> list[str]:
    said = _size(table.num_rows, len(labelers))
    said += f", rows named by {ids!r}" if ids else ""
    return [said + (f", truth in {truth!r}" if truth else "")]


def _left_out(spare: Sequence[str], truth: str | None) -> list[str]:
    if not spare:
        return []
    named = first_three(map(repr, spare))
    if truth is not None:
        return [f"column {named} is called as if it held the truth, so that it is no labeler"]
    return [
        f"column {named} is called as if it held the truth, so that it is no labeler; to measure: --truth {spare[0]}"
    ]


def id_column(table: pa.Table, ignore: Collection[str] = ()) -> str | None:
    """Return the column that names the rows, or None."""
    by_lower = {name.lower(): name for name in reversed(table.column_names) if name not in ignore}
    return next((by_lower[name] for name in ROW_NAMES if name in by_lower), None)


def ids_of(table: pa.Table, column: str, where: str) -> pa.Array:
    """Return the ids of rows as text; raises DuplicateIdError for an id twice, SourceError for an empty one."""
    ids: pa.Array = names_in(table.column(column)).combine_chunks()
    if ids.null_count:
        empty = np.flatnonzero(pc.is_null(ids).to_numpy(zero_copy_only=False))
        raise SourceError(
            f"no id in line {first_three(empty + 1)}", where=f"{where}, column {column!r}", next_step="name every row"
        )
    if pc.count_distinct(ids).as_py() < len(ids):
        counts = pc.value_counts(ids)
        twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1)).to_pylist()
        raise DuplicateIdError(
            f"two rows are called {first_three(map(repr, twice))}",
            where=f"{where}, column {column!r}",
            next_step="give each row its own id; in a long table name the columns: --columns row,worker,answer",
        )
    return ids
