"""Where a version comes from: its ancestors, and the first of them that anything can be learnt from."""

from __future__ import annotations

from tilth.core.names import Split
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["beginning", "lineage"]


def lineage(repository: Repository, version: Version) -> list[Version]:
    """Return the versions from the source to this one."""
    chain = [version]
    while chain[0].parent is not None:
        chain.insert(0, repository.version(chain[0].parent))
    return chain


def beginning(repository: Repository, version: Version) -> Version:
    """Return what gains are measured from: the source, or, where no row of it had a label, the first labelled version."""
    source = repository.version(version.base)
    if _has_train_rows(repository, source):
        return source
    return next((one for one in lineage(repository, version) if _has_train_rows(repository, one)), source)


def _has_train_rows(repository: Repository, version: Version) -> bool:
    return bool(repository.dataset(version).mask(Split.TRAIN).any())
