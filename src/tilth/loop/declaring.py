"""A discovered slice that a person confirms becomes a declared one: a line of tilth.yaml, and a file beside it where it is a region.

It is a slice of the last run: of those that the run discovered in train. From the next run on it is evaluated on every version,
guarded, and named in conditions and stress tests, as any declared slice is. Without its line it is declared no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tilth.core.errors import ConfigError, TilthError, UsageError, did_you_mean, first_three
from tilth.core.progress import Progress, silent
from tilth.core.project_slice import ProjectSlice
from tilth.core.slice import Slice
from tilth.core.summary import RunSummary, SliceLine
from tilth.engine.predicate import Predicate
from tilth.loop._project import SliceChoice
from tilth.loop._slice_lines import with_slice
from tilth.loop.found import Found
from tilth.loop.held import reading_workshop
from tilth.loop.kept_slices import KeptSlice, kept_slices, version_of_last_run
from tilth.loop.locations import FILE, writing
from tilth.loop.project_file import ProjectFile, parse
from tilth.loop.quarantine import Quarantine
from tilth.loop.region_files import free_path, region_text
from tilth.loop.sliced import slices_of
from tilth.loop.slices import DeclaredSlice, declared_slices, shown_rule
from tilth.store.repository import Repository

__all__ = ["declare_slice", "discovered_slices", "known_slices", "project_slices", "told_slices"]


def discovered_slices(
    file: ProjectFile, folder: Path, repository: Repository, progress: Progress = silent
) -> tuple[KeptSlice, ...]:
    """Return the slices that the last run discovered, surest first; looked for again where they were not kept."""
    version = version_of_last_run(repository)
    kept = kept_slices(repository, version)
    if kept is not None:
        return kept
    declared = declared_slices(file, folder)
    with reading_workshop(file, repository, version, progress=progress, slices=declared) as workshop:
        slices_of(Found(workshop=workshop, version=version, findings=(), quarantine=Quarantine()), progress)
    return kept_slices(repository, version) or ()


def declare_slice(
    folder: Path,
    file: ProjectFile,
    repository: Repository,
    name: str,
    *,
    as_: str | None = None,
    progress: Progress = silent,
) -> tuple[ProjectSlice, ProjectFile]:
    """Write a discovered slice of the last run into tilth.yaml, and return it with what the file says now.

    Parameters
    ----------
    folder, file, repository : the project
    name : of the slice, as the run calls it
    as_ : what it is to be called; its name where nothing is said
    progress : told where slices are looked for again

    Raises
    ------
    ConfigError : there is no run, or tilth.yaml has changed meanwhile, or its slices stand on one line
    UsageError : no such slice, it is declared already, its new name is taken, or its rule would quote cells that are not shown
    """
    found = discovered_slices(file, folder, repository, progress)
    declared = declared_slices(file, folder)
    taken = {one.name: one.written for one in declared}
    one = _named(name, found, taken)
    own = name if as_ is None else as_.strip()
    if not own:
        raise UsageError("a slice needs a name", next_step="--as NAME")
    if own in taken:
        raise UsageError(
            f"a slice called {own!r} is declared already, in {taken[own]}", next_step="give this one another: --as NAME"
        )
    if one.where and not shown_rule(one, file.schema):
        raise UsageError(
            f"the rule of slice {name!r} quotes cells of a column that is not shown",
            next_step="write it into tilth.yaml by hand, if it may stand there",
        )
    choice, after = _written(folder, file, one, own)
    rule = shown_rule(one, file.schema)
    line = next(each for each in after.slices if each.name == own)
    told = ProjectSlice(name=own, rule=rule, words=one.summary, is_declared=True, written=line.where_written)
    return (replace(told, rule=f"{rule} ({choice.region})") if choice.region else told), after


def _named(name: str, found: Sequence[KeptSlice], taken: Mapping[str, str]) -> Slice:
    known = {one.slice.name: one.slice for one in found}
    if name in known:
        return known[name]
    if name in taken:
        raise UsageError(f"slice {name!r} is declared already, in {taken[name]}", next_step="tilth slices lists them")
    if not known:
        raise UsageError(
            f"no slice is called {name!r}: the last run discovered none", next_step="write one under slices: by hand"
        )
    listed = first_three([repr(one) for one in known])
    what = f"the last run discovered no slice called {name!r}.{did_you_mean(name, known)}"
    raise UsageError(what, where=f"it discovered {listed}", next_step="tilth slices lists them")


def _written(folder: Path, file: ProjectFile, one: Slice, name: str) -> tuple[SliceChoice, ProjectFile]:
    """Write the slice, and return its line with what the file says now; where that fails everything is as it was."""
    path = folder / FILE
    text = path.read_text(encoding="utf-8")
    if parse(text, str(path)) != file:
        raise ConfigError("tilth.yaml has changed meanwhile", where=str(path), next_step="do this again")
    region = free_path(folder, name) if one.region is not None else None
    relative = "" if region is None else region.relative_to(folder).as_posix()
    choice = SliceChoice(name=name, where=one.where, region=relative)
    after = with_slice(text, choice)
    said = replace(parse(after, str(path)), home=file.home)
    if said.slices != (*file.slices, choice):
        raise ConfigError("the slice cannot be written into this file", where=f"{path}, slices", next_step="by hand")
    with writing(folder):
        if region is not None and one.region is not None:
            region.parent.mkdir(exist_ok=True)
            region.write_text(region_text(one.region), encoding="utf-8")
        path.write_text(after, encoding="utf-8")
    return choice, said


# -- slices as if they were declared ------------------------------------------------------------------------------------


def known_slices(
    file: ProjectFile, folder: Path, repository: Repository, progress: Progress = silent
) -> tuple[DeclaredSlice, ...]:
    """Return the declared slices, then those that the last run discovered and nobody has declared since."""
    return _with_found(declared_slices(file, folder), discovered_slices(file, folder, repository, progress))


def told_slices(
    file: ProjectFile, folder: Path, repository: Repository
) -> tuple[tuple[DeclaredSlice, ...], tuple[str, ...]]:
    """Return the slices that are told of new rows, and why there are none; nothing is looked for anew, and nothing refused."""
    found: Sequence[KeptSlice] | None = ()
    if repository.records("run"):
        found = kept_slices(repository, version_of_last_run(repository))
    try:
        return _with_found(declared_slices(file, folder), found or ()), ()
    except TilthError as refusal:
        return (), (f"slices are not told: {refusal.message}",)


def _with_found(declared: Sequence[DeclaredSlice], found: Sequence[KeptSlice]) -> tuple[DeclaredSlice, ...]:
    own, rules = {one.name for one in declared}, {one.where for one in declared if one.where}
    return (*declared, *(_as_declared(one.slice) for one in found if _is_new(one, own, rules)))


def _as_declared(one: Slice) -> DeclaredSlice:
    where = "discovered by the last run"
    return DeclaredSlice(name=one.name, where=one.where, region=one.region, written=where, is_discovered=True)


# -- what slices there are ---------------------------------------------------------------------------------------------


def project_slices(file: ProjectFile, folder: Path, repository: Repository) -> tuple[ProjectSlice, ...]:
    """Return the declared slices, then those that the last run discovered, with the figures of that run."""
    version_of_last_run(repository)
    summary = RunSummary.from_record(repository.records("run")[-1]["summary"])
    lines = {line.name: line for line in summary.slices if line.rule or line.words or line.q_value is not None}
    declared = declared_slices(file, folder)
    found = discovered_slices(file, folder, repository)
    names = {one.slice.name for one in found}
    told = [_of_declared(one, file, lines) for one in declared if not one.each]
    own, each = {one.name for one in told}, [set(one.each) for one in declared if one.each]
    told += [_of_line(line) for line in lines.values() if line.name not in own | names and _is_of(each, line)]
    rules = {one.where for one in declared if one.where}
    return (*told, *(_of_found(one, file, lines) for one in found if _is_new(one, own, rules)))


def _is_of(each: Sequence[set[str]], line: SliceLine) -> bool:
    """Whether a slice of the last run is a value of columns whose values are declared to be slices."""
    return line.q_value is None and bool(line.rule) and set(Predicate(line.rule).columns) in each


def _is_new(one: KeptSlice, own: set[str], rules: set[str]) -> bool:
    """Whether nobody has declared it since the run."""
    return one.slice.name not in own and (not one.slice.where or one.slice.where not in rules)


def _of_declared(one: DeclaredSlice, file: ProjectFile, lines: Mapping[str, SliceLine]) -> ProjectSlice:
    function = one.name if one.function is not None else ""
    rule = shown_rule(Slice(name=one.name, where=one.where, function=function, region=one.region), file.schema)
    told = ProjectSlice(name=one.name, rule=rule, is_declared=True, written=one.written)
    return _with_figures(told, lines.get(one.name))


def _of_line(line: SliceLine) -> ProjectSlice:
    """Return one of the slices that an `each` makes."""
    return _with_figures(ProjectSlice(name=line.name, rule=line.rule, is_declared=True), line)


def _of_found(one: KeptSlice, file: ProjectFile, lines: Mapping[str, SliceLine]) -> ProjectSlice:
    own = one.slice
    told = ProjectSlice(name=own.name, rule=shown_rule(own, file.schema), words=own.summary, q_value=one.q_value)
    return _with_figures(told, lines.get(own.name))


def _with_figures(told: ProjectSlice, line: SliceLine | None) -> ProjectSlice:
    return told if line is None else replace(told, rows=line.rows, score=line.score, aimed=line.aimed)
