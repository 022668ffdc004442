"""Open a source, whatever it is: files, several files, files per split, a folder of images, dataframes."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from tilth.core.errors import first_three
from tilth.core.names import SPLIT
from tilth.sources._content import fetch, is_url, local_path, without_secrets
from tilth.sources._formats import parse, refuse_unknown_format
from tilth.sources._hf_disk import is_saved_dataset, read_saved_dataset
from tilth.sources._images import holds_image_bytes, holds_image_paths, load_images
from tilth.sources._plan import Item, items_of
from tilth.sources._tables import BrokenImage, Part, Rows, combined
from tilth.sources.dataframe import is_dataframe, parse_dataframe
from tilth.sources.image_folder import parse_image_folder

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["Location", "RawSource", "open_source"]

Location = str | list[str] | dict[str, "str | list[str]"] | None
"""A source as it is written in tilth.yaml; `open_source` opens it again. None for dataframes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RawSource:
    """What a source holds before anything is inferred.

    `table` has the user's columns and, where splits were named per file or folder, `_tilth_split` with the
    names as they were given. `facts` are plain values: files (path, split, size, digest, rows), rows,
    warnings, broken_images (row position or None, path, why). `location` goes to tilth.yaml: paths below the
    project are relative.
    """

    table: pa.Table
    facts: dict[str, Any]
    location: Location


class _Read(NamedTuple):
    """What one item gave."""

    name: str
    split: str | None
    rows: Rows
    size: int
    digest: str
    images: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Opening:
    relative_to: Path | None
    project: Path | None
    encoding: str | None
    delimiter: str | None


def open_source(
    source: Any,
    *,
    relative_to: Path | None = None,
    project: Path | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    may_lack: Collection[str] = (),
) -> RawSource:
    """Read a source whole.

    Parameters
    ----------
    source : path, URL, dataframe, list of paths, list of "split=path", or mapping of split to any of these
        A folder is read as class folders of images, or as the table files in it.
    relative_to : Path or None
        Where relative paths start; None is the current folder.
    project : Path or None
        The project's folder: paths below it are written relative to it.
    encoding, delimiter : str or None
        How text tables are written; None finds out.
    may_lack : names of columns
        Columns that some of several files may lack (a label, in a file of rows without labels).

    Raises
    ------
    SourceError
        Missing, empty or unreadable files; files with different columns; unknown formats.
    """
    opening = _Opening(relative_to=relative_to, project=project, encoding=encoding, delimiter=delimiter)
    items, warnings = items_of(source, relative_to)
    reads = [_read(item, opening) for item in items]
    parts = [Part(read.name, _with_split(read, any(r.split for r in reads))) for read in reads]
    rows = combined(parts, may_lack)
    return RawSource(
        table=rows.table,
        facts=_facts(reads, [*warnings, *(w for read in reads for w in read.rows.warnings), *rows.warnings]),
        location=_location(items, opening),
    )


def _read(item: Item, opening: _Opening) -> _Read:
    if is_dataframe(item.what):
        return _read_frame(item)
    path = str(item.what)
    folder = None if is_url(path) else local_path(path, opening.relative_to)
    if folder is not None and is_saved_dataset(folder):
        saved = read_saved_dataset(folder, path)
        return _with_images(_Read(_written(path, opening), item.split, saved.rows, saved.size, saved.digest), folder)
    if folder is not None and folder.is_dir():
        found = parse_image_folder(folder, path)
        return _Read(_written(path, opening), item.split, found.rows, found.size, found.digest)
    refuse_unknown_format(path)
    content = fetch(path, opening.relative_to)
    rows = parse(content, encoding=opening.encoding, delimiter=opening.delimiter)
    read = _Read(_written(path, opening), item.split, rows, content.size, content.digest)
    return _with_images(read, None if folder is None else folder.parent)


def _read_frame(item: Item) -> _Read:
    rows = parse_dataframe(item.what)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.table.schema) as writer:
        writer.write_table(rows.table.combine_chunks())
    data = sink.getvalue()
    name = f"dataframe of {item.split}" if item.split else "dataframe"
    read = _Read(name, item.split, rows, data.size, blake2b(data, digest_size=16).hexdigest())
    return _with_images(read, Path.cwd())


def _with_images(read: _Read, base: Path | None) -> _Read:
    """Load the images of every column that holds them."""
    for name in read.rows.table.column_names:
        column = read.rows.table.column(name)
        if holds_image_bytes(column):
            read = _with_column_of_images(read, name, base, are_paths=False)
        elif holds_image_paths(column):
            read = _with_column_of_images(read, name, base, are_paths=True)
    return read


def _with_column_of_images(read: _Read, name: str, base: Path | None, *, are_paths: bool) -> _Read:
    column = read.rows.table.column(name)
    warnings = read.rows.warnings
    if are_paths and base is None:
        said = f"column {name!r} looks like paths of images; beside a remote table they are not read"
        return read._replace(rows=read.rows._replace(warnings=(*warnings, said)))
    table, broken = load_images(read.rows.table, name, base)
    if are_paths and len(broken) == len(column) - column.null_count:
        said = f"column {name!r} looks like images' paths; none can be read: {broken[0].path} ({broken[0].why})"
        return read._replace(rows=read.rows._replace(warnings=(*warnings, said)))
    if broken:
        warnings = (*warnings, _broken_said(name, broken))
    rows = Rows(table, warnings, (*read.rows.broken_images, *broken))
    images = (*read.images, _images_entry(read, name, table.column(name))) if are_paths else read.images
    return read._replace(rows=rows, images=images)


def _broken_said(column: str, broken: list[BrokenImage]) -> str:
    found = first_three(f"row {image.row} {image.path}".strip() for image in broken)
    return f"column {column!r}: {len(broken):,} images cannot be read and are missing: {found}"


def _images_entry(read: _Read, column: str, images: pa.ChunkedArray) -> dict[str, Any]:
    """Return what tells whether the image files changed, as for a file."""
    total, size = blake2b(digest_size=16), 0
    for image in images.to_pylist():
        total.update(blake2b(image or b"", digest_size=16).digest())
        size += len(image or b"")
    path = f"images of column {column!r} of {read.name}"
    return {"path": path, "split": read.split, "size": size, "digest": total.hexdigest(), "rows": 0}


def _with_split(read: _Read, has_splits: bool) -> pa.Table:
    table = read.rows.table
    if not has_splits or (SPLIT in table.column_names and read.split is None):
        return table
    if SPLIT in table.column_names:  # the name that the user gave overrules the folders' names
        table = table.drop_columns([SPLIT])
    return table.append_column(SPLIT, pa.array([read.split] * table.num_rows, pa.string()))


def _facts(reads: Sequence[_Read], warnings: list[str]) -> dict[str, Any]:
    files: list[dict[str, Any]] = []
    broken: list[BrokenImage] = []
    start = 0
    for read in reads:
        n_rows = read.rows.table.num_rows
        files.append({"path": read.name, "split": read.split, "size": read.size, "digest": read.digest, "rows": n_rows})
        files += read.images
        broken += [b if b.row is None else b._replace(row=b.row + start) for b in read.rows.broken_images]
        start += n_rows
    return {"files": files, "rows": start, "warnings": warnings, "broken_images": broken}


def _location(items: Sequence[Item], opening: _Opening) -> Location:
    if any(is_dataframe(item.what) for item in items):
        return None
    paths = [_written(str(item.what), opening) for item in items]
    if items[0].split is None:
        return paths[0] if len(paths) == 1 else paths
    by_split: dict[str, list[str]] = {}
    for item, path in zip(items, paths, strict=True):
        by_split.setdefault(item.split or "", []).append(path)
    return {split: found[0] if len(found) == 1 else found for split, found in by_split.items()}


def _written(path: str, opening: _Opening) -> str:
    """Return a path as it goes into tilth.yaml."""
    if is_url(path):
        return without_secrets(path)
    if opening.project is None:
        return Path(path).as_posix()
    absolute = local_path(path, opening.relative_to).resolve()
    folder = opening.project.resolve()
    return absolute.relative_to(folder).as_posix() if absolute.is_relative_to(folder) else absolute.as_posix()
