"""What is known of rows' true classes: a column of the votes, a file, or a value in memory; joined to the votes by row id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import IntVector, Mask
from tilth.core.errors import LabelError, SourceError, UnknownColumnError, first_three
from tilth.sources._content import fetch, is_url, suffix_of
from tilth.sources._formats import parse, refuse_unknown_format
from tilth.sources._vote_words import ABSTAIN, Coded, WordVotes, abstentions, class_numbers, coded
from tilth.sources._votes_long import ANSWERS
from tilth.sources._votes_matrix import TRUTH_NAMES, id_column, ids_of
from tilth.sources._votes_wrench import of_wrench, wrench_object
from tilth.sources.dataframe import is_dataframe, parse_dataframe

__all__ = ["RowClasses", "is_file", "joined", "joined_codes", "known_of", "row_classes"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowClasses:
    """Classes of some rows: (n,) class numbers, and the mask of the rows whose class is known (others hold 0)."""

    classes: IntVector
    known: Mask


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Read:
    name: str
    cells: Coded
    ids: pa.Array | None


def is_file(named: str) -> bool:
    """Whether this is a file, or FILE:COLUMN, rather than a column of the votes."""
    return is_url(named) or Path(named).is_file() or _split(named)[1] is not None


def row_classes(
    given: Any, votes: WordVotes, *, numbers: Mapping[str, int], classes: tuple[str, ...], abstain: str, option: str
) -> tuple[RowClasses, tuple[str, ...]]:
    """Return what a file or a value says of the votes' rows, and warnings.

    Parameters
    ----------
    given : path, FILE:COLUMN, dataframe, mapping from row id to class, or one class per row in their order
    votes : the votes, for the ids of their rows
    numbers : class number of each word that is a vote
    classes : names of the classes
    abstain : the word for no vote; here it says that the class is not known
    option : what the user typed to give it, for messages

    Raises
    ------
    SourceError
        A missing or unreadable file, another number of rows, or no row in common.
    LabelError
        What is no class.
    """
    read = known_of(given, option, abstain)
    codes, warnings = joined_codes(read, votes, option)
    cells = Coded(codes=codes, words=read.cells.words)
    if abstain == ABSTAIN and {"-1", "1"} <= set(cells.words) and "0" not in cells.words and "0" in votes.words:
        warnings = (*warnings, f"{option} is -1 or 1, and -1 is read as not known; if 0 abstains, type --abstain 0")
    return joined(cells, numbers, classes, abstain, read.name), warnings


def joined(cells: Coded, numbers: Mapping[str, int], classes: tuple[str, ...], abstain: str, where: str) -> RowClasses:
    """Return cells of the votes' rows as classes; raises LabelError for what is no class."""
    silent = abstentions(cells.words, abstain)
    used = np.bincount(cells.codes[cells.codes >= 0], minlength=len(cells.words)) > 0
    words = [word for word, is_used in zip(cells.words, used, strict=True) if is_used and word not in silent]
    known_words = {word: numbers[word] for word in words} if set(words) <= set(numbers) else None
    found = known_words or class_numbers(words, classes, where, "the truth names")
    codes = np.array([*(found.get(word, -1) for word in cells.words), -1], dtype=np.intp)[cells.codes]
    return RowClasses(classes=np.maximum(codes, 0), known=codes >= 0)


def joined_codes(read: _Read, votes: WordVotes, option: str) -> tuple[IntVector, tuple[str, ...]]:
    """Return which word is said of each of the votes' rows, -1 for none, and warnings; raises as `row_classes` does."""
    ids = _ids_to_join(read, votes)
    if ids is None:
        return _by_position(read, votes), ()
    places = pc.index_in(votes.row_ids, value_set=ids)
    found = pc.is_valid(places).to_numpy(zero_copy_only=False)
    if not found.any():
        raise SourceError(
            f"names no row of the votes: {first_three(map(repr, ids[:4].to_pylist()))}"
            f" against {first_three(map(repr, votes.row_ids[:4].to_pylist()))}",
            where=read.name,
            next_step="give it the ids of the votes' rows",
        )
    codes = np.full(len(votes.row_ids), -1)
    codes[found] = read.cells.codes[pc.drop_null(places).to_numpy()]
    said = []
    if not votes.has_ids and len(ids) < len(votes.row_ids):
        said.append(f"{option} names rows by number, and the votes' rows have no ids: they are counted from 0")
    if len(ids) > found.sum():
        said.append(f"{option} names rows that are not among the votes', left out: {len(ids) - int(found.sum()):,}")
    return codes, tuple(said)


def _ids_to_join(read: _Read, votes: WordVotes) -> pa.Array | None:
    """Return the ids of the truth; None where it is to be joined by position."""
    if read.ids is None or votes.has_ids:
        return read.ids
    return read.ids if pc.all(pc.is_in(read.ids, value_set=votes.row_ids)).as_py() else None


def _by_position(read: _Read, votes: WordVotes) -> IntVector:
    n_rows = len(votes.row_ids)
    if votes.form == "long":
        raise SourceError(
            "holds no row ids, and the rows of a long table have no order",
            where=read.name,
            next_step="give it a column row_id with the ids of the votes",
        )
    if len(read.cells.codes) != n_rows:
        raise SourceError(
            f"holds {len(read.cells.codes):,} rows, and the votes {n_rows:,}",
            where=read.name,
            next_step="give one class per row of the votes, in their order, or name the rows in both: row_id",
        )
    return np.asarray(read.cells.codes, dtype=np.intp)


def known_of(given: Any, option: str, abstain: str) -> _Read:
    """Return the words that a file or a value holds, with the ids of their rows; raises as `row_classes` does."""
    if isinstance(given, str | Path):
        return _read_file(str(given), abstain)
    if is_dataframe(given) and (not hasattr(given, "ndim") or given.ndim == 2):
        return _of_table(parse_dataframe(given).table, option, None)
    if isinstance(given, Mapping):
        ids = pa.array([str(one) for one in given], pa.string())
        return _Read(name=option, cells=_in_memory(list(given.values()), option), ids=ids)
    return _Read(name=option, cells=_in_memory(given, option), ids=None)


def _in_memory(values: Any, option: str) -> Coded:
    array = values.to_numpy() if hasattr(values, "to_numpy") else np.asarray(values)
    if array.ndim != 1:
        raise SourceError(
            f"is of the shape {array.shape}", where=option, next_step="give one class per row, or a table with row_id"
        )
    missing = [value is None or value != value for value in array.tolist()]
    return coded(pa.array([None if m else str(v) for v, m in zip(array.tolist(), missing, strict=True)], pa.string()))


def _read_file(given: str, abstain: str) -> _Read:
    path, column = _split(given)
    if suffix_of(path) == ".npy":
        return _Read(name=path, cells=_in_memory(_vector(path), path), ids=None)
    refuse_unknown_format(path)
    content = fetch(path)
    rows = wrench_object(content)
    if rows is not None:
        found = of_wrench(rows, path, abstain=abstain)
        if found.truth is None:
            raise LabelError("no row has a label", where=path, next_step="name a file that holds the truth")
        return _Read(name=path, cells=found.truth, ids=found.row_ids)
    return _of_table(parse(content).table, path, column)


def _split(given: str) -> tuple[str, str | None]:
    path, sign, column = given.rpartition(":")
    return (path, column) if sign and not Path(given).is_file() and Path(path).is_file() else (given, None)


def _vector(path: str) -> np.ndarray:
    fetch(path)  # says what is wrong with the path
    try:
        loaded: np.ndarray = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as problem:
        raise SourceError("is no NumPy array of numbers", where=path, next_step="write it with numpy.save") from problem
    return loaded.squeeze()


def _of_table(table: pa.Table, name: str, column: str | None) -> _Read:
    if column is not None and column not in table.column_names:
        raise UnknownColumnError.among(column, table.column_names, where=name)
    ids = id_column(table, () if column is None else (column,))
    column = column or _truth_column([c for c in table.column_names if c != ids], name)
    return _Read(
        name=f"{name}, column {column!r}",
        cells=coded(table.column(column)),
        ids=None if ids is None else ids_of(table, ids, name),
    )


def _truth_column(names: Sequence[str], where: str) -> str:
    by_lower = {name.lower(): name for name in reversed(names)}
    found = [by_lower[name] for name in dict.fromkeys((*TRUTH_NAMES, *ANSWERS)) if name in by_lower]
    if found or len(names) == 1:
        return found[0] if found else names[0]
    raise UnknownColumnError(
        f"which column holds the truth? There are {first_three(map(repr, names))}",
        where=where,
        next_step=f"name it: {where}:COLUMN",
    )
