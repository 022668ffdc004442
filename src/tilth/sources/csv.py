"""CSV and TSV: text tables with a header line, quoted as in RFC 4180; the delimiter is found if not given.

Every cell is read as text: what is a number is decided later, by the values, so that codes keep their zeros.

Source: Shafranovich (2005), RFC 4180, Common Format and MIME Type for CSV Files.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from tilth.core.errors import SourceError, first_three
from tilth.sources._content import Content, decode, fetch, suffix_of
from tilth.sources._tables import Rows, checked_header

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Csv", "parse_csv"]

_DELIMITERS = (",", ";", "\t", "|")
_SNIFFED_SIGNS = 1 << 16
_SNIFFED_RECORDS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Csv:
    """Read a CSV or TSV file from a path or object-store URL.

    Parameters
    ----------
    path : str
        Path or URL; a name ending in .gz, .bz2 or .zst is unpacked.
    delimiter : str or None
        The sign between cells; None finds it among comma, semicolon, tab and bar.
    encoding : str or None
        How the text is written; None is UTF-8. A byte-order mark overrules it.

    Raises
    ------
    SourceError
        Missing or empty file, undecodable bytes, rows of different length, empty or repeated column names.
    """

    revision: ClassVar[int] = 1
    path: str
    delimiter: str | None = None
    encoding: str | None = None

    @classmethod
    def example(cls) -> Csv:
        """Return an instance to look at; its file need not exist."""
        return cls(path="reviews.csv")

    def read(self) -> pa.Table:
        """Return the rows; every column is text, an empty cell is missing."""
        return parse_csv(fetch(self.path), delimiter=self.delimiter, encoding=self.encoding).table


def parse_csv(content: Content, *, delimiter: str | None = None, encoding: str | None = None) -> Rows:
    """Return the rows of a text table."""
    text = decode(content, encoding)
    if "\n" not in text:
        text = text.replace("\r", "\n")  # line ends of old
    if not text.strip():
        raise SourceError("the file is empty", where=content.name, next_step="check how it was written")
    sign = delimiter or find_delimiter(text, expected="\t" if suffix_of(content.name) in {".tsv", ".tab"} else ",")
    raw_header = _header(text, sign, content.name)
    names = checked_header(raw_header, content.name)
    table = _table(text, sign, names, content.name)
    if table.num_rows == 0:
        raise SourceError("the file has a header but no rows", where=content.name, next_step="check how it was written")
    _refuse_open_quote(text, table, content.name)
    return Rows(table, tuple(_warnings(raw_header, names, table, sign, content.name)))


def find_delimiter(text: str, expected: str = ",") -> str:
    """Return the delimiter that cuts the first records into equally many cells, else the expected one."""
    head = text[:_SNIFFED_SIGNS]
    shares: dict[str, tuple[float, int]] = {}
    for sign in sorted(_DELIMITERS, key=lambda candidate: candidate != expected):
        widths = [len(record) for record in _records(head, sign)]
        if widths and widths[0] > 1:
            shares[sign] = (widths.count(widths[0]) / len(widths), widths[0])
    if not shares:
        return expected
    most = max(share for share, _ in shares.values())
    return max((sign for sign in shares if shares[sign][0] >= most - 0.05), key=lambda sign: shares[sign][1])


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    """Yield the first whole records."""
    lines = io.StringIO(text if len(text) < _SNIFFED_SIGNS else text[: text.rfind("\n") + 1])
    try:
        yield from islice((r for r in csv.reader(lines, delimiter=delimiter) if r), _SNIFFED_RECORDS)
    except csv.Error:  # a cell larger than the reader's limit: what came before is enough
        return


def _header(text: str, delimiter: str, name: str) -> list[str]:
    try:
        return next(record for record in csv.reader(io.StringIO(text), delimiter=delimiter) if record)
    except csv.Error as problem:
        raise SourceError(
            f"the header cannot be read: {problem}", where=name, next_step="check the first line and its quotes"
        ) from problem


def _table(text: str, delimiter: str, names: list[str], name: str) -> pa.Table:
    ragged: list[int] = []

    def note(row: arrow_csv.InvalidRow) -> str:
        ragged.append(row.actual_columns)
        return "skip"

    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(text.lstrip("\r\n").encode()),  # blank lines would count as the header
            read_options=arrow_csv.ReadOptions(column_names=names, skip_rows_after_names=1, block_size=1 << 24),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=note
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True
            ),
        )
    except pa.ArrowInvalid as problem:
        raise SourceError(f"cannot be read as CSV: {problem}", where=name, next_step="check the quotes") from problem
    if ragged:
        raise _ragged(text, delimiter, len(names), name)
    return table


def _ragged(text: str, delimiter: str, expected: int, name: str) -> SourceError:
    places = []
    limit = csv.field_size_limit(len(text))
    try:
        reader = csv.reader(io.StringIO(text), delimiter=delimiter)
        begins = 1
        for record in reader:
            if record and len(record) != expected:
                places.append(f"line {begins:,} has {len(record)}")
            begins = reader.line_num + 1
    finally:
        csv.field_size_limit(limit)
    return SourceError(
        f"rows of different length: {expected} cells expected, {first_three(places)}",
        where=name,
        next_step="put quotes around cells that hold the delimiter, or mend these lines",
    )


def _refuse_open_quote(text: str, table: pa.Table, name: str) -> None:
    """Refuse a quote that is never closed: it would swallow every row after it."""
    if text.count('"') % 2 == 0:
        return
    swallowed = [column for column in table.column_names if "\n" in (table.column(column)[-1].as_py() or "")]
    if swallowed:
        first = (table.column(swallowed[0])[-1].as_py() or "").split("\n")[0]
        line = text.count("\n", 0, text.rfind(first)) + 1
        raise SourceError(
            f"the quote that opens in line {line:,} is never closed",
            where=f"{name}, column {swallowed[0]!r}",
            next_step='close it, or write a quote inside a cell as ""',
        )


def _warnings(raw: list[str], names: list[str], table: pa.Table, delimiter: str, where: str) -> Iterator[str]:
    if raw[0].strip() == "" and names[0] == "index":
        yield f"{where}: the first column has no name; it is called 'index'"
    numbers = sum(name.replace(".", "", 1).replace("-", "", 1).isdigit() for name in names)
    if numbers * 2 > len(names) and numbers > 1:
        yield f"{where}: the column names look like data ({first_three(names)}); is the header line missing?"
    spans = Counter({name: _swallowing(table.column(name), delimiter, len(names)) for name in names})
    for name, count in spans.most_common(1):
        if count:
            yield f"{where}: {count:,} cells of {name!r} hold whole lines of the file; is a quote left open?"


def _swallowing(column: pa.ChunkedArray, delimiter: str, width: int) -> int:
    """Count cells with an inner line that has as many delimiters as a row."""
    if width < 3 and delimiter == ",":
        return 0
    several = column.filter(pc.fill_null(pc.match_substring(column, "\n"), False))
    inner = (cell.as_py().split("\n")[1:-1] for cell in several)
    return sum(any(line.count(delimiter) == width - 1 for line in lines) for lines in inner)
