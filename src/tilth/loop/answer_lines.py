"""Lines of answers, whatever file they come in: the sheet of `tilth ask`, a long table, Label Studio, a saved dataset.

A line says which row and what; it may say who answered, when, how sure they were, under which guideline, and whether this is the
last word on the row. Nothing is judged here: that rows, classes and people are known is `who_said`'s to check.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa

from tilth.core.errors import AnswerError, InputError, UsageError, did_you_mean
from tilth.core.manifest import Dropped, Manifest
from tilth.loop._answer_file import answer_table
from tilth.sources._content import fetch, suffix_of
from tilth.sources._formats import parse
from tilth.sources._hf_disk import is_saved_dataset, read_saved_dataset
from tilth.sources._label_studio import studio_answers, studio_tasks
from tilth.sources._vote_words import names_in

__all__ = ["OWN_COLUMNS", "AnswerLine", "ReadLines", "read_lines"]

KNOWN = {
    "annotator": ("annotator", "annotator_id", "worker", "worker_id", "rater", "rater_id", "user", "user_id"),
    "answered": ("answered", "answered_at", "created_at"),
    "certainty": ("certainty", "confidence"),
    "adjudicated": ("adjudicated",),
    "guideline_version": ("guideline_version", "guideline"),
}
"""What a line may say besides row and answer, and the columns that say it; a project's own columns of these names do not,
but for the first of each, which is tilth's own."""
OWN_COLUMNS = tuple(KNOWN)
NEEDED = ("row_id", "answer")
TABLES = (".json", ".jsonl", ".ndjson", ".parquet", ".pq", ".arrow", ".feather", ".ipc")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerLine:
    """One line as it was written: text, empty where it says nothing."""

    row_id: str
    answer: str
    annotator: str = ""
    answered: str = ""
    certainty: str = ""
    adjudicated: str = ""
    guideline_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLines:
    """The lines of a file that answer something.

    Parameters
    ----------
    lines : in the order of the file
    names_people : whether the file has a place for the annotator
    manifest : what was read and dropped
    """

    lines: tuple[AnswerLine, ...]
    names_people: bool
    manifest: Manifest


def read_lines(path: Path, *, columns: Sequence[str] = (), taken: Collection[str] = (), task: str = "") -> ReadLines:
    """Read a file of answers.

    Parameters
    ----------
    path : a CSV, a JSON, Parquet or Arrow table, a Label Studio export, or a folder of a saved dataset
    columns : the columns of row and answer, or of row, annotator and answer; () for `row_id` and `answer`
    taken : columns of the project: they say nothing of the answer, but for tilth's own names
    task : the question that is read where a Label Studio export has several

    Raises
    ------
    AnswerError, SourceError
        What cannot be read so.
    """
    if len(columns) not in (0, 2, 3):
        raise UsageError(
            f"--columns takes two or three names, not {len(columns)}",
            next_step="--columns ROW,ANSWER or --columns ROW,ANNOTATOR,ANSWER, in this order",
        )
    if path.is_dir() and is_saved_dataset(path):
        saved = read_saved_dataset(path, str(path))
        return _of_table(saved.rows.table, path, "a saved dataset", saved.digest, "rows", columns, taken)
    if suffix_of(str(path)) in TABLES and path.is_file():
        content = fetch(path)
        tasks = studio_tasks(content)
        if tasks is not None:
            said = studio_answers(tasks, str(path), question=task)
            found = Manifest(
                file=str(path),
                format="Label Studio",
                digest=content.digest,
                unit="annotations",
                read=said.read,
                taken=said.table.num_rows,
                dropped=said.dropped,
                notes=said.notes,
            )
            return ReadLines(lines=_lines(said.table), names_people=True, manifest=found)
        table, form = parse(content).table, suffix_of(str(path)).removeprefix(".")
        return _of_table(table, path, form, content.digest, "rows", columns, taken)
    needed = (columns[0], columns[-1]) if columns else NEEDED
    words = {word for known in KNOWN.values() for word in known} | set(columns)
    table = answer_table(path, needed, words)
    digest = blake2b(path.read_bytes(), digest_size=16).hexdigest()
    return _of_table(table, path, "CSV", digest, "lines", columns, taken)


def _of_table(
    table: pa.Table, path: Path, form: str, digest: str, unit: str, columns: Sequence[str], taken: Collection[str]
) -> ReadLines:
    row, answer = (columns[0], columns[-1]) if columns else NEEDED
    for name in (row, answer):
        if name not in table.column_names:
            close = did_you_mean(name, table.column_names)
            raise AnswerError(
                f"the answers have no column {name!r}.{close}",
                where=str(path),
                next_step="--columns ROW,ANNOTATOR,ANSWER names the columns that hold them",
            )
    chosen = {"row_id": row, "answer": answer} | _others(table, (row, answer), columns, taken)
    text = pa.table(
        {
            what: _text(table.column(column), path, column, is_name=what == "annotator")
            for what, column in chosen.items()
        }
    )
    lines = _lines(text)
    empty = [str(number) for number, line in enumerate(lines, start=1) if not line.answer]
    nameless = [number for number, line in enumerate(lines, start=1) if line.answer and not line.row_id]
    if nameless:
        raise AnswerError(
            f"{len(nameless):,} answers name no row", where=f"{path}, {unit} {nameless[:3]}", next_step="fill in row_id"
        )
    kept = tuple(line for line in lines if line.answer)
    dropped = (Dropped.of("the answer is empty", empty),) if empty else ()
    manifest = Manifest(
        file=str(path), format=form, digest=digest, unit=unit, read=len(lines), taken=len(kept), dropped=dropped
    )
    return ReadLines(lines=kept, names_people="annotator" in chosen, manifest=manifest)


def _others(table: pa.Table, needed: Sequence[str], columns: Sequence[str], taken: Collection[str]) -> dict[str, str]:
    """Return which columns say what else: those that were named, tilth's own, and usual ones that are not the project's."""
    found = {}
    for what, words in KNOWN.items():
        usual = [word for word in words if word == what or word not in taken]
        here = [word for word in usual if word in table.column_names and word not in needed]
        if here:
            found[what] = here[0]
    if len(columns) == 3:
        if columns[1] not in table.column_names:
            raise AnswerError(
                f"the answers have no column {columns[1]!r}.{did_you_mean(columns[1], table.column_names)}",
                next_step="--columns ROW,ANNOTATOR,ANSWER names the columns that hold them",
            )
        found["annotator"] = columns[1]
    return found


def _text(column: pa.ChunkedArray, path: Path, name: str, *, is_name: bool) -> pa.Array:
    """Return cells as text, empty where there is none; of numbers and of people's names 7, 7.0 and "7" are one."""
    kind = column.type
    try:
        if is_name or not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            column = names_in(column)
        return column.combine_chunks().cast(pa.string()).fill_null("")
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, InputError) as problem:
        raise AnswerError(f"column {name!r} holds no text: {problem}", where=str(path)) from problem


def _lines(table: pa.Table) -> tuple[AnswerLine, ...]:
    cells = {name: [text.strip() for text in table.column(name).to_pylist()] for name in table.column_names}
    return tuple(AnswerLine(**dict(zip(cells, line, strict=True))) for line in zip(*cells.values(), strict=True))
