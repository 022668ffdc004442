"""JSON: an array of objects, one object per line (JSON lines), or one object of columns.

Nested objects become columns `a.b`; a field of several types becomes text, with a warning.

Source: Bray (2017), RFC 8259, The JavaScript Object Notation Data Interchange Format; jsonlines.org.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa
import pyarrow.json as arrow_json

from tilth.core.errors import SourceError, first_three
from tilth.sources._content import Content, decode, fetch, suffix_of
from tilth.sources._tables import Rows, columns_table, plain_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Json", "parse_json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Json:
    """Read a JSON or JSON lines file from a path or object-store URL.

    Parameters
    ----------
    path : str
        Path or URL; a name ending in .gz, .bz2 or .zst is unpacked.
    encoding : str or None
        How the text is written; None is UTF-8.

    Raises
    ------
    SourceError
        Missing or empty file, undecodable bytes, broken JSON (with its line), rows that are no objects.
    """

    revision: ClassVar[int] = 1
    path: str
    encoding: str | None = None

    @classmethod
    def example(cls) -> Json:
        """Return an instance to look at; its file need not exist."""
        return cls(path="reviews.jsonl")

    def read(self) -> pa.Table:
        """Return the rows with the types that JSON gives them."""
        return parse_json(fetch(self.path), encoding=self.encoding).table


def parse_json(content: Content, *, encoding: str | None = None) -> Rows:
    """Return the rows of a JSON text, whichever of the three forms it has."""
    text = decode(content, encoding)
    start = text.lstrip()[:1]
    if not start:
        raise SourceError("the file is empty", where=content.name, next_step="check how it was written")
    if start not in "[{":
        raise SourceError(
            f"begins with {start!r}, which is neither an object nor an array of objects",
            where=content.name,
            next_step='write one object per row: {"text": …, "label": …}',
        )
    are_lines = start == "{" and (suffix_of(content.name) in {".jsonl", ".ndjson"} or _is_lines(text))
    rows = _lines(text, content.name) if are_lines else _whole(text, content.name)
    if rows.table.num_rows == 0:
        raise SourceError("holds no rows", where=content.name, next_step="check how it was written")
    return rows


def _is_lines(text: str) -> bool:
    """Whether the first line that is not blank is a whole object and more follows."""
    first, _, rest = text.lstrip().partition("\n")
    try:
        json.loads(first)
    except json.JSONDecodeError as problem:
        return problem.msg.startswith("Extra data")
    return bool(rest.strip())


def _lines(text: str, name: str) -> Rows:
    try:
        table = arrow_json.read_json(
            pa.BufferReader(text.encode()),
            read_options=arrow_json.ReadOptions(block_size=1 << 24),
        )
    except (
        pa.ArrowInvalid,
        pa.ArrowNotImplementedError,
    ):  # mixed types or broken: read it line by line and say where
        return _records([_line(line, k, name) for k, line in enumerate(text.split("\n"), 1) if line.strip()], name)
    return plain_table(table, name)


def _line(line: str, number: int, name: str) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as problem:
        raise _broken(problem, name, number) from problem


def _whole(text: str, name: str) -> Rows:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as problem:
        raise _broken(problem, name, problem.lineno) from problem
    return _records(value, name) if isinstance(value, list) else _object(value, name)


def _object(value: Mapping[str, Any], name: str) -> Rows:
    """Read an object of columns (lists, or objects by index), a wrapped list of rows, or a single row."""
    wrapped = [inner for inner in value.values() if _is_rows(inner)]
    if len(wrapped) == 1 and not any(isinstance(inner, list) for inner in value.values() if inner is not wrapped[0]):
        return _records(wrapped[0], name)
    columns = [list(inner.values()) if isinstance(inner, dict) else inner for inner in value.values()]
    lengths = {key: len(column) for key, column in zip(value, columns, strict=True) if isinstance(column, list)}
    if not value or len(lengths) < len(value):
        return _records([value], name)
    if len(set(lengths.values())) > 1:
        found = first_three(f"{key!r} has {length:,}" for key, length in lengths.items())
        raise SourceError(
            f"columns of different length: {found}", where=name, next_step="give each row a value or null"
        )
    return columns_table(dict(zip(value, columns, strict=True)), name)


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _records(rows: Sequence[Any], name: str) -> Rows:
    odd = [position for position, row in enumerate(rows, start=1) if not isinstance(row, dict)]
    if odd:
        raise SourceError(
            f"row {first_three(odd)} is no object with named columns",
            where=name,
            next_step='write one object per row: {"text": …, "label": …}',
        )
    keys = dict.fromkeys(key for row in rows for key in row)
    return columns_table({key: [row.get(key) for row in rows] for key in keys}, name)


def _broken(problem: json.JSONDecodeError, name: str, line: int) -> SourceError:
    return SourceError(
        f"line {line:,}, position {problem.colno:,} is not JSON: {problem.msg}",
        where=name,
        next_step="mend this line",
    )
