"""One run: read, fit, find, propose, try, keep, look, report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pyarrow as pa

from tilth.core.edit import PERSON
from tilth.core.errors import SplitError
from tilth.core.ids import digest_of
from tilth.core.names import Split
from tilth.core.progress import Progress
from tilth.core.summary import RunSummary
from tilth.core.trial import Verdict
from tilth.engine.memory import release_unused
from tilth.loop.always_the_same import no_better_than_always_the_same
from tilth.loop.bench import Judged
from tilth.loop.budget import affordable_trials
from tilth.loop.candidates import Candidate, finalists, proposals, screen
from tilth.loop.copies import leaks_of
from tilth.loop.foretelling import foretell
from tilth.loop.found import Found, find_faults
from tilth.loop.guards import LEAST_ROWS, GuardedSlice, guarded_slices
from tilth.loop.history import remember_fitted
from tilth.loop.ledger import Ledger
from tilth.loop.look import look_at_test
from tilth.loop.scoring import confident_dev_joint
from tilth.loop.sliced import Sliced, goal_key, slices_of
from tilth.loop.stale_votes import remember_labelers
from tilth.loop.summing_up import summing_up
from tilth.loop.trying import Arena, Settings, Tried, try_all
from tilth.loop.workshop import Workshop
from tilth.operators.registry import listings
from tilth.store.version import Version

__all__ = ["RunOptions", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What the caller of a run may overrule."""

    seed: int
    budget_seconds: float
    verbs: frozenset[str] | None = None
    dry_run: bool = False
    finalists: int = 6
    again: bool = False
    """Try more on top of a finished run, which spends error budget, instead of showing its record."""


def run(
    workshop: Workshop, version: Version, options: RunOptions, warnings: Sequence[str], progress: Progress
) -> RunSummary:
    """Find, try and keep; the caller holds the lease.

    A run that was killed takes up where it stopped when it is run again; a run that was done shows its recorded figures.
    """
    if not options.again and not options.dry_run:
        done = _recorded(workshop, version, options)
        if done is not None:
            return done
    started = time.perf_counter()
    version = version if options.dry_run else _begin(workshop, version, options)
    found = find_faults(workshop, version, warnings, progress)
    sliced = slices_of(found, progress)
    release_unused()
    found.warnings += sliced.notes
    arena = replace(_arena(workshop, version, options, sliced), leaks=leaks_of(found.findings))
    nothing_learnt = found.quarantine.run("always the same", partial(no_better_than_always_the_same, arena))
    found.warnings += [nothing_learnt] if nothing_learnt else []
    chosen = _choose(found, sliced, arena, options, progress)
    release_unused()
    tried: list[Tried] = []
    if chosen and not options.dry_run:
        tried = try_all(
            arena,
            chosen,
            lambda what, done, total: progress("try", what, done, total),
            quarantine=found.quarantine,
        )
    after = version if options.dry_run else _keep(workshop, version, tried)
    found.warnings += workshop.variations(version).notes
    progress("look", "the sealed test split")
    test = None if options.dry_run else look_at_test(workshop, after)
    summary = summing_up(
        found, sliced, arena, tried, after, test, seed=options.seed, seconds=time.perf_counter() - started
    )
    if not options.dry_run:
        _end(workshop, options, after, summary)
    return summary


def _begin(workshop: Workshop, version: Version, options: RunOptions) -> Version:
    """Record that a run starts, and return the version that it starts from.

    A run that was killed between two commits left its first edits behind: it starts again from where it had started, finds its
    trials and commits as they were, and spends nothing twice. A person's word since then is a new start.
    """
    repository, key = workshop.repository, _run_key(workshop, options)
    starts, ended = repository.records("start"), {body["start"] for body in repository.records("run")}
    if starts and starts[-1]["key"] == key and len(starts) not in ended:
        first = repository.version(starts[-1]["version"])
        since = version.recipe[len(first.recipe) :]
        own = all(repository.edit(edit_id).author != PERSON for edit_id in since)
        if version.recipe[: len(first.recipe)] == first.recipe and version.base == first.base and own:
            return first
    repository.record("start", {"key": key, "version": version.version})
    return version


def _end(workshop: Workshop, options: RunOptions, after: Version, summary: RunSummary) -> None:
    """Record what the run that was started last came to."""
    repository = workshop.repository
    facts = {"key": _run_key(workshop, options), "start": len(repository.records("start")), "after": after.version}
    repository.record("run", facts | {"summary": summary.to_record()})


def _run_key(workshop: Workshop, options: RunOptions) -> str:
    """Return the digest of what decides a run besides its version."""
    verbs = None if options.verbs is None else sorted(options.verbs)
    rooms = ("detection", "slicing", "editing", "selection")
    operators = [one.to_dict() for room in rooms for one in listings(room) if one.verb != "apply"]  # no run transforms
    return digest_of(
        [
            workshop.file_key,
            workshop.labelers_key,
            workshop.slices_key,
            workshop.variations_key,
            workshop.generators_key,
            options.seed,
            options.budget_seconds,
            verbs,
            options.finalists,
            operators,
        ]
    )


def _recorded(workshop: Workshop, version: Version, options: RunOptions) -> RunSummary | None:
    """Return the last run's summary if nothing has changed since: same settings, same operators, no new version."""
    runs = workshop.repository.records("run")
    if not runs or runs[-1]["after"] != version.version or runs[-1]["key"] != _run_key(workshop, options):
        return None
    return RunSummary.from_record(runs[-1]["summary"])


def _arena(workshop: Workshop, version: Version, options: RunOptions, sliced: Sliced) -> Arena:
    bench, dataset = workshop.bench(version), workshop.dataset(version)
    judged = bench.judged(Split.DEV)
    if not len(judged):
        raise SplitError("no dev row has a label", next_step="label some dev rows, or change splits in tilth.yaml")
    guards = [name for name in workshop.file.guards if name in dataset.schema.names]
    columns = dataset.read(*guards) if guards else pa.table({})
    settings = Settings(
        alpha=workshop.file.alpha,
        least_useful_gain=workshop.file.least_useful_gain,
        placebo_draws=workshop.file.placebo_draws,
        seed=options.seed,
    )
    own = [[one.name, np.flatnonzero(one.rows[judged.positions]).tolist()] for one in sliced.slices]
    context = digest_of(
        [
            version.content,
            workshop.model_key(version),
            workshop.file.guards,
            *own,
            options.seed,
            settings.least_useful_gain,
        ]
    )
    goals = {name: sliced.by_name[name].rows[judged.positions] for name in sliced.aims}
    for name, rows in goals.items():
        workshop.remember_arrays(goal_key(version.version, name), partial(dict, rows=judged.positions[rows]))
    return Arena(
        bench=bench,
        judged=judged,
        slices=(*guarded_slices(bench, judged, columns), *_watched(sliced, judged)),
        goals=goals,
        ledger=Ledger(workshop.repository),
        settings=settings,
        parent=version.version,
        joint=confident_dev_joint(bench, judged),
        foretold=foretell(bench, judged, workshop.dataset(workshop.repository.version(version.base))),
        remember=workshop.remember_arrays,
        context=context,
    )


def _watched(sliced: Sliced, judged: Judged) -> list[GuardedSlice]:
    """Return the slices that have enough judging rows to be guarded, and were not chosen by whether the model is right."""
    watched = [
        GuardedSlice(name=one.name, rows=one.rows[judged.positions]) for one in sliced.slices if one.is_judgeable
    ]
    return [one for one in watched if one.rows.sum() >= LEAST_ROWS]


def _choose(found: Found, sliced: Sliced, arena: Arena, options: RunOptions, progress: Progress) -> list[Candidate]:
    workshop = found.workshop
    progress("propose")
    asked = [workshop.repository.edit(edit_id) for edit_id in dict.fromkeys(_asked(arena))]
    candidates = proposals(
        workshop.evidence(found.version),
        found.quarantine,
        verbs=options.verbs,
        known=frozenset(found.version.recipe) | frozenset(arena.ledger.overruled()),
        asked=[edit for edit in asked if edit.goal in ("", *sliced.aims)],
        aims=sliced.aims,
        tell=partial(progress, "propose"),
    )
    screened = screen(
        arena.bench,
        candidates,
        found.quarantine,
        lambda done, total: progress("screen", "", done, total),
        {name: sliced.by_name[name].rows for name in sliced.aims},
    )
    most = affordable_trials(arena.bench, options.budget_seconds, len(candidates), workshop.file.placebo_draws)
    return finalists(screened, min(options.finalists, most))


def _asked(arena: Arena) -> list[str]:
    """Return the edits about which people were asked, oldest first."""
    return [draw.edit for draw in arena.ledger.draws() if draw.purpose == "decide" and draw.edit is not None]


def _keep(workshop: Workshop, version: Version, tried: Sequence[Tried]) -> Version:
    """Commit the kept edits in their order; a rerun finds them committed."""
    for one in tried:
        workshop.repository.save_edit(one.edit)
        remember_labelers(workshop.repository, one.edit, workshop.labelers)
    for one in tried:
        if one.trial.verdict is Verdict.KEPT:
            fitted = workshop.fitted(version, one.edit)
            remember_fitted(workshop.repository, fitted, one.edit)
            version = workshop.repository.commit_edit(version, fitted)
    return version
