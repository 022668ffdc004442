"""A file of answers as a person saves it: the sheet that `tilth ask` wrote, in any of the ways that spreadsheets write CSV.

Cells stand between commas, semicolons (Excel, where the comma is the decimal sign) or tabs; the text is UTF-8, with or without a
byte-order mark, or UTF-16 ("Unicode Text"). Only the columns that are asked for are read, so that the others may hold anything.
"""

from __future__ import annotations

import codecs
import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv as pacsv

from tilth.core.errors import AnswerError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["answer_table", "read_answers"]

COLUMNS = ("row_id", "answer")
SEPARATORS = (",", ";", "\t")
LONGEST_HEADER = 1 << 20
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How the files of Excel and its kin begin (.xlsx and .ods, .xls)."""


def read_answers(path: Path) -> list[tuple[str, str]]:
    """Return (row id, answer) of a CSV with columns `row_id` and `answer`; empty answers are left out.

    Raises AnswerError where there is no such file, or it cannot be read so.
    """
    table = answer_table(path)
    pairs = zip(*(table.column(name).to_pylist() for name in COLUMNS), strict=True)
    return [(row.strip(), answer.strip()) for row, answer in pairs if answer and answer.strip()]


def answer_table(path: Path, needed: Sequence[str] = COLUMNS, may_have: Collection[str] = ()) -> pa.Table:
    """Return the columns of a CSV that are needed, and those of `may_have` that it has, as text; one line per answer.

    Raises AnswerError where there is no such file, or it cannot be read so.
    """
    data = _bytes(path)
    header, separator = _header(data, path, needed)
    columns = [name for name in header if name in needed or name in may_have]
    twice = [name for name in columns if columns.count(name) > 1]
    if twice:
        raise AnswerError(f"the column {twice[0]!r} stands twice", where=str(path), next_step="leave one of them")
    return _table(data, header, separator, path, columns)


def _bytes(path: Path) -> bytes:
    """Return the file's text, as UTF-8 where a byte-order mark says how it is written, without blank lines at its head."""
    if not path.is_file():
        raise AnswerError(
            f"there is no file {str(path)!r}", next_step="tilth ask -o questions.csv makes one to fill in"
        )
    data = path.read_bytes()
    if data.startswith(WORKBOOKS):
        raise _unreadable("it is a workbook", path, "save it as CSV in the spreadsheet, and give that file")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            data = data.decode("utf-16").encode()
        except UnicodeDecodeError as error:
            raise _unreadable(f"its UTF-16 is broken: {error}", path) from error
    data = data.removeprefix(codecs.BOM_UTF8).lstrip(b"\r\n")
    if not data.strip():
        raise _unreadable("it is empty", path)
    return data


def _header(data: bytes, path: Path, needed: Sequence[str]) -> tuple[list[str], str]:
    """Return the names in the header line, and the separator by which it holds the columns that are needed."""
    for separator in SEPARATORS:
        names = _first_record(data, separator)
        if all(name in names for name in needed):
            return names, separator
    missing = [name for name in needed if all(name not in _first_record(data, sign) for sign in SEPARATORS)]
    raise AnswerError(
        f"the answers have no column {(missing or needed)[0]!r}",
        where=str(path),
        next_step="keep the header that tilth ask wrote, its cells between commas, semicolons or tabs",
    )


def _first_record(data: bytes, separator: str) -> list[str]:
    text = data[:LONGEST_HEADER].decode(errors="replace")
    try:
        return [name.strip() for name in next(csv.reader(io.StringIO(text, newline=""), delimiter=separator))]
    except csv.Error:  # a first cell without an end
        return []


def _table(data: bytes, header: Sequence[str], separator: str, path: Path, columns: Sequence[str]) -> pa.Table:
    names = [name if name in columns else f"other {at}" for at, name in enumerate(header)]
    try:
        return pacsv.read_csv(
            pa.BufferReader(data),
            read_options=pacsv.ReadOptions(column_names=names, skip_rows_after_names=1),
            parse_options=pacsv.ParseOptions(delimiter=separator, newlines_in_values=True),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()), include_columns=list(columns)
            ),
        )
    except pa.ArrowInvalid as error:
        raise _unreadable(str(error), path) from error


def _unreadable(why: str, path: Path, then: str = "save it as CSV UTF-8, as tilth ask wrote it") -> AnswerError:
    return AnswerError(f"the answers cannot be read as CSV: {why}", where=str(path), next_step=then)
