"""A project's home: its folder, what tilth.yaml says, its store, and what looks back into it without fitting anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tilth.core.display import Displayed
from tilth.core.errors import ConfigError, UsageError
from tilth.loop import history
from tilth.loop.locations import absolute, refuse_own_files, writing
from tilth.loop.project_file import ProjectFile
from tilth.store.repository import Repository
from tilth.store.version import Version

if TYPE_CHECKING:
    from tilth.core.dataset import Dataset
    from tilth.loop.export import Exported

__all__ = ["ProjectHome"]


class ProjectHome(Displayed):
    """A folder with tilth.yaml and its store: versions, their differences, exports."""

    def __init__(self, folder: Path, file: ProjectFile, *, cut: bool = True, notes: Sequence[str] = ()) -> None:
        self.folder, self.file, self.notes = folder, file, tuple(notes)
        self._cut = cut

    def __repr__(self) -> str:
        """Show where the project is and what it learns."""
        return f"Project({str(self.folder)!r}, label={self.file.schema.task.label!r})"

    @property
    def has_run(self) -> bool:
        """Whether the source was ever read into the store."""
        return self._is_made and self.repository().latest is not None

    @property
    def store(self) -> str:
        """Where versions are kept: a folder, or the address of an object store."""
        return str(absolute(self.file.store, self.folder))

    @property
    def _is_made(self) -> bool:
        """Whether there may be a store: an object store needs no folder to be made."""
        return "://" in self.store or Path(self.store).is_dir()

    def repository(self, *, make: bool = False) -> Repository:
        """Return the project's store; raises ConfigError where there is none yet and none is to be made."""
        if not make and not self._is_made:
            raise self._not_run()
        return Repository(self.store, self.file.store_options, make=make)

    def _not_run(self) -> ConfigError:
        here = "" if str(self.folder) == "." else f" --dir {self.folder}"
        return ConfigError("this project has not run yet", where=str(self.folder), next_step=f"tilth run{here}")

    def _version(self, repository: Repository, name: str) -> Version:
        if name == "latest" and repository.latest is None:
            raise self._not_run()
        return repository.version(name)

    def writable(self, path: str | Path) -> Path:
        """Return a path to write a result to; raises UsageError where the source or the store lies there."""
        return refuse_own_files(Path(path), self.file.source, self.file.store, self.folder)

    # -- history -------------------------------------------------------------------------------------------------------

    def dataset(self, version: str = "latest") -> Dataset:
        """Return the rows of a version."""
        repository = self.repository()
        return repository.dataset(self._version(repository, version))

    def diff(self, before: str, after: str, *, with_metric: bool = True) -> history.VersionDiff:
        """Return what takes one version to another, and the change of the dev score (selected) where it can be measured."""
        from tilth.loop.dev_delta import dev_delta

        repository = self.repository()
        old, new = self._version(repository, before), self._version(repository, after)
        delta = dev_delta(self.file, repository, old, new) if with_metric else None
        return history.diff(repository, old, new, delta)

    def blame(self, row_id: str, version: str = "latest") -> history.Blame:
        """Return every edit that touched a row, with its reason and its trial."""
        repository = self.repository()
        return history.blame(repository, row_id, self._version(repository, version))

    def revert(self, edit_id: str) -> Version:
        """Make a version that is the current one without an edit."""
        repository = self.repository()
        with repository.lease:
            version = self._latest(repository)
            edit = history.find_edit(repository, edit_id).edit_id
            return history.revert(repository, history.applied(repository, version, edit) or edit)

    def tag(self, name: str, version: str = "latest") -> Version:
        """Give a version a name."""
        repository = self.repository()
        if not name.strip() or name == "latest" or name.startswith("v-"):
            raise UsageError(f"{name!r} cannot be a tag", next_step="choose a name that is not latest or a version id")
        with repository.lease:
            found = self._version(repository, version)
            repository.record("tag", {"name": name, "version": found.version})
            return found

    def export(self, version: str, path: str | Path) -> Exported:
        """Write a version's data, and the list of what changed and why beside it."""
        from tilth.loop.export import export

        repository = self.repository()
        found = self._version(repository, version)
        with writing(Path(path).parent):
            return export(repository, found, Path(path), check=self.writable)

    def last_summary(self) -> Mapping[str, Any] | None:
        """Return the recorded summary of the last run."""
        runs = self.repository().records("run")
        return runs[-1] if runs else None

    def _latest(self, repository: Repository) -> Version:
        """Return the current version, to be changed on a person's word."""
        from tilth.loop.reading import refuse_unfinished

        version = repository.latest
        if version is None:
            raise self._not_run()
        refuse_unfinished(repository)
        return version
