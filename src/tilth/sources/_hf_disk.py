"""Hugging Face datasets saved on disk: folders of Arrow streams, with the names of classes in the features.

`dataset_info.json` and `state.json` stand beside `data-*.arrow`; a dataset of several splits has `dataset_dict.json` and one such
folder per split. Class numbers become names; -1, which stands for no label, becomes an empty cell.

Source: Hugging Face datasets, `save_to_disk` (the format of its files); Apache Arrow, IPC stream format.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.errors import SourceError, first_three
from tilth.core.names import SPLIT
from tilth.sources._tables import Rows, plain_table

__all__ = ["SavedDataset", "is_saved_dataset", "read_saved_dataset"]

INFO, STATE, DICT = "dataset_info.json", "state.json", "dataset_dict.json"


class SavedDataset(NamedTuple):
    """What a folder gave: its rows (with `_tilth_split` where it has splits), the size of its files and their digest."""

    rows: Rows
    size: int
    digest: str


def is_saved_dataset(folder: Path) -> bool:
    """Whether a folder was written by `save_to_disk`."""
    return (folder / DICT).is_file() or ((folder / STATE).is_file() and (folder / INFO).is_file())


def read_saved_dataset(folder: Path, name: str) -> SavedDataset:
    """Return the rows of a saved dataset, class numbers by their names.

    Raises
    ------
    SourceError
        Files that are missing or broken, or a dataset that was saved with a selection beside its rows.
    """
    if not (folder / DICT).is_file():
        return _one(folder, name)
    splits = _json(folder / DICT).get("splits")
    if not isinstance(splits, list) or not splits:
        raise SourceError(f"{DICT} names no splits", where=name, next_step="save the dataset again")
    parts = {str(split): _one(folder / str(split), f"{name}/{split}") for split in splits}
    tables = [
        part.rows.table.append_column(SPLIT, pa.array([split] * part.rows.table.num_rows, pa.string()))
        for split, part in parts.items()
    ]
    try:
        table = pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as problem:
        raise SourceError(f"the splits have different columns: {problem}", where=name) from problem
    digest = blake2b("".join(part.digest for part in parts.values()).encode(), digest_size=16).hexdigest()
    return SavedDataset(Rows(table), sum(part.size for part in parts.values()), digest)


def _one(folder: Path, name: str) -> SavedDataset:
    state = _json(folder / STATE)
    if state.get("_indices_data_files") or state.get("_indices_files"):
        raise SourceError(
            "the dataset was saved with a selection of its rows beside them",
            where=name,
            next_step="save dataset.flatten_indices() again",
        )
    files = [str(one.get("filename")) for one in state.get("_data_files") or () if isinstance(one, Mapping)]
    if not files:
        raise SourceError(f"{STATE} names no data files", where=name, next_step="save the dataset again")
    total, size, tables = blake2b(digest_size=16), 0, []
    for file in files:
        data = _bytes(folder / file)
        total.update(data)
        size += len(data)
        tables.append(_stream(data, f"{name}/{file}"))
    table = _decoded(pa.concat_tables(tables), _json(folder / INFO).get("features") or {}, name)
    return SavedDataset(plain_table(table, name), size, total.hexdigest())


def _stream(data: bytes, name: str) -> pa.Table:
    try:
        return pa.ipc.open_stream(pa.BufferReader(data)).read_all()
    except pa.ArrowInvalid as problem:
        raise SourceError(
            f"is no Arrow stream: {problem}", where=name, next_step="fetch it again (git lfs pull), or save it again"
        ) from problem


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise SourceError(
            f"cannot be read: {problem}", where=str(path), next_step="save the dataset again"
        ) from problem


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(_bytes(path))
    except ValueError as problem:
        raise SourceError("is no JSON", where=str(path), next_step="save the dataset again") from problem
    return value if isinstance(value, dict) else {}


def _decoded(table: pa.Table, features: Mapping[str, Any], name: str) -> pa.Table:
    """Return the table with names instead of class numbers, and the bytes of images alone."""
    for at, column in enumerate(table.column_names):
        feature = features.get(column)
        kind = table.schema.field(column).type
        if isinstance(feature, Mapping) and feature.get("_type") == "ClassLabel" and pa.types.is_integer(kind):
            table = table.set_column(at, column, _named(table.column(column), feature.get("names") or (), name, column))
        elif pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
            table = table.set_column(at, column, pc.struct_field(table.column(column), "bytes"))
    return table.replace_schema_metadata(None)


def _named(column: pa.ChunkedArray, names: Any, where: str, called: str) -> pa.Array:
    words = [str(word) for word in names]
    numbers = column.to_pylist()
    strange = sorted({number for number in numbers if number is not None and not -1 <= number < len(words)})
    if strange:
        raise SourceError(
            f"column {called!r} holds class number {first_three(strange)}, and there are {len(words)} names",
            where=where,
            next_step="mend the features, and save the dataset again",
        )
    return pa.array([None if number is None or number < 0 else words[number] for number in numbers], pa.string())
