"""Take a source apart: into files, folders and dataframes, each with the split that was named for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tilth.core.errors import SourceError, first_three
from tilth.sources._content import is_url, local_path, suffix_of
from tilth.sources._formats import TABLE_SUFFIXES
from tilth.sources._hf_disk import is_saved_dataset
from tilth.sources._splits import split_of_file
from tilth.sources.dataframe import is_dataframe, parse_dataframe
from tilth.sources.image_folder import holds_images

__all__ = ["Item", "items_of"]

_NAMED = re.compile(r"^([A-Za-z_][A-Za-z0-9_]*)=(.+)$", re.DOTALL)


class Item(NamedTuple):
    """One file, folder or frame of the source, and the split that the user named for it."""

    what: Any
    split: str | None


def items_of(source: Any, relative_to: Path | None) -> tuple[list[Item], list[str]]:
    """Take a source apart into files, folders and frames."""
    if is_dataframe(source):
        return [Item(source, None)], []
    if isinstance(source, Mapping):
        if not source:
            raise SourceError("no source is named", next_step="name a file per split: train=a.parquet test=b.parquet")
        pairs = [(str(split), items_of(value, relative_to)[0]) for split, value in source.items()]
        return [Item(item.what, split) for split, items in pairs for item in items], []
    if isinstance(source, str | Path):
        named = _named(str(source), relative_to)
        if named:
            return items_of({named[0]: named[1]}, relative_to)
        return _expanded(source, relative_to)
    if isinstance(source, Sequence):
        return _listed(source, relative_to)
    parse_dataframe(source)  # says what is wrong with it
    raise AssertionError("unreachable")


def _listed(sources: Sequence[Any], relative_to: Path | None) -> tuple[list[Item], list[str]]:
    if not sources:
        raise SourceError("no source is named", next_step="name a file, a folder or a URL")
    named = [_named(str(source), relative_to) if isinstance(source, str) else None for source in sources]
    if all(named):
        return [Item(pair[1], pair[0]) for pair in named if pair], []
    if any(named):
        plain = first_three(source for source, pair in zip(sources, named, strict=True) if not pair)
        raise SourceError(
            f"some sources are named by split and some are not: {plain}",
            next_step="name all of them: train=a.parquet test=b.parquet",
        )
    if len(sources) == 1:
        return items_of(sources[0], relative_to)
    return _by_file_names([Item(source, None) for source in sources])


def _named(source: str, relative_to: Path | None) -> tuple[str, str] | None:
    """Return split and path of "train=a.parquet", unless a file of that very name exists."""
    match = _NAMED.match(source)
    if match is None or local_path(source, relative_to).exists():
        return None
    return match[1], match[2]


def _expanded(source: str | Path, relative_to: Path | None) -> tuple[list[Item], list[str]]:
    """Return a folder of tables as its files; anything else as it is."""
    folder = None if is_url(str(source)) else local_path(source, relative_to)
    if folder is None or not folder.is_dir() or is_saved_dataset(folder):
        return [Item(source, None)], []
    tables = sorted(path for path in folder.iterdir() if path.is_file() and suffix_of(path.name) in TABLE_SUFFIXES)
    tables.sort(key=lambda path: split_of_file(path.name) not in {"train", "training"})  # people think of it first
    if tables and not any(holds_images(child) for child in folder.iterdir() if child.is_dir()):
        return _by_file_names([Item(path, None) for path in tables])
    return [Item(source, None)], []


def _by_file_names(items: list[Item]) -> tuple[list[Item], list[str]]:
    """Take files called train…, test… as these splits, if all are called so and they are not all one."""
    if not all(isinstance(item.what, str | Path) for item in items):
        return items, []
    splits = [split_of_file(Path(str(item.what)).name) for item in items]
    if None in splits or len(set(splits)) < 2:
        return items, []
    said = ", ".join(f"{split}={Path(str(item.what)).name}" for item, split in zip(items, splits, strict=True))
    found = [Item(item.what, split) for item, split in zip(items, splits, strict=True)]
    return found, [f"the files' names are read as splits: {said}"]
