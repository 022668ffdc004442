"""Tried: the figures of one try, and the trial that a decision makes of them."""

from __future__ import annotations

from dataclasses import dataclass

from tilth.core.edit import Edit
from tilth.core.estimate import WIDEST, Estimate
from tilth.core.trial import Slopes, Trial, Verdict
from tilth.loop.arena import Arena
from tilth.loop.candidates import Candidate
from tilth.loop.judge import Judgement, Outcome
from tilth.loop.sensitivity import least_detectable
from tilth.loop.verdicts import Decision, Reading
from tilth.numerics.kept_gain import given_kept, least_kept

__all__ = ["Measured", "Tried", "trial_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A finalist after its trial, with the edit as it can be committed."""

    edit: Edit
    trial: Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The figures of one try before a verdict is made of them."""

    candidate: Candidate
    outcome: Outcome
    reading: Reading
    base: tuple[str, ...]
    n_left_out: int
    """Dev rows that copy what the edit removes."""
    seconds: float
    slopes: Slopes | None = None
    """How steep the learning curve is, of an edit that makes rows."""


def trial_of(arena: Arena, measured: Measured, decision: Decision, alpha: float, level: float) -> Trial:
    """Return the trial of a try and its decision; `level` is what the p-value had to meet if no other edit helps."""
    judgement: Judgement = measured.reading.judgement
    edit, undecided = measured.candidate.edit, decision.verdict is Verdict.UNDECIDED
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
        judge=f"{judgement.evidence}: {judgement.assumption}{_left_out(measured.n_left_out)}",
        disagreeing=judgement.n_disagreeing,
        answers_needed=measured.reading.answers_needed if undecided else None,
        least_detectable_gain=least_detectable(arena.bench, arena.judged, judgement, level),
        seconds=measured.seconds,
        seed=arena.settings.seed,
        corrected_gain=judgement.corrected,
        gain_given_kept=_given_kept(judgement, decision, alpha),
        guards=measured.reading.guards,
        base=measured.base,
        goal=edit.goal,
        slopes=measured.slopes,
    )


def _given_kept(judgement: Judgement, decision: Decision, alpha: float) -> Estimate | None:
    """Return a kept edit's gain without the luck that being kept takes; None for others, and where there is no error."""
    nothing, placebo = judgement.nothing, judgement.placebo
    if decision.verdict is not Verdict.KEPT or not 0 < nothing.standard_error < WIDEST:
        return None
    larger = max(nothing.p_value, placebo.p_value)
    bar = alpha * min(1.0, larger / decision.p_adjusted) if decision.p_adjusted > 0 else alpha
    errors = (nothing.standard_error, max(placebo.standard_error, nothing.standard_error * 1e-6))
    least = least_kept(nothing.gain, errors, (nothing.p_value, placebo.p_value), max(bar, larger))
    return given_kept(nothing.gain, nothing.standard_error, least)


def _left_out(n: int) -> str:
    return f"; {n:,} dev rows that copy removed rows do not judge" if n else ""
