"""The collection brief of a project's slice by its name: a declared one, or one that the last run discovered."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tilth.core.collection_brief import CollectionBrief
from tilth.core.errors import NotApplicable, UsageError, did_you_mean
from tilth.core.progress import Progress
from tilth.core.slice import Slice
from tilth.loop.collection import collection_brief
from tilth.loop.declared_rows import declared_rows
from tilth.loop.declaring import known_slices
from tilth.loop.held import reading_workshop
from tilth.loop.project_file import ProjectFile
from tilth.loop.slices import DeclaredSlice, is_judgeable, shown_rule
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["brief_of"]


def brief_of(
    file: ProjectFile,
    folder: Path,
    repository: Repository,
    version: Version,
    name: str,
    *,
    wanted: float,
    progress: Progress,
) -> CollectionBrief:
    """Return what to gather for a slice, by its learning curve inside the train rows of a version.

    Parameters
    ----------
    file, folder, repository, version : the project, and the version whose rows are learnt from
    name : of the slice
    wanted : gain of the slice's score for which a number of rows is sought
    progress : told of each fit

    Raises
    ------
    UsageError : no such slice
    NotApplicable : fewer than 60 labelled train rows are in it, or they were chosen by whether the model is right
    """
    slices = known_slices(file, folder, repository, progress)
    with reading_workshop(file, repository, version, progress=progress, slices=slices) as workshop:
        found, notes = declared_rows(workshop, version)
        by_name = {one.name: (one, rows) for one, rows in found}
        if name not in by_name:
            _refuse(name, by_name, notes)
        one, rows = by_name[name]
        if not is_judgeable(one, version.schema):
            raise NotApplicable(
                f"the rows of slice {name!r} were chosen by whether the model is right: nobody can gather such rows"
            )
        bench = workshop.bench(version)
        rule = _said(one, shown_rule(one, version.schema), slices)
        return collection_brief(bench, name, rule, rows[bench.train_positions], wanted=wanted, progress=progress)


def _refuse(name: str, known: Iterable[str], notes: list[str]) -> None:
    left_out = [note for note in notes if note.startswith(f"slice {name!r} ")]
    if left_out:
        raise NotApplicable(left_out[0])
    what = f"no slice is called {name!r}.{did_you_mean(name, list(known))}"
    raise UsageError(what, next_step="tilth slices lists them")


def _said(one: Slice, rule: str, slices: tuple[DeclaredSlice, ...]) -> str:
    """Return which rows are meant, behind the word "rows"."""
    if one.region is not None:
        return f"like: {one.region.title}" if one.region.title else "of the region"
    if any(each.name == one.name and each.function is not None for each in slices):
        return f"for which {one.rule} holds"
    return f"where {rule}" if rule else "of the slice, whose rule is not shown"
