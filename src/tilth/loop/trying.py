"""Trying: finalists against nothing and placebo on dev, verdicts, then composition of what was kept.

The scores of every try are kept when they are there, under a key of all that decides them, so that a killed run takes up
where it stopped and a rerun shows the same figures.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from tilth.core.edit import Edit
from tilth.core.ids import digest_of
from tilth.core.trial import Guard, Slopes, Trial, Verdict
from tilth.engine.memory import release_unused
from tilth.loop.answered import answers_for, counting_draws, random_trusted
from tilth.loop.arena import Arena, Settings
from tilth.loop.candidates import Candidate
from tilth.loop.guards import Standing, all_rows, check_guards, worse_guards
from tilth.loop.judge import Outcome, judge
from tilth.loop.ledger import dev_key, dev_sketch
from tilth.loop.outcomes import outcome_of, with_more_placebos
from tilth.loop.quarantine import Quarantine
from tilth.loop.sensitivity import answers_needed
from tilth.loop.slopes import half_scores, makes_rows, slopes_of
from tilth.loop.tried import Measured, Tried, trial_of
from tilth.loop.verdicts import COMPOSITION_SHARE, Reading, decide, decide_retest, shares_by_forecast

__all__ = ["Arena", "Settings", "Tried", "try_all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stakes:
    """What a run may err: its key, its alpha, the finalists that share it, and what the next run will have."""

    run: str
    alpha: float
    shares: Mapping[str, float]
    """Finalist -> which part of the budget for finalists it may spend first."""
    alpha_next: float

    @property
    def of_finalists(self) -> float:
        """What the finalists may spend together."""
        return self.alpha * (1 - COMPOSITION_SHARE)

    @property
    def of_retests(self) -> float:
        """What the re-tests of composition may spend together."""
        return self.alpha * COMPOSITION_SHARE

    @property
    def n_retests(self) -> int:
        """How many re-tests there can be: the first kept edit needs none."""
        return max(1, len(self.shares) - 1)

    def of(self, edit: Edit) -> float:
        """What a finalist has to meet if no other edit helps."""
        return self.of_finalists * self.shares[edit.edit_id]

    def next_time(self, edit: Edit) -> float:
        """What it has to meet in the next run, if the same ones are tried again."""
        return self.alpha_next * (1 - COMPOSITION_SHARE) * self.shares[edit.edit_id]


def try_all(
    arena: Arena,
    finalists: Sequence[Candidate],
    tell: Callable[[str, int, int], None],
    quarantine: Quarantine | None = None,
) -> list[Tried]:
    """Try finalists, decide, and compose what is kept; kept ones come in the order in which they are to be committed.

    An edit that was kept alone but not on top of the others is turned to undecided, with that reason. A finalist that
    cannot be tried is a failed step of the quarantine and has no trial; the error budget counts it all the same.
    """
    if not finalists:
        return []
    quarantine = Quarantine() if quarantine is None else quarantine
    stakes = _stakes(arena, finalists)
    measured = []
    for number, candidate in enumerate(finalists):
        tell(str(candidate.edit.operator), number, len(finalists))
        step = f"try {candidate.edit.operator}"
        one = quarantine.run(step, partial(_measure, arena, candidate, (), stakes))
        measured += [] if one is None else [_with_slopes(arena, one, quarantine)]
        release_unused()
    least = arena.settings.least_useful_gain
    shares = [stakes.shares[m.candidate.edit.edit_id] for m in measured]
    decisions = decide([m.reading for m in measured], stakes.of_finalists, least, shares=shares)
    tried = [
        Tried(
            edit=m.candidate.edit,
            trial=trial_of(arena, m, decision, stakes.of_finalists, stakes.of(m.candidate.edit)),
        )
        for m, decision in zip(measured, decisions, strict=True)
    ]
    tried = _compose(arena, finalists, tried, stakes, tell, quarantine)
    for done in tried:
        _record(arena, stakes, done.trial)
    return tried


def _stakes(arena: Arena, finalists: Sequence[Candidate]) -> _Stakes:
    """Return what this run may spend; it is known by all that decides its verdicts: the same run spends nothing."""
    settings = arena.settings
    edits = [candidate.edit.edit_id for candidate in finalists]
    rules = [settings.alpha, settings.least_useful_gain, settings.placebo_draws, settings.seed]
    draws = [d for d in counting_draws(arena.judged, arena.dev_ids, arena.draws) if d.edit is None or d.edit in edits]
    run = digest_of([arena.context, edits, rules, [draw.to_dict() for draw in draws]])
    number = arena.ledger.run_number(dev_key(arena.dev_ids), run, dev_sketch(arena.dev_ids))
    return _Stakes(
        run=run,
        alpha=arena.ledger.alpha_of(number, settings.alpha),
        shares=dict(zip(edits, shares_by_forecast([_of_average(arena, c) for c in finalists]).tolist(), strict=True)),
        alpha_next=arena.ledger.alpha_of(number + 1, settings.alpha),
    )


def _of_average(arena: Arena, candidate: Candidate) -> float:
    """Return a forecast in points of the average over all rows: a slice weighs what it has of them."""
    goal = candidate.edit.goal
    return candidate.forecast * float(arena.goals[goal].mean()) if goal in arena.goals else candidate.forecast


def _measure(arena: Arena, candidate: Candidate, base: tuple[Edit, ...], stakes: _Stakes) -> Measured:
    """Fit before, after and placebo draws on top of the base edits, and judge them."""
    started = time.perf_counter()
    n_dev = len(arena.judged)
    arena = arena.judging(candidate.edit)
    names = tuple(edit.edit_id for edit in base)
    facts = [arena.context, "outcome", candidate.edit.edit_id, list(names)]
    key = digest_of([*facts, arena.settings.placebo_draws, arena.settings.seed])
    outcome = Outcome(**arena.remember(key, lambda: outcome_of(arena, candidate, base).to_arrays()))
    reading = _read(arena, candidate.edit, outcome, names, stakes)
    if _is_promising(reading, stakes) and len(outcome.placebos) < arena.enough_placebos:
        more = partial(with_more_placebos, arena, candidate, base, outcome, arena.enough_placebos)
        outcome = Outcome(**arena.remember(digest_of([key, arena.enough_placebos]), lambda: more().to_arrays()))
        reading = _read(arena, candidate.edit, outcome, names, stakes)
    return Measured(
        candidate=candidate,
        outcome=outcome,
        reading=reading,
        base=names,
        n_left_out=n_dev - len(arena.judged),
        seconds=round(time.perf_counter() - started, 3),
    )


def _with_slopes(arena: Arena, measured: Measured, quarantine: Quarantine) -> Measured:
    """Return a try of made rows with how steep the learning curve is; what fails there costs no verdict."""
    edit = measured.candidate.edit
    if not makes_rows(edit):
        return measured
    found = quarantine.run(f"learning curve with {edit.operator}", partial(_slopes, arena.judging(edit), measured))
    return replace(measured, slopes=found)


def _slopes(arena: Arena, measured: Measured) -> Slopes:
    """Return how steep the learning curve is without made rows and with them; the former is the same for all edits."""
    edit, outcome = measured.candidate.edit, measured.outcome
    before = arena.remember(digest_of([arena.context, "half"]), partial(half_scores, arena))
    after = arena.remember(digest_of([arena.context, "half", edit.edit_id]), partial(half_scores, arena, edit))
    return slopes_of(arena, edit, (outcome.before, outcome.after), (before["scores"], after["scores"]))


def _is_promising(reading: Reading, stakes: _Stakes) -> bool:
    """Whether an edit may beat doing nothing; the placebos have no say, so that drawing more of them chooses nothing."""
    return reading.judgement.nothing.p_value <= max(stakes.of_finalists, stakes.of_retests)


def _read(arena: Arena, edit: Edit, outcome: Outcome, base: tuple[str, ...], stakes: _Stakes) -> Reading:
    trusted = random_trusted(arena.judged, arena.dev_ids, arena.draws)
    where, mine = arena, outcome
    if edit.goal:
        rows = arena.goals[edit.goal]
        where, mine = arena.aimed_at(rows), outcome.only(rows)
        trusted = None if trusted is None else trusted[rows]
    judgement = judge(
        where.bench,
        where.judged,
        mine,
        answers=answers_for(edit.edit_id, mine, where.judged, where.dev_ids, where.draws),
        random_trusted=trusted,
        joint=where.joint,
        foretold=where.foretold,
        step=(edit.edit_id, *base),
    )
    is_regression = arena.bench.schema.task.is_regression
    return Reading(
        judgement=judgement,
        guards=_guards(arena, edit, outcome, base),
        answers_needed=None if is_regression else answers_needed(judgement, stakes.next_time(edit)),
    )


def _guards(arena: Arena, edit: Edit, outcome: Outcome, base: tuple[str, ...]) -> tuple[Guard, ...]:
    """Return the guards of one step; on top of other edits of all steps together too: small falls do not add up.

    The average over all rows is a guard of what aims at a slice.
    """
    slices = (all_rows(arena.judged), *arena.slices) if edit.goal else arena.slices
    then = Standing(scores=outcome.before, decided=outcome.decided_before)
    now = Standing(scores=outcome.after, decided=outcome.decided_after)
    guards = check_guards(arena.bench, arena.judged, slices, then, now)
    if not base:
        return guards
    return worse_guards(guards, check_guards(arena.bench, arena.judged, slices, arena.before, now))


def _compose(
    arena: Arena,
    finalists: Sequence[Candidate],
    tried: Sequence[Tried],
    stakes: _Stakes,
    tell: Callable[[str, int, int], None],
    quarantine: Quarantine,
) -> list[Tried]:
    """Re-test each kept edit on top of those before it, the largest gain first; keep it only if it still helps."""
    by_id = {candidate.edit.edit_id: candidate for candidate in finalists}
    kept = [t for t in tried if t.trial.verdict is Verdict.KEPT]
    kept.sort(key=lambda t: (-t.trial.gain.value, t.edit.edit_id))
    rest = [t for t in tried if t.trial.verdict is not Verdict.KEPT]
    composed = kept[:1]
    for done, one in enumerate(kept[1:], start=1):
        tell(f"{one.edit.operator} on top of {len(composed)}", done, len(kept))
        candidate, base = by_id[one.edit.edit_id], tuple(t.edit for t in composed)
        step = f"try {one.edit.operator} on top of {len(base)}"
        trial = quarantine.run(step, partial(_retest, arena, candidate, base, stakes))
        if trial is not None and trial.verdict is Verdict.KEPT:
            composed.append(Tried(edit=one.edit, trial=replace(trial, slopes=one.trial.slopes)))
            continue
        if trial is not None:
            _record(arena, stakes, trial)
        names = ", ".join(t.edit.operator.name for t in composed)
        why = f"kept alone, but on top of {names}: {_why_not_on_top(trial)}"
        alone = replace(one.trial, verdict=Verdict.UNDECIDED, reason=why, answers_needed=None)
        rest.append(Tried(edit=one.edit, trial=alone))
    return composed + rest


def _why_not_on_top(trial: Trial | None) -> str:
    if trial is None:
        return "it could not be tried"
    harms = any(guard.violated for guard in trial.guards)
    return "it brings nothing more" if trial.verdict is Verdict.REFUSED and not harms else trial.reason


def _retest(arena: Arena, candidate: Candidate, base: tuple[Edit, ...], stakes: _Stakes) -> Trial:
    measured = _measure(arena, candidate, base, stakes)
    least = arena.settings.least_useful_gain
    decision = decide_retest(measured.reading, stakes.of_retests, stakes.n_retests, least)
    return trial_of(arena, measured, decision, stakes.of_retests, stakes.of_retests / stakes.n_retests)


def _record(arena: Arena, stakes: _Stakes, trial: Trial) -> None:
    key = digest_of([stakes.run, trial.edit, list(trial.base)])
    if arena.ledger.trial(key) is None:
        arena.ledger.record_trial(key, trial)
