"""Votes as they were read, in the words of their source, and the classes that these words name."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import IntVector, Mask
from tilth.core.errors import LabelError, did_you_mean, first_three
from tilth.core.manifest import Dropped
from tilth.sources._cells import as_category, as_text, trimmed
from tilth.sources._labels import natural_order

__all__ = [
    "ABSTAIN",
    "ROW_NAMES",
    "Coded",
    "WordVotes",
    "abstentions",
    "class_numbers",
    "classes_of",
    "coded",
    "counted",
    "in_parts",
    "names_in",
    "parts",
    "row_major",
    "word_of",
]

ABSTAIN = "-1"
"""What a labeler that does not vote says, unless the user names another word."""
ROW_NAMES = (
    *("row_id", "row", "task_id", "task", "item_id", "item", "question_id", "question", "example_id", "example"),
    *("document_id", "document", "unit_id", "unit", "id", "index"),
)
"""Names of columns that say which row is meant, the surest first."""
_WHOLE = r"^([+-]?\d+)\.0+$"
_NUMBER = re.compile(r"[+-]?\d+")
_FRACTION = re.compile(r"[+-]?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][+-]?\d+)?|[+-]?(inf|infinity)", re.IGNORECASE)
_TOO_MANY = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Coded:
    """A column of words: (n,) codes, -1 where the cell is empty, and the words that the codes stand for."""

    codes: np.ndarray
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WordVotes:
    """Votes before their classes are known.

    Parameters
    ----------
    name : the source, for messages
    row_ids : ids of the rows, those without a vote included
    has_ids : whether the source names its rows; else they are numbered from 0
    labelers : m names
    rows, sources, said : (v,) one entry per vote, by ascending row; `said` are codes of `words`
    words : what was said, as it is written
    abstained : number of cells that hold the word for abstaining
    class_names : names of the classes by their number, where the source has them
    truth : what the source says of its rows' true classes, or None
    notes : how the source was understood
    warnings : what a reader must know
    form : "matrix", "long" or "wrench"
    no : (v,) votes that say no of their class, where the source says yes or no of each class; else None
    read : lines of a long table, or cells of a matrix
    dropped : which of them are no votes, by reason; cells of a matrix without a vote are not listed
    """

    name: str
    row_ids: pa.Array
    has_ids: bool
    labelers: tuple[str, ...]
    rows: IntVector
    sources: IntVector
    said: IntVector
    words: tuple[str, ...]
    abstained: int = 0
    class_names: tuple[str, ...] = ()
    truth: Coded | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    form: str = "matrix"
    no: Mask | None = None
    read: int = 0
    dropped: tuple[Dropped, ...] = ()


def coded(column: pa.ChunkedArray | pa.Array) -> Coded:
    """Return a column's cells as codes of its different words: 1, 1.0 and "1" are one word, empty cells are -1."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_null(array.type):
        return Coded(codes=np.full(len(array), -1), words=())
    encoded = pc.dictionary_encode(array)
    cells = as_category(pa.chunked_array([encoded.dictionary])).to_pylist()
    places: dict[str, int] = {}
    numbers = [-1 if cell is None else places.setdefault(word_of(cell), len(places)) for cell in cells]
    indices = pc.fill_null(encoded.indices, len(cells)).to_numpy(zero_copy_only=False)
    return Coded(codes=np.array([*numbers, -1], dtype=np.intp)[indices], words=tuple(places))


def names_in(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return names of rows or labelers as text, null where there is none: 7, 7.0 and "7" are one name."""
    cells = trimmed(as_text(column))
    cells = pc.replace_substring_regex(cells, pattern=_WHOLE, replacement=r"\1")
    return pc.if_else(pc.is_in(cells, value_set=pa.array(["", "nan", "NaN"])), pa.scalar(None, pa.string()), cells)


def word_of(cell: object) -> str:
    """Return one cell as a class is written: "+1" and "1.0e+00" are "1"."""
    word = str(cell).strip()
    if _FRACTION.fullmatch(word) and float(word).is_integer():
        return str(int(float(word)))  # as numpy.savetxt writes a class number
    return word[1:] if word.startswith("+") and word[1:].isdigit() else word


def in_parts(cells: Coded, separator: str) -> Coded:
    """Return a column with the words of which its cells are made: "a|b" is a and b; as it is without a separator."""
    if not separator:
        return cells
    return Coded(
        codes=cells.codes, words=tuple(dict.fromkeys(w for word in cells.words for w in parts(word, separator)))
    )


def parts(word: str, separator: str) -> tuple[str, ...]:
    """Return the classes that a cell names, each once; none for a cell that holds nothing but the separator."""
    return tuple(dict.fromkeys(word_of(part) for part in word.split(separator) if part.strip()))


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: "1 row", "2,000 rows"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def row_major(columns: Sequence[IntVector], n_rows: int) -> tuple[IntVector, IntVector, IntVector]:
    """Return rows, sources and codes of votes that come labeler by labeler (codes; < 0 for none), by ascending row."""
    from scipy.sparse import csc_array

    found = [np.flatnonzero(codes >= 0) for codes in columns]
    starts = np.concatenate(([0], np.cumsum([len(rows) for rows in found]))).astype(np.int64)
    said = np.concatenate([codes[rows] for codes, rows in zip(columns, found, strict=True)] or [np.zeros(0, np.intp)])
    places = np.concatenate(found or [np.zeros(0, np.intp)])
    by_row = csc_array((said, places, starts), shape=(n_rows, len(columns))).tocsr()
    rows = np.repeat(np.arange(n_rows, dtype=np.intp), np.diff(by_row.indptr))
    return rows, by_row.indices.astype(np.intp), by_row.data.astype(np.intp)


def abstentions(words: Collection[str], abstain: str) -> set[str]:
    """Return the words that mean no vote."""
    if abstain.lower() == "none":
        return set()
    meant = {word_of(abstain).lower()} | ({"abstain"} if abstain == ABSTAIN else set())
    return {word for word in words if word.lower() in meant}


def classes_of(votes: WordVotes, *, abstain: str, classes: Sequence[str]) -> tuple[tuple[str, ...], dict[str, int]]:
    """Return the classes in their order, and the class number of each word that is a vote.

    Raises
    ------
    LabelError
        Words that are no classes, or fewer than two classes.
    """
    counts = np.bincount(votes.said, minlength=len(votes.words))
    words = [word for word, count in zip(votes.words, counts, strict=True) if count]
    if not words:
        raise LabelError(
            "no labeler votes on any row: every cell abstains",
            where=votes.name,
            next_step=f"{abstain!r} is read as abstaining; --abstain WORD names another word, --abstain none has none",
        )
    named = tuple(word_of(name) for name in classes) or votes.class_names
    if named:
        return named, class_numbers(words, named, votes.name, "votes for")
    _refuse_what_is_no_class(words, int(counts.sum()), abstain, votes.name)
    found = natural_order(words)
    if len(found) == 1:
        raise LabelError(
            f"all votes are for one class, {found[0]!r}",
            where=votes.name,
            next_step=_one_class_step(votes, abstain, found[0]),
        )
    return found, {word: number for number, word in enumerate(found)}


def _one_class_step(votes: WordVotes, abstain: str, found: str) -> str:
    if votes.abstained:
        return f"if {abstain!r} is a class and not an abstention: --abstain none; else name the classes: --classes a,b"
    return f"name all classes in their order, such as --classes {found},other"


def class_numbers(words: Sequence[str], named: tuple[str, ...], where: str, what: str) -> dict[str, int]:
    """Return class numbers of words that are names of classes, or their numbers from 0; raises LabelError for others."""
    if len(set(named)) < max(2, len(named)):
        raise LabelError("at least two different classes are needed", where=where, next_step="--classes a,b,c")
    places = {name: number for number, name in enumerate(named)}
    unknown = [word for word in words if word not in places]
    if not unknown:
        return {word: places[word] for word in words}
    if all(_NUMBER.fullmatch(word) and 0 <= int(word) < len(named) for word in words):
        return {word: int(word) for word in words}
    if all(_NUMBER.fullmatch(word) for word in unknown) and not any(_NUMBER.fullmatch(name) for name in named):
        unknown = [word for word in unknown if not 0 <= int(word) < len(named)]
        raise LabelError(
            f"{what} class number {first_three(unknown)}; there are {len(named)} classes, counted from 0:"
            f" {first_three(named)}",
            where=where,
            next_step="mend them, or name all classes in their order with --classes",
        )
    raise LabelError(
        f"{what} what is no class: {first_three(map(repr, unknown))}.{did_you_mean(unknown[0], named)}"
        f" The classes are {first_three(named)}",
        where=where,
        next_step=f"mend them, or name all classes in their order: --classes {','.join([*named, *unknown][:5])}",
    )


def _refuse_what_is_no_class(words: Sequence[str], n_votes: int, abstain: str, where: str) -> None:
    fractions = [word for word in words if _FRACTION.fullmatch(word)]
    if fractions:
        raise LabelError(
            f"votes are classes, not amounts: {first_three(fractions)}",
            where=where,
            next_step="round them to classes, leave the column out with --ignore, or name them as classes: --classes a,b",
        )
    negative = [word for word in words if word.startswith("-") and word[1:].isdigit()]
    if negative and abstain == ABSTAIN and all(_NUMBER.fullmatch(word) for word in words):
        raise LabelError(
            f"{first_three(negative)} is neither a class number (0, 1, …) nor {ABSTAIN}, which abstains",
            where=where,
            next_step="--abstain none if negative numbers are classes too, --abstain 0 if 0 abstains",
        )
    if len(words) > max(_TOO_MANY, n_votes // 2):
        raise LabelError(
            f"{len(words):,} different words in {n_votes:,} votes are no classes, such as {first_three(words)}",
            where=where,
            next_step="leave out what is no labeler: --ignore COLUMN",
        )
