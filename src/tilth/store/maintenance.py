"""Housekeeping: remove what nothing reaches, and check that a store holds together.

What a collection removes, and what it keeps:

- A version stays while the current version or a tagged one goes back to it, by parents or as the source of a recipe.
- An edit stays while such a version, or any fact in the log, names it: an edit that was tried can be adopted later.
- Evidence stays while the newest held settings name it. All other evidence is a cache of which nobody can say whether
  a later run will ask for it: it goes, which costs that run time and never a result.
- Facts stay. What was destroyed is named by a tombstone, committed before anything is destroyed: what a collection
  that was killed has left, the next one removes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.errors import StoreCorruptError, TilthError, UnknownVersionError, first_three
from tilth.core.ids import content_id, content_sums
from tilth.core.names import ROW_ID
from tilth.store.commit_log import FORMAT
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["Check", "Collected", "collect_garbage", "examine"]

_SILENT = frozenset({"version", "head", "tombstone"})
"""Kinds of records that do not keep an edit: versions are asked themselves whether they stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """How many versions, edits and pieces of evidence were removed, and the bytes that this freed."""

    versions: int
    edits: int
    evidence: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at: its name, whether it is as it should be, and what was seen."""

    name: str
    ok: bool
    detail: str


# -- gc ----------------------------------------------------------------------------------------------------------------


def collect_garbage(repository: Repository) -> Collected:
    """Remove what nothing reaches and what killed writes left; takes the lease."""
    with repository.lease:
        before = _size(repository)
        versions, edits, evidence = _lost_versions(repository), _lost_edits(repository), _lost_evidence(repository)
        if versions or edits or evidence:
            repository.record("tombstone", {"versions": versions, "edits": edits, "evidence": len(evidence)})
        repository.lease.check()
        for edit_id in edits:
            repository.edits.delete(edit_id)
        for path in (file for files in evidence.values() for file in files):
            repository.objects.delete(path)
        _collect_rows(repository)
        staged = repository.objects.sweep()
        freed = max(0, before - _size(repository)) + staged
        return Collected(versions=len(versions), edits=len(edits), evidence=len(evidence), bytes=freed)


def _size(repository: Repository) -> int:
    return sum(one.size for one in repository.objects.entries())


def _reached(repository: Repository) -> dict[str, Version]:
    """Return the versions that the current one and the tagged ones go back to."""
    known = {version.version: version for version in repository.versions()}
    latest = repository.latest
    open_ = [*repository.tags().values(), *([] if latest is None else [latest.version])]
    found: dict[str, Version] = {}
    while open_:
        version = known[open_.pop()]
        if version.version not in found:
            found[version.version] = version
            open_ += [version.base, *([] if version.parent is None else [version.parent])]
    return found


def _lost_versions(repository: Repository) -> list[str]:
    reached = _reached(repository)
    return [version.version for version in repository.versions() if version.version not in reached]


def _lost_edits(repository: Repository) -> list[str]:
    named = {text for record in repository.log.records() if record.kind not in _SILENT for text in _texts(record.body)}
    named |= _edits_of(_reached(repository).values())
    return [edit_id for edit_id in repository.edits.ids() if edit_id not in named]


def _edits_of(versions: Iterable[Version]) -> set[str]:
    return {edit_id for version in versions for edit_id in (version.edit, *version.recipe) if edit_id is not None}


def _lost_evidence(repository: Repository) -> dict[str, list[str]]:
    """Return evidence that no held settings name: key -> its files."""
    held = {body.get("key"): body for body in repository.records("held")}  # the newest of each key
    named = {text for body in held.values() for text in _texts(body)}
    return {key: files for key, files in _evidence_files(repository).items() if key not in named}


def _evidence_files(repository: Repository) -> dict[str, list[str]]:
    """Return key -> files, of evidence of sets (a file each) and of rows (a folder each)."""
    found: dict[str, list[str]] = {}
    for entry in repository.objects.entries("evidence"):
        rest = entry.path.split("/")[2]
        found.setdefault(rest.partition(".")[0], []).append(entry.path)
    return found


def _collect_rows(repository: Repository) -> None:
    versions = repository.versions()
    numbers = {version.table_version for version in versions}
    if not numbers:
        return
    repository.table.cleanup(numbers)
    if len(numbers) > 1:
        return  # files written anew would lie beside those that the other versions still need
    before = numbers.pop()
    after = repository.table.compact(before)
    if after != before:
        for version in versions:
            repository.relocate(version, after)
        repository.table.cleanup([after])


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


# -- doctor ------------------------------------------------------------------------------------------------------------


def examine(repository: Repository) -> list[Check]:
    """Look at every part of a store and say what is as it should be; reads only, and raises nothing."""
    checks = [_check(repository, "format", _format), _check(repository, "log", _log)]
    if all(check.ok for check in checks):
        looks = {"names": _names, "versions": _versions, "edits": _edits, "content": _content, "recipe": _recipe}
        checks += [_check(repository, name, look) for name, look in (looks | {"orphans": _orphans}).items()]
    return [*checks, _check(repository, "lease", _lease)]


def _check(repository: Repository, name: str, look: Callable[[Repository], str]) -> Check:
    try:
        return Check(name=name, ok=True, detail=look(repository))
    except TilthError as error:
        return Check(name=name, ok=False, detail=error.message)
    except (LookupError, OSError, ValueError, RuntimeError, TypeError) as error:
        return Check(name=name, ok=False, detail=f"cannot be read: {type(error).__name__}: {error}"[:500])


def _format(repository: Repository) -> str:
    last = repository.log.last()
    return f"this tilth reads and writes format {FORMAT}" if last else "nothing was committed yet"


def _log(repository: Repository) -> str:
    return f"{len(repository.log.records()):,} records, none missing, none changed"


def _names(repository: Repository) -> str:
    latest = repository.latest
    tags = [repository.version(name).version for name in repository.tags()]
    return f"the current version is {latest.version if latest else 'none'}; {len(tags):,} tags"


def _versions(repository: Repository) -> str:
    versions = {version.version: version for version in repository.versions()}
    wrong = []
    for version in versions.values():
        if version.base not in versions or version.parent not in {None, *versions}:
            wrong.append(f"{version.version} has lost its parent or source")
            continue
        try:
            n_rows = repository.table.at(version.table_version).n_rows
        except (TilthError, ValueError) as error:
            wrong.append(f"the rows of {version.version} cannot be read ({error})"[:300])
            continue
        if n_rows != version.rows:
            wrong.append(f"{version.version} has {n_rows:,} rows instead of {version.rows:,}")
    _refuse(wrong)
    return f"{len(versions):,} versions with their rows"


def _edits(repository: Repository) -> str:
    wrong, needed = [], _edits_of(repository.versions())
    for edit_id in sorted(needed | set(repository.edits.ids())):
        try:
            repository.edit(edit_id)
        except UnknownVersionError:
            if edit_id in needed:  # others are what a killed write left
                wrong.append(f"edit {edit_id} is lost")
        except StoreCorruptError as error:
            wrong.append(error.what)
    _refuse(wrong)
    return f"{len(needed):,} edits of versions, all readable"


def _content(repository: Repository) -> str:
    head = repository.latest
    if head is None:
        return "no version yet"
    dataset = repository.dataset(head)
    total = {name: np.zeros(2, dtype=np.uint64) for name in head.sums}
    for block in dataset.rows.blocks(dataset.column_names):
        for name, pair in content_sums(block, ROW_ID).items():
            total[name] = total[name] + np.array(pair, dtype=np.uint64)
    sums = {name: (int(pair[0]), int(pair[1])) for name, pair in total.items()}
    differing = [name for name in sums if sums[name] != head.sums[name]]
    _refuse([f"cells of column {name!r} of {head.version} are not what was committed" for name in differing])
    return _same_content(head, sums, "the cells")


def _recipe(repository: Repository) -> str:
    head = repository.latest
    if head is None:
        return "no version yet"
    source = repository.dataset(repository.version(head.base)).read()
    rebuilt: pa.Table = repository.recipe(head).replay(source).table
    return _same_content(head, content_sums(rebuilt, ROW_ID), f"the source and {len(head.recipe):,} edits")


def _same_content(head: Version, sums: dict[str, tuple[int, int]], of: str) -> str:
    found = content_id(sums, head.schema.to_dict())
    _refuse([f"{of} of {head.version} give {found} instead of {head.content}"] if found != head.content else [])
    return f"{of} of {head.version} give {head.content}, as recorded"


def _orphans(repository: Repository) -> str:
    named = {version.table_version for version in repository.versions()}
    lying = [number for number in repository.table.versions() if number not in named] if named else []
    edits = _lost_edits(repository)
    return f"{len(lying):,} versions of the table and {len(edits):,} edits that no record names; tilth gc removes them"


def _lease(repository: Repository) -> str:
    holder = repository.lease.holder()
    return "free" if holder is None else f"held by {holder}"


def _refuse(wrong: list[str]) -> None:
    if wrong:
        raise StoreCorruptError(
            first_three(wrong),
            next_step="put the store back from a copy, or go back to a whole version with `tilth revert`",
        )
