"""One run: read, fit, find, propose, try, keep, look, report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from tilth.core.dataset import Dataset
from tilth.core.edit import PERSON
from tilth.core.errors import SplitError
from tilth.core.finding import Finding
from tilth.core.ids import digest_of
from tilth.core.names import ROW_ID, Split
from tilth.core.progress import Progress, silent
from tilth.core.summary import FindingLine, RunSummary, SliceLine, TestLook
from tilth.core.trial import Trial, Verdict
from tilth.loop.budget import affordable_trials
from tilth.loop.candidates import Candidate, finalists, proposals, screen
from tilth.loop.comparable import evaluation_notes
from tilth.loop.copies import leaks_of
from tilth.loop.detect import detect
from tilth.loop.foretelling import foretell
from tilth.loop.guards import Standing, check_guards, guarded_slices
from tilth.loop.history import remember_fitted
from tilth.loop.ledger import Ledger, dev_key
from tilth.loop.lineage import beginning
from tilth.loop.look import look_at_test
from tilth.loop.quarantine import Quarantine
from tilth.loop.scoring import (
    best_possible,
    confident_dev_joint,
    expected_sensitivity,
    split_score,
    standing_of_version,
)
from tilth.loop.trying import Arena, Settings, Tried, try_all
from tilth.loop.workshop import Workshop
from tilth.operators.registry import listings, spec_of
from tilth.store.version import Version

__all__ = ["Found", "RunOptions", "find_faults", "run"]


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


@dataclass(kw_only=True)
class Found:
    """What a run knows after finding: the workshop, the version, and the findings."""

    workshop: Workshop
    version: Version
    findings: tuple[Finding, ...]
    quarantine: Quarantine
    warnings: list[str] = field(default_factory=list)

    @property
    def dataset(self) -> Dataset:
        """The version's rows."""
        return self.workshop.dataset(self.version)


def find_faults(workshop: Workshop, version: Version, warnings: Sequence[str], progress: Progress = silent) -> Found:
    """Encode, fit and find on one version; nothing is tried or changed."""
    quarantine = Quarantine()
    evidence = workshop.evidence(version)
    findings = detect(evidence, quarantine, progress)
    return Found(workshop=workshop, version=version, findings=findings, quarantine=quarantine, warnings=list(warnings))


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
    arena = replace(_arena(workshop, version, options), leaks=leaks_of(found.findings))
    chosen = _choose(found, arena, options, progress)
    tried: list[Tried] = []
    if chosen and not options.dry_run:
        tried = try_all(
            arena,
            chosen,
            lambda what, done, total: progress("try", what, done, total),
            quarantine=found.quarantine,
        )
    after = version if options.dry_run else _keep(workshop, version, tried)
    progress("look", "the sealed test split")
    test = None if options.dry_run else look_at_test(workshop, after)
    summary = _summary(found, arena, tried, after, test, options, time.perf_counter() - started)
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
    operators = [listing.to_dict() for room in ("detection", "editing", "selection") for listing in listings(room)]
    return digest_of(
        [
            workshop.file_key,
            workshop.labelers_key,
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


def _arena(workshop: Workshop, version: Version, options: RunOptions) -> Arena:
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
    context = digest_of(
        [version.content, workshop.model_key(version), workshop.file.guards, options.seed, settings.least_useful_gain]
    )
    return Arena(
        bench=bench,
        judged=judged,
        slices=guarded_slices(bench, judged, columns),
        ledger=Ledger(workshop.repository),
        settings=settings,
        parent=version.version,
        joint=confident_dev_joint(bench, judged),
        foretold=foretell(bench, judged, workshop.dataset(workshop.repository.version(version.base))),
        remember=workshop.remember_arrays,
        context=context,
    )


def _choose(found: Found, arena: Arena, options: RunOptions, progress: Progress) -> list[Candidate]:
    workshop = found.workshop
    progress("propose")
    candidates = proposals(
        workshop.evidence(found.version),
        found.quarantine,
        verbs=options.verbs,
        known=frozenset(found.version.recipe) | frozenset(arena.ledger.overruled()),
        asked=[workshop.repository.edit(edit_id) for edit_id in dict.fromkeys(_asked(arena))],
    )
    screened = screen(
        arena.bench, candidates, found.quarantine, lambda done, total: progress("screen", "", done, total)
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
    for one in tried:
        if one.trial.verdict is Verdict.KEPT:
            fitted = workshop.fitted(version, one.edit)
            remember_fitted(workshop.repository, fitted, one.edit)
            version = workshop.repository.commit_edit(version, fitted)
    return version


def _summary(
    found: Found,
    arena: Arena,
    tried: Sequence[Tried],
    after: Version,
    test: TestLook | None,
    options: RunOptions,
    seconds: float,
) -> RunSummary:
    workshop, version = found.workshop, found.version
    bench, judged, task = arena.bench, arena.judged, version.schema.task
    before, later = arena.before, standing_of_version(workshop, arena, after)
    ceiling, method = best_possible(workshop, version, arena, later.scores)
    trials = tuple(one.trial for one in tried)
    least = min((t.least_detectable_gain for t in trials), default=expected_sensitivity(arena, before.scores))
    dev = dev_key(bench.table.column(ROW_ID).take(pa.array(judged.positions)).combine_chunks())
    dataset = found.dataset
    return RunSummary(
        source=str(version.source.get("name", "")),
        rows=dataset.n_rows,
        splits={
            str(s): int(dataset.mask(s).sum()) for s in (Split.TRAIN, Split.DEV, Split.TEST, Split.UNUSED, Split.POOL)
        },
        task_type=str(task.type),
        label=task.label,
        classes=task.classes,
        metric=task.metric,
        learner=str(spec_of(bench.learner)),
        encoders=workshop.encoder_names(),
        version_before=beginning(workshop.repository, version).version,
        version_after=after.version,
        baseline=split_score(bench, judged, before.scores),
        ceiling=ceiling,
        ceiling_method=method,
        least_detectable_gain=least,
        findings=tuple(_finding_line(finding) for finding in found.findings),
        trials=trials,
        refusals=dict(found.quarantine.refusals),
        test=test,
        slices=_slice_lines(arena, before, later),
        alpha_left=arena.ledger.alpha_left(dev, workshop.file.alpha),
        questions=_questions(trials, found.findings),
        seed=options.seed,
        seconds=round(seconds, 2),
        warnings=(*found.warnings, *workshop.notes, *evaluation_notes(workshop.repository, after)),
        failures=tuple(found.quarantine.failures),
    )


def _finding_line(finding: Finding) -> FindingLine:
    return FindingLine(
        kind=finding.kind,
        rows=finding.n_flagged,
        severity=round(finding.overall, 4),
        operator=str(finding.operator),
        summary=finding.summary,
        threshold=finding.threshold,
        suggestion=finding.suggestion,
        columns=finding.columns,
    )


def _slice_lines(arena: Arena, before: Standing, later: Standing) -> tuple[SliceLine, ...]:
    """Return each guarded slice's dev score before and after all kept edits."""
    guards = check_guards(arena.bench, arena.judged, arena.slices, before, later)
    return tuple(
        SliceLine(
            name=guard.slice,
            rows=guard.rows,
            before=float(one.row_scores(arena.judged, before).mean()),
            after=float(one.row_scores(arena.judged, later).mean()),
            change=guard.change,
        )
        for guard, one in zip(guards, arena.slices, strict=True)
    )


def _questions(trials: Sequence[Trial], findings: Sequence[Finding]) -> int:
    """Return how many rows there are worth asking about: answers that decide edits, and rows in doubt."""
    deciding = sum(t.answers_needed or 0 for t in trials if t.verdict is Verdict.UNDECIDED)
    doubted = sum(f.n_flagged for f in findings if f.kind == "label_error")
    return deciding + doubted
