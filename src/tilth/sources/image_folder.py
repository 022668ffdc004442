"""Folders of images: one folder per class, under one folder per split if there is one.

    root/cat/1.png   or   root/train/cat/1.png

Columns: `image` (the encoded bytes), `label` (the class folder, missing for images outside of one), `path`,
and the split folder's name where there is one. Broken images make no row; they are named.

Source: the layout of ImageNet's archives, Deng, Dong, Socher, Li, Li, Fei-Fei (2009), ImageNet, CVPR.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import pyarrow as pa

from tilth.core.errors import SourceError, first_three
from tilth.core.names import SPLIT
from tilth.sources._content import local_path
from tilth.sources._images import IMAGE_SUFFIXES, read_image, why_each_broken
from tilth.sources._splits import is_split_name
from tilth.sources._tables import BrokenImage, Rows, binary_column

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FolderRows", "ImageFolder", "holds_images", "parse_image_folder"]


class FolderRows(NamedTuple):
    """The rows of a folder, and what identifies all of its images together."""

    rows: Rows
    size: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFolder:
    """Read a folder of images in class folders.

    Parameters
    ----------
    path : str
        The folder.

    Raises
    ------
    SourceError
        No such folder, no images in it, or all of them broken.
    """

    revision: ClassVar[int] = 1
    path: str

    @classmethod
    def example(cls) -> ImageFolder:
        """Return an instance to look at; its folder need not exist."""
        return cls(path="photos")

    def read(self) -> pa.Table:
        """Return one row per readable image, ordered by path."""
        return parse_image_folder(local_path(self.path), self.path).rows.table


def holds_images(folder: Path) -> bool:
    """Whether there is an image anywhere below."""
    return any(path.suffix.lower() in IMAGE_SUFFIXES and path.is_file() for path in folder.rglob("*"))


def parse_image_folder(folder: Path, name: str) -> FolderRows:
    """Return the rows of an image folder."""
    if not folder.is_dir():
        raise SourceError("no such folder", where=name, next_step="check the path")
    images, others = _files(folder)
    if not images:
        raise SourceError(
            "no images in the folder", where=name, next_step=f"known are {', '.join(sorted(IMAGE_SUFFIXES))}"
        )
    paths = [path.relative_to(folder).as_posix() for path in images]
    read = [read_image(path) for path in images]
    data = [content or b"" for content, _ in read]
    reasons = [why or found for (_, why), found in zip(read, why_each_broken(data), strict=True)]
    broken = tuple(BrokenImage(None, path, why) for path, why in zip(paths, reasons, strict=True) if why)
    kept = [position for position, why in enumerate(reasons) if not why]
    if not kept:
        raise SourceError(f"all {len(paths):,} images are broken", where=name, next_step=f"first: {broken[0].why}")
    table = _table([paths[k] for k in kept], [data[k] for k in kept], _has_splits(paths))
    warnings = [f"{name}: {len(others):,} files are no images: {first_three(others)}"] if others else []
    if broken:
        warnings.append(f"{name}: {len(broken):,} images cannot be read: {first_three(b.path for b in broken)}")
    return FolderRows(Rows(table, tuple(warnings), broken), sum(map(len, data)), _digest(paths, data))


def _files(folder: Path) -> tuple[list[Path], list[str]]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not _is_hidden(path.relative_to(folder)))
    images = [path for path in files if path.suffix.lower() in IMAGE_SUFFIXES]
    others = [path.relative_to(folder).as_posix() for path in files if path.suffix.lower() not in IMAGE_SUFFIXES]
    return images, others


def _is_hidden(path: Path) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in path.parts)


def _has_splits(paths: list[str]) -> bool:
    """Whether the top folders are splits: one has a split's name, all images lie in class folders below."""
    tops = {path.split("/")[0] for path in paths}
    return any(is_split_name(top) for top in tops) and all(path.count("/") >= 2 for path in paths)


def _table(paths: list[str], data: list[bytes], has_splits: bool) -> pa.Table:
    level = int(has_splits)
    folders = [path.split("/")[:-1] for path in paths]
    columns = {
        "image": binary_column(data),
        "label": pa.array([parts[level] if len(parts) > level else None for parts in folders], pa.string()),
        "path": pa.array(paths, pa.string()),
    }
    if has_splits:
        columns[SPLIT] = pa.array([parts[0] for parts in folders], pa.string())
    return pa.table(columns)


def _digest(paths: list[str], data: list[bytes]) -> str:
    total = blake2b(digest_size=16)
    for path, content in zip(paths, data, strict=True):
        total.update(path.encode() + b"\0" + blake2b(content, digest_size=16).digest())
    return total.hexdigest()
