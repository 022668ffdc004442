"""Summing a run up: the figures and sentences that the screen, the report and the record show of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pyarrow as pa

from tilth.core.finding import Finding
from tilth.core.names import ROW_ID, Split
from tilth.core.summary import FindingLine, RunSummary, SliceLine, TestLook
from tilth.core.trial import Trial, Verdict
from tilth.loop.by_hand import by_hand
from tilth.loop.comparable import evaluation_notes
from tilth.loop.found import Found
from tilth.loop.guards import GuardedSlice, Standing, check_guards
from tilth.loop.ledger import dev_key
from tilth.loop.lineage import beginning
from tilth.loop.policy_cards import policy_cards
from tilth.loop.scoring import best_possible, expected_sensitivity, split_score, standing_of_version
from tilth.loop.sliced import Sliced
from tilth.loop.slices import shown_rule
from tilth.loop.trying import Arena, Tried
from tilth.operators.registry import spec_of
from tilth.store.version import Version

__all__ = ["summing_up"]


def summing_up(
    found: Found,
    sliced: Sliced,
    arena: Arena,
    tried: Sequence[Tried],
    after: Version,
    test: TestLook | None,
    *,
    seed: int,
    seconds: float,
) -> RunSummary:
    """Return what a run comes to: before and after, findings, trials, slices, what is left to ask and to spend."""
    workshop, version = found.workshop, found.version
    bench, judged, task = arena.bench, arena.judged, version.schema.task
    before, later = arena.before, standing_of_version(workshop, arena, after)
    ceiling, method = best_possible(workshop, version, arena, later.scores)
    trials = tuple(one.trial for one in tried)
    least = min((t.least_detectable_gain for t in trials), default=expected_sensitivity(arena, before.scores))
    dev = dev_key(bench.table.column(ROW_ID).take(pa.array(judged.positions)).combine_chunks())
    dataset = found.dataset
    hands = found.quarantine.run("labels by hand", partial(by_hand, workshop, version, trials))
    cards = found.quarantine.run("cards of policies", partial(policy_cards, workshop, version, tried))
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
        slices=_slice_lines(arena, sliced, before, later),
        alpha_left=arena.ledger.alpha_left(dev, workshop.file.alpha),
        questions=_questions(trials, found.findings),
        seed=seed,
        seconds=round(seconds, 2),
        warnings=(*found.warnings, *workshop.notes, *evaluation_notes(workshop.repository, after)),
        failures=tuple(found.quarantine.failures),
        taxonomy=task.taxonomy,
        by_hand=hands or (),
        cards=cards or (),
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


def _slice_lines(arena: Arena, sliced: Sliced, before: Standing, later: Standing) -> tuple[SliceLine, ...]:
    """Return each guarded slice's dev score before and after all kept edits."""
    guards = check_guards(arena.bench, arena.judged, arena.slices, before, later)
    return tuple(
        replace(
            SliceLine(
                name=guard.slice,
                rows=guard.rows,
                before=float(one.row_scores(arena.judged, before).mean()),
                after=float(one.row_scores(arena.judged, later).mean()),
                change=guard.change,
            ),
            **_said_of_slice(arena, sliced, one, before),
        )
        for guard, one in zip(guards, arena.slices, strict=True)
    )


def _said_of_slice(arena: Arena, sliced: Sliced, one: GuardedSlice, before: Standing) -> dict[str, Any]:
    """Return what is said more of a declared or discovered slice: its rule, its score with interval, and whether it is to be mended."""
    known = sliced.by_name.get(one.name)
    if known is None:
        return {}
    rows = one.rows
    return {
        "score": split_score(arena.bench, arena.judged.only(rows), before.scores[rows]),
        "rule": shown_rule(known.slice, arena.bench.schema),
        "words": known.slice.summary,
        "q_value": None if known.found is None else known.found.q_value,
        "aimed": one.name in sliced.aims,
    }


def _questions(trials: Sequence[Trial], findings: Sequence[Finding]) -> int:
    """Return how many rows there are worth asking about: answers that decide edits, and rows in doubt."""
    deciding = sum(t.answers_needed or 0 for t in trials if t.verdict is Verdict.UNDECIDED)
    doubted = sum(f.n_flagged for f in findings if f.kind == "label_error")
    return deciding + doubted
