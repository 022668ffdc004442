"""What a project does once its source is read: run, find, ask. All that fits models is imported here, and only where it is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from tilth.core.edit import Verb
from tilth.core.errors import UsageError, did_you_mean
from tilth.core.names import Split
from tilth.core.progress import Progress
from tilth.core.summary import RunSummary
from tilth.loop import people
from tilth.loop.asking import disputed_questions
from tilth.loop.found import Found, find_faults
from tilth.loop.generating import declared_generators
from tilth.loop.labelers import labelers_if_any
from tilth.loop.project_file import ProjectFile, budget_seconds
from tilth.loop.quarantine import Quarantine
from tilth.loop.reading import read_source
from tilth.loop.run import RunOptions, run
from tilth.loop.sheets import SheetPlan, is_blind, laid_out
from tilth.loop.slices import declared_slices
from tilth.loop.stale_votes import stale_votes
from tilth.loop.unlabelled import first_questions, is_too_bare, refuse_too_bare
from tilth.loop.workshop import Workshop
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["Ready", "find_all", "questions", "ready", "run_all", "run_options", "split_named"]

EVERYBODY = SheetPlan()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A project that was read up to the newest source: its store, workshop, version and warnings."""

    repository: Repository
    workshop: Workshop
    version: Version
    warnings: tuple[str, ...]


def ready(
    file: ProjectFile,
    folder: Path,
    repository: Repository,
    *,
    seed: int,
    progress: Progress,
    cut: bool,
    refit: bool = False,
) -> Ready:
    """Read the source, which the caller holds the lease for, and return what works on it."""
    labelers, said = labelers_if_any(file, folder)
    slices = declared_slices(file, folder)
    version, warnings = read_source(repository, file, folder, progress, cut=cut)
    workshop = Workshop(
        file,
        repository,
        seed=seed,
        progress=progress,
        refit=refit,
        labelers=labelers,
        slices=slices,
        generators=declared_generators(file, folder),
    )
    workshop.variations(version).refuse_unknown()
    stale = stale_votes(repository, version, labelers)
    notes = (*warnings, *said, *_left_open(workshop, version), *stale)
    return Ready(repository=repository, workshop=workshop, version=version, warnings=notes)


def _left_open(workshop: Workshop, version: Version) -> list[str]:
    """Return a warning where rows that judge have no label since the label set was migrated."""
    if version.schema.task.taxonomy == 1:
        return []
    rows, _ = workshop.open_sets(version)
    splits = workshop.dataset(version).splits[rows].astype(str)
    waiting = [f"{n:,} {split}" for split in (Split.DEV, Split.TEST) if (n := int((splits == str(split)).sum()))]
    if not waiting:
        return []
    where = f"label set {version.schema.task.taxonomy} leaves the labels of {' and '.join(waiting)} rows open"
    return [f"{where}: they are in no score until they are answered (tilth ask asks them first)"]


def run_options(
    file: ProjectFile, *, budget: str | None, seed: int | None, only: Sequence[str], dry_run: bool, again: bool
) -> RunOptions:
    """Return how a run goes: what was asked for, else what tilth.yaml says."""
    return RunOptions(
        seed=file.seed if seed is None else seed,
        budget_seconds=budget_seconds(budget or file.budget),
        verbs=_verbs(only),
        dry_run=dry_run,
        finalists=file.finalists,
        again=again,
    )


def run_all(there: Ready, options: RunOptions, progress: Progress) -> RunSummary:
    """Find, propose, try, keep; refused where too few rows are labelled."""
    refuse_too_bare(there.repository, there.version)
    return run(there.workshop, there.version, options, there.warnings, progress)


def find_all(there: Ready, progress: Progress) -> Found:
    """Find; refused where too few rows are labelled."""
    refuse_too_bare(there.repository, there.version)
    return find_faults(there.workshop, there.version, there.warnings, progress)


def questions(
    there: Ready, top: int, split: Split | None, progress: Progress, plan: SheetPlan = EVERYBODY
) -> tuple[pa.Table, tuple[str, ...]]:
    """Return what to ask, and what is to be said of it; where too few rows are labelled to find anything, the first questions."""
    workshop, version = there.workshop, there.version
    if is_too_bare(there.repository, version):
        found = Found(workshop=workshop, version=version, findings=(), quarantine=Quarantine())
        asked = disputed_questions(there.repository, version, top)
        if len(asked) < top:
            first = first_questions(there.repository, version, workshop.seed, top)
            known = {question.row_id for question in asked}
            asked = [*asked, *(question for question in first if question.row_id not in known)][:top]
    else:
        found = find_faults(workshop, version, there.warnings, progress)
        asked = people.ask(found, top, split)
    sheet = laid_out(there.repository, version, workshop.seed, asked, plan)
    table = people.question_table(found, sheet.questions, names_people=bool(plan.people), is_blind=is_blind(plan))
    return table, sheet.notes


def split_named(name: str) -> Split:
    """Return the split that a person may ask about; raises UsageError with the closest one."""
    known = [str(split) for split in Split if split is not Split.UNUSED]
    if name not in known:
        raise UsageError(
            f"{name!r} is not a split to ask about.{did_you_mean(name, known)}",
            next_step=f"name one of {', '.join(known)}",
        )
    return Split(name)


def _verbs(only: Sequence[str]) -> frozenset[str] | None:
    known = [str(verb) for verb in Verb]
    for name in only:
        if name not in known:
            raise UsageError(
                f"{name!r} is not a verb.{did_you_mean(name, known)}",
                next_step=f"--only takes some of {', '.join(known)}",
            )
    return frozenset(only) or None
