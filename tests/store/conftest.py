"""A store that is held for writing, with one source in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import store_world as world

from tilth.store.repository import Repository
from tilth.store.version import Version


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    opened = Repository(tmp_path / "store", make=True)
    with opened.lease:
        yield opened


@pytest.fixture
def base(repository: Repository) -> Version:
    return repository.commit_source(world.source(), world.SCHEMA, world.FACTS)


@pytest.fixture
def store(tmp_path: Path) -> Repository:
    """A store with a source and two edits, which nobody holds."""
    world.commit_all(tmp_path / "store")
    return Repository(tmp_path / "store")


@pytest.fixture
def latest(store: Repository) -> Version:
    return store.version("latest")
