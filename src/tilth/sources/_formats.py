"""Which file suffix is read by which operator of this room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tilth.core.errors import SourceError
from tilth.sources._content import suffix_of
from tilth.sources.arrow import parse_arrow
from tilth.sources.csv import parse_csv
from tilth.sources.json import parse_json
from tilth.sources.parquet import parse_parquet

if TYPE_CHECKING:
    from tilth.sources._content import Content
    from tilth.sources._tables import Rows

__all__ = ["TABLE_SUFFIXES", "parse", "refuse_unknown_format"]

_CSV = (".csv", ".tsv", ".tab")
_JSON = (".json", ".jsonl", ".ndjson")
_PARQUET = (".parquet", ".pq")
_ARROW = (".arrow", ".feather", ".ipc")
TABLE_SUFFIXES = frozenset((*_CSV, *_JSON, *_PARQUET, *_ARROW))


def parse(content: Content, *, encoding: str | None = None, delimiter: str | None = None) -> Rows:
    """Return the rows of a file in the format that its suffix says."""
    suffix = suffix_of(content.name)
    if suffix in _CSV:
        return parse_csv(content, delimiter=delimiter, encoding=encoding)
    if suffix in _JSON:
        return parse_json(content, encoding=encoding)
    return parse_parquet(content) if suffix in _PARQUET else parse_arrow(content)


def refuse_unknown_format(name: str) -> None:
    """Raise SourceError, listing what is supported, unless the suffix is known."""
    suffix = suffix_of(name)
    if suffix not in TABLE_SUFFIXES:
        known = " ".join((*_CSV, *_JSON, *_PARQUET, *_ARROW))
        raise SourceError(
            f"the format {suffix or '(no suffix)'} is not known",
            where=name,
            next_step=f"give {known} (CSV and JSON also as .gz), a folder of images, or a dataframe",
        )
