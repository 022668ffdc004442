"""The bytes of a source: found, fetched from disk or object store, unpacked, decoded."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

from tilth.core.errors import SourceError, did_you_mean

__all__ = ["Content", "decode", "fetch", "is_url", "local_path", "suffix_of", "without_secrets"]

_PACKED = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
_URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.\-]+://")
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, kw_only=True)
class Content:
    """One file's bytes as they lie, and the name under which the user knows it."""

    name: str
    buffer: pa.Buffer

    @property
    def size(self) -> int:
        """Bytes as they lie, packed or not."""
        return int(self.buffer.size)

    @cached_property
    def digest(self) -> str:
        """BLAKE2b of the bytes as they lie: equal exactly when nothing changed."""
        return blake2b(self.buffer, digest_size=16).hexdigest()

    @cached_property
    def unpacked(self) -> pa.Buffer:
        """The bytes after gzip, bzip2 or zstd, as the suffix says."""
        packing = _PACKED.get(_posix(self.name).suffix.lower())
        if packing is None:
            return self.buffer
        try:
            with pa.CompressedInputStream(pa.BufferReader(self.buffer), packing) as stream:
                return pa.py_buffer(stream.read())
        except OSError as problem:
            raise SourceError(
                f"cannot be unpacked as {packing}: {problem}",
                where=self.name,
                next_step="fetch or pack it again",
            ) from problem


def fetch(source: str | Path, relative_to: Path | None = None) -> Content:
    """Return the whole content of a path or URL; raises SourceError if it is missing, unreadable or empty."""
    name = str(source)
    filesystem, where = _locate(name, relative_to)
    try:
        info = filesystem.get_file_info(where)
        if info.type == fs.FileType.NotFound:
            raise _missing(name, where, filesystem)
        if info.type == fs.FileType.Directory:
            raise SourceError("is a folder, not a file", where=name, next_step="name the files in it")
        with filesystem.open_input_file(where) as file:
            buffer = file.read_buffer()
    except OSError as problem:
        raise SourceError(
            f"cannot be read: {problem}",
            where=name,
            next_step="check the path, the rights and the connection",
        ) from problem
    if buffer.size == 0:
        raise SourceError("the file is empty", where=name, next_step="check how it was written")
    return Content(name=name, buffer=buffer)


def is_url(source: str) -> bool:
    """Whether this names an object store rather than a path."""
    return bool(_URL.match(source))


def local_path(source: str | Path, relative_to: Path | None = None) -> Path:
    """Return where a local source lies; relative paths start at `relative_to`, else the current folder."""
    path = Path(source).expanduser()
    return path if path.is_absolute() or relative_to is None else relative_to / path


def suffix_of(name: str) -> str:
    """Return the suffix that says the format, in small letters, looking through .gz, .bz2 and .zst."""
    path = _posix(name)
    if path.suffix.lower() in _PACKED:
        path = path.with_suffix("")
    return path.suffix.lower()


def without_secrets(url: str) -> str:
    """Return the URL; raises SourceError if it carries a password, for it would be written down."""
    if urlsplit(url).password is not None:
        raise SourceError(
            "the URL carries credentials, which would be written to tilth.yaml",
            where=str(urlsplit(url).scheme) + "://…",
            next_step="take them out and give them by environment variables",
        )
    return url


def decode(content: Content, encoding: str | None) -> str:
    """Return a file's text; a byte-order mark overrules `encoding`, which is UTF-8 if None."""
    data = content.unpacked.to_pybytes()
    chosen = "utf-16" if data.startswith(_UTF16_MARKS) else encoding or "utf-8"
    if data.startswith(codecs.BOM_UTF8):
        data, chosen = data.removeprefix(codecs.BOM_UTF8), "utf-8"
    try:
        return str(data, chosen)
    except LookupError as problem:
        raise SourceError(
            f"no encoding is called {chosen!r}",
            where=content.name,
            next_step="utf-8, latin-1 and cp1252 are common",
        ) from problem
    except UnicodeDecodeError as problem:
        raise _undecodable(problem, data, chosen, content.name) from problem


def _undecodable(problem: UnicodeDecodeError, data: bytes, encoding: str, name: str) -> SourceError:
    line = data.count(b"\n", 0, problem.start) + 1
    column = problem.start - data.rfind(b"\n", 0, problem.start)
    hint = "it looks like a Parquet file; " if data[:4] == b"PAR1" else ""
    return SourceError(
        f"line {line:,} is not {encoding}: byte 0x{data[problem.start]:02x} at position {column:,} of it",
        where=name,
        next_step=f"{hint}save it as UTF-8, e.g. iconv -f cp1252 -t utf-8 OLD > NEW",
    )


def _posix(name: str) -> PurePosixPath:
    return PurePosixPath(urlsplit(name).path if is_url(name) else Path(name).as_posix())


def _locate(name: str, relative_to: Path | None) -> tuple[fs.FileSystem, str]:
    if not is_url(name):
        return fs.LocalFileSystem(), str(local_path(name, relative_to))
    try:
        filesystem, where = fs.FileSystem.from_uri(without_secrets(name))
    except (pa.ArrowInvalid, ImportError, NotImplementedError) as problem:
        raise SourceError(
            f"this kind of URL cannot be read: {problem}",
            where=name,
            next_step="use s3://, gs://, abfs://, hdfs:// or file://, or download the file first",
        ) from problem
    return filesystem, where


def _missing(name: str, where: str, filesystem: fs.FileSystem) -> SourceError:
    parent = PurePosixPath(where).parent
    selector = fs.FileSelector(str(parent), allow_not_found=True)
    siblings = [info.base_name for info in filesystem.get_file_info(selector)]
    if isinstance(filesystem, fs.LocalFileSystem) and not Path(parent).is_dir():
        return SourceError(f"no folder {str(parent)!r}", where=name, next_step="check the path")
    what = f"no such file.{did_you_mean(PurePosixPath(where).name, siblings)}"
    return SourceError(what, where=name, next_step="check the path")
