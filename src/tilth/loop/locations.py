"""Where a project's files lie: the source as tilth.yaml writes it, and the files that no output may overwrite."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tilth.core.errors import SourceError, TilthError, UsageError
from tilth.store.objects import machine_error

__all__ = ["FILE", "STORE", "absolute", "refuse_own_files", "relative", "source_name", "writing"]

FILE = "tilth.yaml"
STORE = ".tilth"
"""Where versions are kept unless tilth.yaml names another place."""


def relative(location: Any, home: Path) -> Any:
    """Return paths as tilth.yaml writes them: relative to the project's folder where they are local files."""
    if isinstance(location, Mapping):
        return {name: relative(one, home) for name, one in location.items()}
    if isinstance(location, list | tuple):
        return tuple(relative(one, home) for one in location)
    if "://" in location:
        return location
    path = Path(location).expanduser()
    if not path.exists():
        raise SourceError(f"there is no {location!r}", next_step="check the path")
    try:
        return path.resolve().relative_to(home.resolve()).as_posix()
    except ValueError:
        return Path(os.path.relpath(path.resolve(), home.resolve())).as_posix()


def absolute(source: Any, home: Path) -> Any:
    """Return the source of tilth.yaml as it is opened from anywhere."""
    if isinstance(source, Mapping):
        return {name: absolute(one, home) for name, one in source.items()}
    if isinstance(source, list | tuple):
        return [absolute(one, home) for one in source]
    return source if "://" in source else str(home / source)


def source_name(source: Any) -> str:
    """Return the source on one line."""
    if isinstance(source, Mapping):
        return ", ".join(f"{name}={source_name(one)}" for name, one in source.items())
    return source if isinstance(source, str) else ", ".join(map(str, source))


def refuse_own_files(path: Path, source: Any, store: str, home: Path) -> Path:
    """Return a path to write a result to, its folder made; raises UsageError where the project itself lies there."""
    target = path.expanduser().resolve()
    what = _own(target, source, store, home.resolve())
    if what:
        raise UsageError(
            f"{str(path)!r} is {what}, which is never overwritten", next_step="name another file to write to"
        )
    if path.is_dir():
        raise UsageError(f"{str(path)!r} is a folder", next_step="name a file in it")
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    return path


@contextmanager
def writing(where: Path) -> Iterator[None]:
    """Turn what the operating system says of writing to a place into a refusal."""
    try:
        yield
    except TilthError:
        raise
    except (FileExistsError, NotADirectoryError) as error:
        raise UsageError("a file is where a folder is needed", where=str(where), next_step="name a folder") from error
    except OSError as error:
        raise machine_error(error, str(where)) from error


def _own(target: Path, source: Any, store: str, home: Path) -> str:
    if target == home / FILE:
        return "the project's file"
    kept = (home / store).resolve()
    if "://" not in store and kept in (target, *target.parents):
        return "inside the project's store"
    sources = [Path(one).resolve() for one in _flat(absolute(source, home)) if "://" not in one]
    inside = any(target == one or (one.is_dir() and one in target.parents) for one in sources)
    return "part of the source" if inside else ""


def _flat(source: Any) -> list[str]:
    if isinstance(source, Mapping):
        return [path for one in source.values() for path in _flat(one)]
    return [source] if isinstance(source, str) else [path for one in source for path in _flat(one)]
