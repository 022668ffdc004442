"""Bytes under names: one face for a local folder and an object store.

A write is seen whole or not at all. obstore writes a local file under a staged name (`name#1`) and then
renames it, or links it when the name must be free; S3 does both on the server (`If-None-Match: *`). A
process that is killed leaves at most a staged file, which listings skip and `sweep` removes.
"""

from __future__ import annotations

import errno
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import obstore
import pyarrow as pa
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    UnauthenticatedError,
    UnknownConfigurationKeyError,
)
from obstore.store import LocalStore, from_url

from tilth.core.errors import ConfigError, MachineError, ProjectNotFoundError, StoreNotWritableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["ObjectExistsError", "ObjectStore", "StoredObject", "machine_error"]

_CLIENT_OPTIONS = frozenset(
    {"allow_http", "allow_invalid_certificates", "connect_timeout", "proxy_url", "timeout", "user_agent"}
)
"""Options of the HTTP client, which obstore takes apart from those of the store."""
_PARALLEL_READS = 16
_STAGED = re.compile(r".+#\d+$")
_OS_ERROR = re.compile(r"\(?os error (\d+)\)?")
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}
_FULL = {errno.ENOSPC, errno.EDQUOT}
_NO_LINKS = {errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


class ObjectExistsError(FileExistsError):
    """The name was taken: someone else has put an object there first."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One entry of a listing: its name and its size in bytes."""

    path: str
    size: int


class ObjectStore:
    """Objects by name in a local folder or under an object-store URL.

    Parameters
    ----------
    root : a folder, or a URL such as s3://bucket/prefix
    options : store options as Lance names them: aws_endpoint, aws_region, allow_http, …
    make : make the local folder where it is missing; else that is refused
    """

    def __init__(self, root: str | Path, options: Mapping[str, str] | None = None, *, make: bool = True) -> None:
        self.options = dict(options or {})
        self.folder = _local_folder(root)
        if self.folder is None:
            self.root = str(root).rstrip("/")
            self._store = _remote(self.root, self.options)
            return
        self.root = str(self.folder)
        if not make and not self.folder.is_dir():
            raise ProjectNotFoundError(
                "there is no store here", where=self.root, next_step="start one with `tilth init`"
            )
        with self._mapped(""):
            self._store = LocalStore(self.folder, mkdir=True)

    def uri(self, path: str) -> str:
        """Return the address of an object as Lance wants it: a file path or a URL."""
        return str(self.folder.joinpath(*path.split("/"))) if self.folder else f"{self.root}/{path}"

    def get(self, path: str) -> bytes:
        """Return an object's bytes; raise FileNotFoundError where there is none."""
        with self._mapped(path):
            return bytes(obstore.get(self._store, path).bytes())

    def get_many(self, paths: Sequence[str]) -> list[bytes]:
        """Return the bytes of many objects in the given order; remote reads run side by side."""
        if self.folder is not None:
            return [self._read_file(path) for path in paths]
        with ThreadPoolExecutor(_PARALLEL_READS) as pool:
            return list(pool.map(self.get, paths))

    def buffer(self, path: str) -> pa.Buffer:
        """Return an object as an Arrow buffer: mapped where it is a file, else read into memory."""
        with self._mapped(path):
            if self.folder is not None:
                with pa.memory_map(self.uri(path)) as mapped:
                    return mapped.read_buffer()
            return pa.py_buffer(obstore.get(self._store, path).bytes())

    def put(self, path: str, data: bytes | Iterable[bytes | memoryview]) -> None:
        """Write an object (bytes or a row of pieces), replacing what was there."""
        with self._mapped(path, writing=True):
            obstore.put(self._store, path, data if isinstance(data, bytes) else iter(data))

    def create(self, path: str, data: bytes) -> None:
        """Write an object under a free name; raise ObjectExistsError where the name is taken."""
        with self._mapped(path, writing=True):
            obstore.put(self._store, path, data, mode="create")

    def entries(self, prefix: str = "", *, after: str | None = None) -> list[StoredObject]:
        """Return the objects below a folder-like prefix by name; with `after`, only those past it."""
        with self._mapped(prefix):
            found = obstore.list(self._store, prefix or None, offset=after, chunk_size=1000).collect()
        return sorted((StoredObject(meta["path"], meta["size"]) for meta in found), key=lambda one: one.path)

    def exists(self, path: str) -> bool:
        """Say whether there is an object of that name."""
        try:
            with self._mapped(path):
                obstore.head(self._store, path)
        except FileNotFoundError:
            return False
        return True

    def delete(self, path: str) -> None:
        """Remove an object; a missing one is no error."""
        try:
            with self._mapped(path):
                obstore.delete(self._store, path)
        except FileNotFoundError:
            return

    def sweep(self) -> int:
        """Remove the staged files of killed writers and return their bytes; for the one writer only."""
        freed = 0
        for file in self.folder.rglob("*") if self.folder else ():
            if _STAGED.match(file.name) and file.is_file():
                freed += file.stat().st_size
                file.unlink(missing_ok=True)
        return freed

    def _read_file(self, path: str) -> bytes:
        with self._mapped(path):
            return Path(self.uri(path)).read_bytes()

    @contextmanager
    def _mapped(self, path: str, *, writing: bool = False) -> Iterator[None]:
        where = self.uri(path) if path else self.root
        try:
            yield
        except AlreadyExistsError as error:
            raise ObjectExistsError(f"{where} exists") from error
        except FileNotFoundError as error:
            if not writing:
                raise
            raise MachineError(
                "the place to write to does not exist",
                where=where,
                next_step="make the bucket or folder first",
            ) from error
        except (BaseError, OSError) as error:
            raise machine_error(error, where) from error


def machine_error(error: BaseException, where: str) -> MachineError:
    """Return the refusal that fits what the operating system or the object store said."""
    text = str(error).strip()
    said = _OS_ERROR.search(text)
    code = int(said[1]) if said else getattr(error, "errno", None)
    if code in _FULL:
        return StoreNotWritableError(
            "the disk is full; what was committed before is whole",
            where=where,
            next_step="free some space (`tilth gc` removes what no version needs), then run again",
        )
    if code in _DENIED or isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return StoreNotWritableError(
            "access is denied or the place is read-only",
            where=where,
            next_step="get permission to write there, or name another folder with --dir",
        )
    if code in _NO_LINKS:
        return StoreNotWritableError(
            "this file system has no hard links, so two writers could not be kept apart",
            where=where,
            next_step="put the project on a local disk or an object store",
        )
    first_line = text.splitlines()[0][:300] if text else type(error).__name__
    return MachineError(
        f"the store does not answer as it should: {first_line}",
        where=where,
        next_step="check the address, the credentials and the connection",
    )


def _local_folder(root: str | Path) -> Path | None:
    text = str(root)
    if text.startswith("file://"):
        text = unquote(urlsplit(text).path)
    return None if "://" in text else Path(text).expanduser().absolute()


def _remote(url: str, options: Mapping[str, str]) -> Any:
    client: dict[str, Any] = {}
    config: dict[str, Any] = {}
    for name, value in options.items():
        if name in _CLIENT_OPTIONS:
            client[name] = value.lower() == "true" if name.startswith("allow_") else value
        else:
            config[name] = value
    try:
        return from_url(url, config=config, client_options=client)  # type: ignore[call-overload]
    except (BaseError, ValueError, UnknownConfigurationKeyError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ConfigError(
            f"this address or one of its options is not understood: {reason}",
            where=url,
            next_step="write s3://bucket/prefix, gs://… or az://…, and the options as in the documentation",
        ) from error
