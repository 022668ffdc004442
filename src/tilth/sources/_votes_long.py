"""A long table of votes: one line per answer, with the row, the labeler and what it says."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import IntVector
from tilth.core.errors import LabelError, SourceError, UnknownColumnError, UsageError, first_three
from tilth.core.manifest import Dropped
from tilth.sources._labels import natural_order
from tilth.sources._vote_words import ABSTAIN, ROW_NAMES, Coded, WordVotes, abstentions, coded, names_in

__all__ = ["LongColumns", "long_columns", "of_long_table"]

LongColumns = tuple[str, str, str]
"""Names of the columns that hold the row, the labeler and the answer."""

LABELERS = ("worker", "worker_id", "annotator", "annotator_id", "labeler", "labeler_id", "source", "rater", "user")
ANSWERS = ("answer", "vote", "label", "response", "annotation", "judgment", "rating", "value", "class")
_MANY_NUMBERS = 20


def long_columns(table: pa.Table, given: Sequence[str], name: str) -> LongColumns | None:
    """Return the columns of a long table, by the names that were given or that are usual; None for a matrix."""
    if given:
        return _given(table, given, name)
    by_lower = {column.lower().replace(" ", "_"): column for column in reversed(table.column_names)}
    by_lower = {
        lower.removesuffix("_id") if lower not in ROW_NAMES else lower: c for lower, c in by_lower.items()
    } | by_lower
    found = [
        next((by_lower[word] for word in known if word in by_lower), None) for known in (ROW_NAMES, LABELERS, ANSWERS)
    ]
    if any(column is None for column in found) or len(set(found)) < 3:
        return None
    return str(found[0]), str(found[1]), str(found[2])


def _given(table: pa.Table, given: Sequence[str], name: str) -> LongColumns:
    if len(given) != 3:
        raise UsageError(
            f"--columns takes three names, not {len(given)}", next_step="--columns ROW,WORKER,ANSWER, in this order"
        )
    for column in given:
        if column not in table.column_names:
            raise UnknownColumnError.among(column, table.column_names, where=name)
    if len(set(given)) < 3:
        raise UsageError("--columns names one column twice", next_step="--columns ROW,WORKER,ANSWER, in this order")
    return given[0], given[1], given[2]


def of_long_table(
    table: pa.Table,
    columns: LongColumns,
    name: str,
    *,
    abstain: str,
    truth: str | None,
    ignore: Collection[str],
    separator: str = "",
) -> WordVotes:
    """Return the votes of a long table; rows in the order of their first answer, labelers in natural order.

    With a separator, lines of one labeler on one row are one answer that names several classes.

    Raises
    ------
    UnknownColumnError
        No column of the name that was given for the truth.
    SourceError
        No line names a row and a labeler.
    LabelError
        One row with two truths.
    """
    for column in (*ignore, *([] if truth is None else [truth])):
        if column not in table.column_names:
            raise UnknownColumnError.among(column, table.column_names, where=name)
    named = pc.and_(*(pc.is_valid(names_in(table.column(column))) for column in columns[:2]))
    whole = table.filter(named)
    if not whole.num_rows:
        raise SourceError(
            f"no line names both a row ({columns[0]!r}) and a labeler ({columns[1]!r})",
            where=name,
            next_step="--columns ROW,WORKER,ANSWER names other columns",
        )
    ids, rows = _coded_names(whole, columns[0])
    people, sources = _coded_names(whole, columns[1])
    order = natural_order(people.to_pylist())
    place = {person: number for number, person in enumerate(order)}
    sources = np.array([place[person] for person in people.to_pylist()], dtype=np.intp)[sources]
    answers = coded(whole.column(columns[2]))
    silent = np.array([word in abstentions(answers.words, abstain) for word in answers.words] + [True], dtype=bool)
    votes = np.flatnonzero(~silent[answers.codes])
    votes = votes[np.lexsort((answers.codes[votes], sources[votes], rows[votes]))]
    abstained = int((answers.codes >= 0).sum()) - len(votes)
    return WordVotes(
        name=name,
        row_ids=ids,
        has_ids=True,
        labelers=order,
        rows=rows[votes],
        sources=sources[votes],
        said=answers.codes[votes],
        words=answers.words,
        abstained=abstained,
        truth=None if truth is None else _truth_of_rows(coded(whole.column(truth)), rows, ids, f"{name}, {truth!r}"),
        notes=(f"a long table: rows in {columns[0]!r}, labelers in {columns[1]!r}, votes in {columns[2]!r}",),
        warnings=(
            *_warnings(table.num_rows - whole.num_rows, answers, abstained, abstain),
            *(() if separator else _again(rows[votes], sources[votes])),
        ),
        form="long",
        read=table.num_rows,
        dropped=_dropped(table.num_rows - whole.num_rows, int((answers.codes < 0).sum()), abstained, abstain),
    )


def _dropped(nameless: int, empty: int, abstained: int, abstain: str) -> tuple[Dropped, ...]:
    """Return which lines are no votes, by reason."""
    counts = {"no row or no labeler": nameless, "the answer is empty": empty, f"{abstain!r} abstains": abstained}
    return tuple(Dropped(why=why, count=count) for why, count in counts.items() if count)


def _coded_names(table: pa.Table, column: str) -> tuple[pa.Array, IntVector]:
    encoded = pc.dictionary_encode(names_in(table.column(column)).combine_chunks())
    return encoded.dictionary.cast(pa.string()), encoded.indices.to_numpy(zero_copy_only=False).astype(np.intp)


def _truth_of_rows(cells: Coded, rows: IntVector, ids: pa.Array, where: str) -> Coded:
    """Return one truth per row from one per answer."""
    known = np.flatnonzero(cells.codes >= 0)
    codes = np.full(len(ids), -1)
    codes[rows[known][::-1]] = cells.codes[known][::-1]
    torn = np.unique(rows[known[codes[rows[known]] != cells.codes[known]]])
    if len(torn):
        shown = first_three(repr(ids[int(row)].as_py()) for row in torn)
        raise LabelError(f"two truths for one row: {shown}", where=where, next_step="give each row one truth")
    return Coded(codes=codes, words=cells.words)


def _warnings(n_nameless: int, answers: Coded, abstained: int, abstain: str) -> list[str]:
    said = []
    if n_nameless:
        said.append(f"lines without a row or a labeler, left out: {n_nameless:,}")
    if abstained and abstain == ABSTAIN:
        said.append(f"answers of -1, read as abstaining: {abstained:,}; if it is a class: --abstain none")
    numbers = [word for word in answers.words if word.lstrip("-").isdigit()]
    if len(numbers) == len(answers.words) > _MANY_NUMBERS:
        said.append(
            f"the answers are {len(numbers):,} different numbers, each read as a class of its own;"
            " amounts are better averaged than voted on"
        )
    return said


def _again(rows: IntVector, sources: IntVector) -> list[str]:
    again = int(((np.diff(rows) == 0) & (np.diff(sources) == 0)).sum())
    return [f"answers of a labeler beside its first to a row, each counted as a vote: {again:,}"] if again else []
