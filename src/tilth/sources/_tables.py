"""Tables made plain: no dictionaries, views or leftover indexes; headers checked; parts put together."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from tilth.core.errors import SourceError, did_you_mean, first_three
from tilth.core.names import RESERVED, SPLIT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from tilth.sources._content import Content

__all__ = [
    "BrokenImage",
    "Part",
    "Rows",
    "binary_column",
    "checked_header",
    "columns_table",
    "combined",
    "narrow",
    "plain_table",
    "to_string",
    "typed_rows",
]

_CHUNK_BYTES = 1 << 30


class BrokenImage(NamedTuple):
    """An image that cannot be read: its row position (None: no row was made of it), its path, and why."""

    row: int | None
    path: str
    why: str


class Rows(NamedTuple):
    """What one file or frame gave."""

    table: pa.Table
    warnings: tuple[str, ...] = ()
    broken_images: tuple[BrokenImage, ...] = ()


class Part(NamedTuple):
    """One of several tables that are put together, with its name for messages."""

    name: str
    table: pa.Table


def checked_header(names: Sequence[str], where: str) -> list[str]:
    """Return the column names, trimmed; raises SourceError for empty, repeated or reserved ones.

    An empty first name is what a dataframe's index leaves when it is written: it is called "index". Of tilth's own
    names only `_tilth_split` may come in.
    """
    clean = [name.strip() for name in names]
    if len(clean) > 1 and clean[0] == "" and "index" not in clean and all(clean[1:]):
        clean[0] = "index"
    empty = [position for position, name in enumerate(clean, start=1) if not name]
    if empty:
        raise SourceError(f"no name for column {first_three(empty)}", where=where, next_step="name every column")
    repeated = [f"{name!r}" for name, count in Counter(clean).items() if count > 1]
    if repeated:
        raise SourceError(
            f"two columns are called {first_three(repeated)}",
            where=where,
            next_step="give every column its own name; a table needs a first line with the names",
        )
    reserved = [f"{name!r}" for name in clean if name.startswith(RESERVED) and name != SPLIT]
    if reserved:
        raise SourceError(
            f"column names beginning with {RESERVED!r} belong to tilth: {first_three(reserved)}",
            where=where,
            next_step="rename or drop these columns",
        )
    return clean


def plain_table(table: pa.Table, where: str) -> Rows:
    """Return a table of plain Arrow types with a checked header, without metadata or a leftover index."""
    table, warnings = _without_leftover_index(table)
    names = checked_header(table.column_names, where)
    columns = [_plain_column(column) for column in table.columns]
    flat_names, flat_columns = _unfolded(names, columns)
    if len(flat_names) > len(names):
        checked_header(flat_names, where)
    return Rows(pa.table(flat_columns, names=flat_names), tuple(warnings))


def typed_rows(content: Content, kind: str, read: Callable[[pa.BufferReader], pa.Table]) -> Rows:
    """Return the rows of a file whose format declares types; raises SourceError where it cannot be read or holds none."""
    try:
        table = read(pa.BufferReader(content.buffer))
    except (pa.ArrowInvalid, OSError) as problem:
        raise SourceError(
            f"cannot be read as {kind}: {problem}", where=content.name, next_step="check how it was written"
        ) from problem
    if table.num_rows == 0:
        raise SourceError("holds no rows", where=content.name, next_step="check how it was written")
    return plain_table(table, content.name)


def to_string(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return text with 32-bit offsets."""
    return narrow(column, pa.string())


def binary_column(cells: Sequence[bytes | None]) -> pa.ChunkedArray:
    """Return bytes with 32-bit offsets."""
    return narrow(pa.chunked_array([pa.array(cells, pa.large_binary())]), pa.binary())


def narrow(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """Return text or bytes as a type with 32-bit offsets, cut into chunks that fit them."""
    chunks = []
    for chunk in column.chunks:
        step = max(1, len(chunk) if chunk.nbytes < _CHUNK_BYTES else len(chunk) * _CHUNK_BYTES // (2 * chunk.nbytes))
        chunks += [chunk.slice(start, step).cast(kind) for start in range(0, len(chunk), step)]
    return pa.chunked_array(chunks, kind)


def columns_table(columns: Mapping[str, Iterable[Any]], where: str) -> Rows:
    """Return a table of Python columns; a column of several types becomes text, with a warning."""
    arrays, warnings = {}, []
    for name, values in columns.items():
        cells = list(values)
        try:
            arrays[str(name)] = pa.array(cells, from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
            arrays[str(name)] = pa.array([_as_text(cell) for cell in cells], pa.string())
            warnings.append(f"column {str(name)!r} mixes types ({_kinds(cells)}); it is read as text")
    rows = plain_table(pa.table(arrays), where)
    return Rows(rows.table, (*warnings, *rows.warnings))


def combined(parts: Sequence[Part], may_lack: Collection[str] = ()) -> Rows:
    """Return the rows of several parts one after the other; their columns must be the same, in any order."""
    names = list(dict.fromkeys(name for part in parts for name in part.table.column_names))
    for part in parts:
        _check_same(part, parts[0], set(names) - set(may_lack))
    warnings = []
    tables = [_with_columns(part.table, names) for part in parts]
    for name in names:
        kinds = {table.schema.field(name).type for table in tables}
        if not _unify(kinds):
            tables = [table.set_column(names.index(name), name, _texts(table.column(name))) for table in tables]
            found = first_three(sorted(str(kind) for kind in kinds))
            warnings.append(f"column {name!r} has different types in different files ({found}); it is read as text")
    return Rows(pa.concat_tables(tables, promote_options="permissive"), tuple(warnings))


def _check_same(part: Part, first: Part, names: set[str]) -> None:
    has = set(part.table.column_names)
    lacking = [f"{name!r}{did_you_mean(name, has - set(first.table.column_names))}" for name in sorted(names - has)]
    if lacking:
        raise SourceError(
            f"the files do not have the same columns: {part.name} lacks {first_three(lacking)}",
            where=f"{first.name}, {part.name}",
            next_step="rename or add the columns, or leave the file out",
        )


def _with_columns(table: pa.Table, names: Sequence[str]) -> pa.Table:
    for name in names:
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(table.num_rows))
    return table.select(list(names))


def _unify(kinds: set[pa.DataType]) -> bool:
    try:
        pa.unify_schemas([pa.schema([("x", kind)]) for kind in kinds], promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return False
    return True


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.chunked_array([pa.array([_as_text(cell) for cell in column.to_pylist()], pa.string())])
    return to_string(column)


def _plain_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return _plain_column(pa.chunked_array([chunk.storage for chunk in column.chunks], kind.storage_type))
    if pa.types.is_dictionary(kind):
        values = [_plain_column(pa.chunked_array([chunk.dictionary])).combine_chunks() for chunk in column.chunks]
        taken = [known.take(chunk.indices) for known, chunk in zip(values, column.chunks, strict=True)]
        return pa.chunked_array(taken) if taken else _plain_column(column.cast(kind.value_type))
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return to_string(column)
    if pa.types.is_binary_view(kind):
        return narrow(column, pa.binary())
    return column


def _unfolded(names: Sequence[str], columns: Sequence[pa.ChunkedArray]) -> tuple[list[str], list[pa.ChunkedArray]]:
    """Return structs as one column per field, `a.b`; a struct of image bytes and path stays one column."""
    flat_names: list[str] = []
    flat: list[pa.ChunkedArray] = []
    for name, column in zip(names, columns, strict=True):
        kind = column.type
        if pa.types.is_struct(kind) and {field.name for field in kind} != {"bytes", "path"} and kind.num_fields:
            inner = [f"{name}.{field.name}" for field in kind]
            inner_names, inner_columns = _unfolded(inner, [_plain_column(part) for part in column.flatten()])
            flat_names += inner_names
            flat += inner_columns
        else:
            flat_names.append(name)
            flat.append(column)
    return flat_names, flat


def _without_leftover_index(table: pa.Table) -> tuple[pa.Table, list[str]]:
    """Drop an unnamed index of integers (left over from filtering); keep any other as the column "index"."""
    warnings = []
    for name in [name for name in table.column_names if name.startswith("__index_level_")]:
        position = table.column_names.index(name)
        kept = "index" if name == "__index_level_0__" else f"index_{name.strip('_').rsplit('_', 1)[-1]}"
        if pa.types.is_integer(table.schema.field(name).type) or kept in table.column_names:
            table = table.remove_column(position)
            warnings.append("the dataframe's unnamed index is left out")
        else:
            names = table.column_names
            names[position] = kept
            table = table.rename_columns(names)
            warnings.append(f"the dataframe's unnamed index is kept as column {kept!r}")
    return table.replace_schema_metadata(None), warnings


def _as_text(cell: object) -> str | None:
    if cell is None or str(cell) in {"nan", "NaT", "<NA>"}:
        return None
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "replace")
    return json.dumps(cell, default=str, ensure_ascii=False) if isinstance(cell, dict | list) else str(cell)


def _kinds(cells: Sequence[object]) -> str:
    counts = Counter(type(cell).__name__ for cell in cells if _as_text(cell) is not None)
    return ", ".join(f"{count:,} {name}" for name, count in counts.most_common(3))
