"""The pair of versions that a gate compares."""

from __future__ import annotations

from tilth.core.errors import UsageError
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["refuse_other_schema", "version_before"]


def version_before(repository: Repository, version: Version) -> Version | None:
    """Return the version that one was made from; for a source, the version that was current before it was read."""
    if version.parent is not None:
        return repository.version(version.parent)
    heads = [body["version"] for body in repository.records("head")]
    at = heads.index(version.version) if version.version in heads else 0
    return repository.version(heads[at - 1]) if at > 0 and heads[at - 1] != version.version else None


def refuse_other_schema(version: Version, against: Version | None) -> None:
    """Raise UsageError where two versions have other columns or classes."""
    if against is not None and against.schema != version.schema:
        what = f"{against.version} and {version.version} have other columns or classes: their models cannot be compared"
        raise UsageError(what, next_step="name a version of the same label set and columns: --against VERSION")
