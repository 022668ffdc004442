"""Models for those who only read: what a run has held is used as it is, and only what must be chosen anew asks for the right to write.

The model of a version is the one that its run measured: the seed is that run's, whatever tilth.yaml says since.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from tilth.core.progress import Progress, silent
from tilth.engine.threads import one_thread
from tilth.loop.project_file import ProjectFile
from tilth.loop.slices import DeclaredSlice
from tilth.loop.workshop import Workshop
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["reading_workshop"]


@contextmanager
def reading_workshop(
    file: ProjectFile,
    repository: Repository,
    version: Version,
    *,
    seed: int | None = None,
    progress: Progress = silent,
    slices: Sequence[DeclaredSlice] = (),
) -> Iterator[Workshop]:
    """Yield the workshop that has a version's model, by the last run's seed unless one is given.

    Where tilth.yaml names other encoders or another learner since, they are chosen now and held, which takes the lease;
    StoreLockedError then says who else holds it.
    """
    number = _seed_of_last_run(repository, file) if seed is None else seed
    workshop = Workshop(file, repository, seed=number, progress=progress, slices=slices)
    with ExitStack() as stack:
        if workshop._held(version) is None:  # noqa: SLF001 - asked before anything is fitted in vain
            stack.enter_context(repository.lease)
        stack.enter_context(one_thread())
        yield workshop


def _seed_of_last_run(repository: Repository, file: ProjectFile) -> int:
    runs = repository.records("run")
    return int(runs[-1]["summary"]["seed"]) if runs else file.seed
