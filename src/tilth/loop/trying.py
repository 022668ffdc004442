"""Trying: finalists against nothing and placebo on dev, verdicts, then composition of what was kept.

Every trial is recorded when it is done, under a key of all that decides its figures, so that a killed run takes up where it
stopped and a rerun shows the recorded figures.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.apply import apply, fit_to
from tilth.core.arrays import Mask, Matrix
from tilth.core.edit import Edit
from tilth.core.ids import digest_of
from tilth.core.names import ROW_ID
from tilth.core.rng import generator
from tilth.core.trial import Trial, Verdict
from tilth.loop.bench import Bench, Judged
from tilth.loop.candidates import Candidate
from tilth.loop.guards import GuardedSlice, check_guards
from tilth.loop.judge import Answers, Judgement, Outcome, judge
from tilth.loop.ledger import Draw, Ledger, dev_key
from tilth.loop.placebo import placebo, strata_of
from tilth.loop.verdicts import COMPOSITION_SHARE, Decision, Reading, decide, decide_retest
from tilth.numerics.detectability import answers_to_decide, least_detectable_difference, least_detectable_gain

__all__ = ["Arena", "Settings", "Tried", "try_all"]

ENOUGH_ANSWERED = 0.8
"""Share of an edit's questions that must be answered before the answers decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What decides trials besides data: the project's error budget, the least useful gain, placebo draws."""

    alpha: float = 0.05
    least_useful_gain: float = 0.0
    placebo_draws: int = 5
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Arena:
    """Where trials of one run take place."""

    bench: Bench
    judged: Judged
    slices: tuple[GuardedSlice, ...]
    ledger: Ledger
    settings: Settings
    parent: str
    joint: Matrix | None
    """(k, k) confident joint of the dev labels, for corrected gains; None for regression."""
    remember: Callable[[str, Callable[[], dict[str, np.ndarray]]], dict[str, np.ndarray]]
    """Runs a computation, or returns what it gave before."""
    context: str
    """Digest of everything but the edit that decides a trial's figures: content, learner, features, dev labels, seed."""

    @property
    def dev_ids(self) -> pa.Array:
        """Ids of the judging rows."""
        return self.bench.table.column(ROW_ID).take(pa.array(self.judged.positions)).combine_chunks()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A finalist after its trial, with the edit as it can be committed."""

    edit: Edit
    trial: Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """The figures of one try before a verdict is made of them."""

    candidate: Candidate
    reading: Reading
    base: tuple[str, ...]
    seconds: float


def try_all(arena: Arena, finalists: Sequence[Candidate], tell: Callable[[str, int, int], None]) -> list[Tried]:
    """Try finalists, decide, and compose what is kept; the kept ones come in the order in which they are to be committed.

    An edit that was kept alone but not on top of the others is turned to undecided, with that reason.
    """
    key = digest_of([arena.context, [candidate.edit.edit_id for candidate in finalists]])
    number = arena.ledger.run_number(_dev_name(arena), key)
    alpha = arena.ledger.alpha_of(number, arena.settings.alpha)
    measured = []
    for done, candidate in enumerate(finalists):
        tell(str(candidate.edit.operator), done, len(finalists))
        measured.append(_measure(arena, candidate, ()))
    least = arena.settings.least_useful_gain
    first = decide([m.reading for m in measured], alpha * (1 - COMPOSITION_SHARE), least)
    tried = [
        Tried(edit=m.candidate.edit, trial=_trial(arena, m, decision, alpha * (1 - COMPOSITION_SHARE)))
        for m, decision in zip(measured, first, strict=True)
    ]
    tried = _compose(arena, finalists, tried, alpha * COMPOSITION_SHARE, tell)
    for one in tried:
        _record(arena, key, one.trial)
    return tried


def _dev_name(arena: Arena) -> str:
    return dev_key(arena.dev_ids)


def _measure(arena: Arena, candidate: Candidate, base: tuple[Edit, ...]) -> _Measured:
    """Fit before, after and placebo draws on top of the base edits, and judge them."""
    started = time.perf_counter()
    names = tuple(edit.edit_id for edit in base)
    key = digest_of([arena.context, "outcome", candidate.edit.edit_id, list(names), arena.settings.placebo_draws])
    arrays = arena.remember(key, lambda: _outcome(arena, candidate, base).to_arrays())
    reading = _read(arena, candidate.edit, Outcome(**arrays), names)
    seconds = round(time.perf_counter() - started, 3)
    return _Measured(candidate=candidate, reading=reading, base=names, seconds=seconds)


def _outcome(arena: Arena, candidate: Candidate, base: tuple[Edit, ...]) -> Outcome:
    bench = arena.bench
    train = _edited(bench.train, base)
    models = [bench.fit_edited(*base) if base else bench.baseline]
    for edit in (candidate.edit, *_placebos(arena, candidate)):
        models.append(bench.fit_edited(*base, fit_to(train, edit)[0]))
    predicted = [bench.predict(model, arena.judged.positions) for model in models]
    before, after, *placebos = [bench.scores(one, arena.judged) for one in predicted]
    return Outcome(
        before=before,
        after=after,
        placebos=np.stack(placebos),
        decided_before=bench.decisions(predicted[0]),
        decided_after=bench.decisions(predicted[1]),
    )


def _edited(train: pa.Table, edits: Sequence[Edit]) -> pa.Table:
    for edit in edits:
        train = apply(train, edit)
    return train


def _placebos(arena: Arena, candidate: Candidate) -> list[Edit]:
    view = candidate.view
    is_regression = view.schema.task.is_regression
    given = view.numbers if is_regression else view.labels
    strata = strata_of(np.asarray(given), is_regression)
    n = max(5, arena.settings.placebo_draws)
    edit_id = candidate.edit.edit_id
    streams = [generator(arena.settings.seed, "placebo", edit_id, draw) for draw in range(n)]
    return [placebo(candidate.edit, candidate.editor, view, strata, rng) for rng in streams]


def _read(arena: Arena, edit: Edit, outcome: Outcome, base: tuple[str, ...]) -> Reading:
    judgement = judge(
        arena.bench,
        arena.judged,
        outcome,
        answers=None if base else _answers(arena, edit, outcome),
        random_trusted=_random_trusted(arena),
        joint=arena.joint,
        step=(edit.edit_id, *base),
    )
    guards = check_guards(arena.bench, arena.judged, arena.slices, outcome.before, outcome.after)
    return Reading(judgement=judgement, guards=guards, answers_needed=_answers_needed(arena, judgement))


def _answers(arena: Arena, edit: Edit, outcome: Outcome) -> Answers | None:
    """Return the answers to the questions that were drawn for this edit, once enough of them are in."""
    draws = [d for d in arena.ledger.draws() if d.edit == edit.edit_id and d.purpose == "decide"]
    if not draws or arena.bench.schema.task.is_regression:
        return None
    answered = _drawn(arena, draws[-1]) & arena.judged.trusted & outcome.changed
    if answered.sum() < ENOUGH_ANSWERED * len(draws[-1].ids):
        return None
    return Answers(answered=answered, n_disagreeing=int(outcome.changed.sum()))


def _random_trusted(arena: Arena) -> Mask | None:
    """Return which judging rows were confirmed in a random draw over the dev split."""
    draws = [d for d in arena.ledger.draws() if d.purpose == "sample" and d.split == "dev"]
    if not draws:
        return None
    drawn = np.zeros(len(arena.judged), dtype=bool)
    for draw in draws:
        drawn |= _drawn(arena, draw)
    return drawn & arena.judged.trusted


def _drawn(arena: Arena, draw: Draw) -> Mask:
    return np.asarray(pc.is_in(arena.dev_ids, value_set=pa.array(draw.ids, pa.string())))


def _answers_needed(arena: Arena, judgement: Judgement) -> int | None:
    """Return how many answers on disagreeing rows would decide, or None where they cannot."""
    if arena.bench.schema.task.is_regression or not judgement.n_disagreeing:
        return None
    gain = judgement.corrected.value if judgement.corrected is not None else judgement.nothing.gain
    if gain <= 0:
        return None
    rate = judgement.n_disagreeing / judgement.n_rows
    return answers_to_decide(gain, rate, judgement.n_disagreeing, arena.settings.alpha)


def _trial(arena: Arena, measured: _Measured, decision: Decision, alpha: float) -> Trial:
    judgement, edit = measured.reading.judgement, measured.candidate.edit
    return Trial(
        edit=edit.edit_id,
        verb=str(edit.verb),
        operator=edit.operator,
        rows=edit.n_rows,
        parent=arena.parent,
        forecast=measured.candidate.forecast,
        gain=judgement.nothing.estimate,
        over_placebo=judgement.placebo.estimate,
        placebo=judgement.placebo_gain,
        p_nothing=judgement.nothing.p_value,
        p_placebo=judgement.placebo.p_value,
        p_adjusted=decision.p_adjusted,
        alpha=alpha,
        verdict=decision.verdict,
        reason=decision.reason,
        judge=f"{judgement.evidence}: {judgement.assumption}",
        disagreeing=judgement.n_disagreeing,
        answers_needed=measured.reading.answers_needed if decision.verdict is Verdict.UNDECIDED else None,
        least_detectable_gain=_least_detectable(arena, judgement, alpha),
        seconds=measured.seconds,
        seed=arena.settings.seed,
        corrected_gain=judgement.corrected,
        guards=measured.reading.guards,
        base=measured.base,
    )


def _least_detectable(arena: Arena, judgement: Judgement, alpha: float) -> float:
    """Return the least true gain that this trial's comparison with nothing would have found in four of five cases."""
    if arena.bench.schema.task.is_regression or arena.bench.metric.stratified:
        spread = judgement.nothing.standard_error * float(np.sqrt(judgement.n_rows))
        return float(least_detectable_difference(spread, judgement.n_rows, alpha))
    rate = judgement.n_disagreeing / max(judgement.n_rows, 1)
    return float(least_detectable_gain(rate, judgement.n_rows, alpha))


def _compose(
    arena: Arena,
    finalists: Sequence[Candidate],
    tried: Sequence[Tried],
    alpha: float,
    tell: Callable[[str, int, int], None],
) -> list[Tried]:
    """Re-test each kept edit on top of those before it, the largest gain first; keep it only if it still helps."""
    by_id = {candidate.edit.edit_id: candidate for candidate in finalists}
    kept = sorted(
        (t for t in tried if t.trial.verdict is Verdict.KEPT), key=lambda t: (-t.trial.gain.value, t.edit.edit_id)
    )
    rest = [t for t in tried if t.trial.verdict is not Verdict.KEPT]
    composed: list[Tried] = []
    for done, one in enumerate(kept):
        if not composed:
            composed.append(one)
            continue
        tell(f"{one.edit.operator} on top of {len(composed)}", done, len(kept))
        measured = _measure(arena, by_id[one.edit.edit_id], tuple(t.edit for t in composed))
        decision = decide_retest(measured.reading, alpha, len(finalists) - 1, arena.settings.least_useful_gain)
        trial = _trial(arena, measured, decision, alpha)
        if decision.verdict is Verdict.KEPT:
            composed.append(Tried(edit=one.edit, trial=trial))
        else:
            why = f"kept alone, but on top of {', '.join(t.edit.operator.name for t in composed)}: {decision.reason}"
            alone = replace(one.trial, verdict=Verdict.UNDECIDED, reason=why, answers_needed=None)
            rest.append(Tried(edit=one.edit, trial=alone))
    return composed + rest


def _record(arena: Arena, run: str, trial: Trial) -> None:
    key = digest_of([run, trial.edit, list(trial.base)])
    if arena.ledger.trial(key) is None:
        arena.ledger.record_trial(key, trial)
