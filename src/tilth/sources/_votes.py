"""Votes from outside: a matrix, a WRENCH file, a long table of answers, or the same in memory; and what is known of the truth."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.errors import SourceError, UnknownColumnError
from tilth.core.manifest import Dropped
from tilth.core.votes import Votes
from tilth.sources._content import Content, decode, fetch, is_url, local_path, suffix_of
from tilth.sources._formats import TABLE_SUFFIXES, parse
from tilth.sources._hf_disk import is_saved_dataset, read_saved_dataset
from tilth.sources._label_studio import StudioAnswers, studio_answers, studio_tasks
from tilth.sources._row_classes import RowClasses, is_file, joined, row_classes
from tilth.sources._tables import Rows
from tilth.sources._vote_words import ABSTAIN, WordVotes, classes_of
from tilth.sources._votes_long import long_columns, of_long_table
from tilth.sources._votes_matrix import of_array, of_table
from tilth.sources._votes_wrench import class_names_beside, is_wrench, of_wrench, wrench_object
from tilth.sources._yes_no import lists_joined, of_yes_no_array, of_yes_no_table, yes_no_columns
from tilth.sources.csv import find_delimiter
from tilth.sources.dataframe import is_dataframe, parse_dataframe

__all__ = ["ABSTAIN", "ReadVotes", "VoteReading", "read_votes", "silent_cells", "word_votes"]

_IN_MEMORY = "the votes"


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteReading:
    """How votes are to be read.

    Parameters
    ----------
    abstain : the word for no vote beside empty cells; "none" where there is no such word
    classes : names of the classes in their order; votes that are numbers count them from 0; () finds them
    columns : row, labeler and answer of a long table; () finds them by their usual names
    ignore : columns that are neither labelers nor anything else
    separator : the sign between classes where a vote may name several; "" where it names one
    """

    abstain: str = ABSTAIN
    classes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    separator: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadVotes:
    """Votes as they were read.

    Parameters
    ----------
    votes : the votes
    name : the source, for messages
    truth : for metrics only, or None
    trusted : what label models may learn from, or None
    notes : how the source was understood
    warnings : what a reader must know
    form : "matrix", "long", "wrench" or "Label Studio"
    read : lines, cells or annotations of the source
    dropped : those that are no votes, by reason
    """

    votes: Votes
    name: str
    truth: RowClasses | None = None
    trusted: RowClasses | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    form: str = ""
    read: int = 0
    dropped: tuple[Dropped, ...] = ()


def read_votes(source: Any, *, truth: Any = None, trusted: Any = None, reading: VoteReading | None = None) -> ReadVotes:
    """Read votes, and what is known of the truth.

    Parameters
    ----------
    source : path or URL (.npy, .csv, .parquet, .arrow, .json), NumPy matrix, dataframe, WRENCH object, or Votes
    truth : column of the source, path, FILE:COLUMN, dataframe, mapping from row id to class, or one class per row
    trusted : the same without a column
    reading : how the source is to be read, or None for the usual way

    Raises
    ------
    SourceError, UnknownColumnError, DuplicateIdError, LabelError
        What cannot be read as votes or as truth.
    """
    reading = reading or VoteReading()
    column = truth if isinstance(truth, str) and not is_file(truth) else None
    found = word_votes(source, column, reading)
    classes, numbers = classes_of(found, abstain=reading.abstain, classes=reading.classes)
    votes = _votes_of(found, classes, numbers)
    warnings = list(found.warnings)
    told: dict[str, RowClasses] = {}
    for option, given in (("truth", truth), ("trusted", trusted)):
        if given is not None and not (option == "truth" and column):
            told[option], said = row_classes(
                given, found, numbers=numbers, classes=classes, abstain=reading.abstain, option=f"--{option}"
            )
            warnings += said
    if "truth" not in told and found.truth is not None:
        told["truth"] = joined(found.truth, numbers, classes, reading.abstain, found.name)
    return ReadVotes(
        votes=votes,
        name=found.name,
        truth=told.get("truth"),
        trusted=told.get("trusted"),
        notes=found.notes,
        warnings=tuple(warnings),
        form=found.form,
        read=found.read or len(votes) * len(votes.labelers),
        dropped=found.dropped if found.read else silent_cells(len(votes) * len(votes.labelers) - len(votes.rows)),
    )


def word_votes(source: Any, column: str | None, reading: VoteReading) -> WordVotes:
    """Return votes in the words of their source; `column` holds the truth. Raises as `read_votes` does."""
    return _of_votes(source) if isinstance(source, Votes) else _read(source, column, reading)


def silent_cells(cells: int) -> tuple[Dropped, ...]:
    """Return how many cells of a matrix are no votes."""
    return (Dropped(why="no vote: an empty cell, or the word for abstaining", count=cells),) if cells else ()


def _votes_of(found: WordVotes, classes: tuple[str, ...], numbers: Mapping[str, int]) -> Votes:
    codes = np.array([*(numbers.get(word, -1) for word in found.words)], dtype=np.intp)
    return Votes(
        row_ids=found.row_ids,
        labelers=found.labelers,
        classes=classes,
        rows=found.rows,
        sources=found.sources,
        said=codes[found.said],
    )


def _of_votes(votes: Votes) -> WordVotes:
    return WordVotes(
        name=_IN_MEMORY,
        row_ids=votes.row_ids,
        has_ids=True,
        labelers=votes.labelers,
        rows=votes.rows,
        sources=votes.sources,
        said=votes.said,
        words=votes.classes,
        class_names=votes.classes,
        form="votes",
    )


def _read(source: Any, column: str | None, reading: VoteReading) -> WordVotes:
    if isinstance(source, str | Path):
        return _read_file(str(source), column, reading)
    if is_dataframe(source):
        return _of_rows(parse_dataframe(source), _IN_MEMORY, column, reading, has_number_names=False)
    if is_wrench(source):
        return _without_column(of_wrench(source, _IN_MEMORY, abstain=reading.abstain), column)
    if isinstance(source, np.ndarray | list | tuple):
        return _without_column(_of_array(source, _IN_MEMORY, reading), column)
    raise SourceError(
        f"a {type(source).__name__} holds no votes",
        next_step="give a path, a NumPy matrix (rows, labelers), or a pandas, polars or Arrow table",
    )


def _of_array(array: Any, name: str, reading: VoteReading) -> WordVotes:
    if reading.separator and np.ndim(array) == 3:
        return of_yes_no_array(np.asarray(array), name, reading.classes)
    return of_array(array, name, reading.abstain)


def _read_file(path: str, column: str | None, reading: VoteReading) -> WordVotes:
    if suffix_of(path) == ".npy":
        return _without_column(_of_array(_array(path), path, reading), column)
    if suffix_of(path) == ".npz":
        raise SourceError("a .npz file holds several arrays", where=path, next_step="save the matrix as .npy")
    if not Path(path).is_dir() and suffix_of(path) not in TABLE_SUFFIXES:
        raise SourceError(
            f"the format {suffix_of(path) or '(no suffix)'} is not known",
            where=path,
            next_step=f"give .npy {' '.join(sorted(TABLE_SUFFIXES))} (CSV and JSON also as .gz)",
        )
    if not is_url(path) and is_saved_dataset(local_path(path)):
        saved = read_saved_dataset(local_path(path), path)
        return _of_rows(saved.rows, path, column, reading, has_number_names=False)
    content = fetch(path)
    rows = wrench_object(content)
    if rows is not None:
        names = class_names_beside(path)
        return _without_column(of_wrench(rows, path, abstain=reading.abstain, class_names=names), column)
    tasks = studio_tasks(content)
    if tasks is not None:
        return _of_studio(studio_answers(tasks, path), path, column, reading)
    content, has_header = _with_header(content)
    found = parse(content)
    warnings = tuple(said for said in found.warnings if "look like data" not in said)
    is_numbered = all(name.isdigit() for name in found.table.column_names[:2])
    read = _of_rows(found._replace(warnings=warnings), path, column, reading, has_number_names=is_numbered)
    return read if has_header else replace(read, notes=(*read.notes, "no header line: labelers are numbered from 0"))


def _of_studio(said: StudioAnswers, name: str, column: str | None, reading: VoteReading) -> WordVotes:
    read = of_long_table(
        said.table, ("row_id", "annotator", "answer"), name, abstain=reading.abstain, truth=column, ignore=()
    )
    left_out = tuple(f"left out, {one.why}: {one.count:,}" for one in said.dropped)
    return replace(
        read,
        form="Label Studio",
        notes=said.notes,
        read=said.read,
        dropped=(*said.dropped, *read.dropped),
        warnings=(*left_out, *read.warnings),
    )


def _of_rows(rows: Rows, name: str, column: str | None, reading: VoteReading, *, has_number_names: bool) -> WordVotes:
    table = rows.table if not reading.separator else lists_joined(rows.table, reading.separator)
    long = long_columns(table, reading.columns, name)
    told: dict[str, Any] = {"abstain": reading.abstain, "truth": column, "ignore": reading.ignore}
    if long is not None:
        read = of_long_table(table, long, name, separator=reading.separator, **told)
    elif reading.separator and yes_no_columns(table, reading, column):
        read = of_yes_no_table(table, name, reading, column)
    else:
        read = of_table(table, name, separator=reading.separator, has_number_names=has_number_names, **told)
    return replace(read, warnings=(*rows.warnings, *read.warnings))


def _without_column(found: WordVotes, column: str | None) -> WordVotes:
    """Refuse a truth that is neither a file nor a column."""
    if column is not None:
        raise UnknownColumnError(
            f"there is no file {column!r}, and these votes have no columns with names",
            where="--truth",
            next_step="name a file: a .npy vector with one class per row, or a table with row_id and truth",
        )
    return found


def _array(path: str) -> np.ndarray:
    if is_url(path) or not path.lower().endswith(".npy"):  # elsewhere, or packed
        return _loaded(io.BytesIO(fetch(path).unpacked.to_pybytes()), path)
    if not local_path(path).is_file() or not local_path(path).stat().st_size:
        fetch(path)  # says what is wrong with it
    return _loaded(local_path(path), path)


def _loaded(file: Path | io.BytesIO, path: str) -> np.ndarray:
    try:
        mode = "r" if isinstance(file, Path) else None
        array: np.ndarray = np.load(file, mmap_mode=mode, allow_pickle=False)  # type: ignore[arg-type]
    except (ValueError, OSError, EOFError) as problem:
        raise SourceError("is no NumPy array of numbers", where=path, next_step="write it with numpy.save") from problem
    return array


def _with_header(content: Content) -> tuple[Content, bool]:
    """Give a text table that begins with votes, as numpy.savetxt writes it, a header; False where it had none."""
    if suffix_of(content.name) not in {".csv", ".tsv", ".tab"}:
        return content, True
    text = decode(content, None)
    first = text.lstrip("\ufeff\r\n").split("\n", 1)[0].strip()
    sign = find_delimiter(text)
    cells = next(csv.reader([first], delimiter=sign), [])
    looks_like_votes = len(set(cells)) < len(cells) or any(cell.startswith("-") or "." in cell for cell in cells)
    if len(cells) < 2 or not all(_is_vote(cell) for cell in cells) or not looks_like_votes:
        return content, True
    header = sign.join(f"labeler{number}" for number in range(len(cells)))
    name = content.name.removesuffix(".gz").removesuffix(".bz2").removesuffix(".zst")
    return Content(name=name, buffer=pa.py_buffer(f"{header}\n{text}".encode())), False


def _is_vote(cell: str) -> bool:
    try:
        return float(cell).is_integer() or cell.strip().lower() == "nan"
    except (ValueError, OverflowError):
        return False
