"""What is known of rows that may have several classes, or none: a column, a file, lists, or a 0/1 matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.arrays import Mask
from tilth.core.errors import LabelError, SourceError, first_three
from tilth.sources._content import fetch, suffix_of
from tilth.sources._formats import parse
from tilth.sources._row_classes import joined_codes, known_of
from tilth.sources._vote_words import Coded, WordVotes, abstentions, class_numbers, parts
from tilth.sources._votes import VoteReading
from tilth.sources._votes_matrix import id_column
from tilth.sources._yes_no import NO, YES, lists_joined
from tilth.sources.dataframe import is_dataframe, parse_dataframe

__all__ = ["ClassSets", "class_sets", "sets_of"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassSets:
    """Classes of some rows: (n, k) which they have, and the mask (n,) of rows of which that is known."""

    named: Mask
    known: Mask


def class_sets(
    given: Any,
    votes: WordVotes,
    numbers: Mapping[str, int],
    classes: tuple[str, ...],
    reading: VoteReading,
    *,
    option: str,
) -> tuple[ClassSets, tuple[str, ...]]:
    """Return what a file or a value says of the votes' rows, and warnings.

    Parameters
    ----------
    given : path, FILE:COLUMN, dataframe, mapping from row id to classes, one entry per row, or a 0/1 matrix (n, k)
    votes : the votes, for the ids of their rows
    numbers : class number of each word that is a vote
    classes : names of the classes
    reading : the separator, and the word for abstaining, which here says that the classes are not known
    option : what the user typed to give it, for messages

    Raises
    ------
    SourceError
        A missing or unreadable file, another number of rows, or no row in common.
    LabelError
        What is no class.
    """
    read = known_of(_as_cells(given, classes, reading.separator, option), option, reading.abstain)
    codes, warnings = joined_codes(read, votes, option)
    return sets_of(Coded(codes=codes, words=read.cells.words), numbers, classes, reading, read.name), warnings


def sets_of(
    cells: Coded, numbers: Mapping[str, int], classes: tuple[str, ...], reading: VoteReading, where: str
) -> ClassSets:
    """Return cells of the votes' rows as sets of classes; raises LabelError for what is no class."""
    silent = abstentions(cells.words, reading.abstain)
    used = np.bincount(cells.codes[cells.codes >= 0], minlength=len(cells.words)) > 0
    words = [word for word, is_used in zip(cells.words, used, strict=True) if is_used and word not in silent]
    said = list(dict.fromkeys(part for word in words for part in parts(word, reading.separator)))
    if set(said) <= set(numbers):
        found: Mapping[str, int] = numbers
    elif len(classes) > 1:
        found = class_numbers(said, classes, where, "the truth names")
    else:
        raise LabelError(
            f"the truth names what is no class: {first_three(sorted(set(said) - set(numbers)))}; there is {classes[0]!r}",
            where=where,
            next_step="name all classes in their order: --classes a,b,c",
        )
    rows = np.zeros((len(cells.words) + 1, len(classes)), dtype=bool)
    known = np.zeros(len(cells.words) + 1, dtype=bool)
    for place, word in enumerate(cells.words):
        if word in words:
            known[place] = True
            rows[place, [found[part] for part in parts(word, reading.separator)]] = True
    return ClassSets(named=rows[cells.codes], known=known[cells.codes])


def _as_cells(given: Any, classes: Sequence[str], separator: str, option: str) -> Any:
    """Return what was given with one cell per row that names its classes, where it comes in another form."""
    if isinstance(given, str | Path):
        return _file_as_cells(str(given), classes, separator)
    if is_dataframe(given) and (not hasattr(given, "ndim") or given.ndim == 2):
        table = lists_joined(parse_dataframe(given).table, separator)
        return _columns_as_cells(table, classes, separator, option)
    if isinstance(given, Mapping):
        return {name: _cell(one, separator) for name, one in given.items()}
    if isinstance(given, np.ndarray) and given.ndim == 2:
        return _matrix_as_cells(given, classes, separator, option)
    if isinstance(given, list | tuple):
        return [_cell(one, separator) for one in given]
    return given


def _cell(one: Any, separator: str) -> Any:
    is_set = isinstance(one, list | tuple | set | frozenset)
    return separator.join(sorted(map(str, one))) or separator if is_set else one


def _file_as_cells(path: str, classes: Sequence[str], separator: str) -> Any:
    if suffix_of(path) == ".npy" and Path(path).is_file():
        loaded = np.load(path, allow_pickle=False)
        return _matrix_as_cells(loaded, classes, separator, path) if loaded.ndim == 2 else path
    if not Path(path).is_file():
        return path  # FILE:COLUMN, a URL, or nothing: the usual way says so
    if suffix_of(path) == ".npy":
        return path
    table = parse(fetch(path)).table
    joined = lists_joined(table, separator)
    by_class = set(classes) <= set(table.column_names)
    return _columns_as_cells(joined, classes, separator, path) if by_class or joined is not table else path


def _columns_as_cells(table: pa.Table, classes: Sequence[str], separator: str, where: str) -> pa.Table:
    """Return a table of one column per class as one of ids and cells; others as they are."""
    if not set(classes) <= set(table.column_names):
        return table
    columns = [[str(cell) for cell in table.column(name).to_pylist()] for name in classes]
    odd = [cell for column in columns for cell in column if cell not in YES | NO | {"None", "-1"}]
    if odd:
        raise LabelError(
            f"a column per class holds 0 and 1, not {first_three(odd)}",
            where=where,
            next_step="mend it, or name a column",
        )
    cells = [_of_flags(row, classes, separator) for row in zip(*columns, strict=True)]
    ids = id_column(table, tuple(classes))
    named = {} if ids is None else {ids: table.column(ids)}
    return pa.table({**named, "truth": pa.array(cells, pa.string())})


def _of_flags(flags: Sequence[str], classes: Sequence[str], separator: str) -> str | None:
    if any(flag not in YES | NO for flag in flags):
        return None
    return separator.join(name for flag, name in zip(flags, classes, strict=True) if flag in YES) or separator


def _matrix_as_cells(matrix: np.ndarray, classes: Sequence[str], separator: str, where: str) -> list[str | None]:
    if matrix.shape[1] != len(classes):
        raise SourceError(
            f"has {matrix.shape[1]} columns, and there are {len(classes)} classes",
            where=where,
            next_step=f"one 0/1 column per class, in the order {first_three(classes)}",
        )
    return [_of_flags([str(int(cell)) for cell in row], classes, separator) for row in matrix]
