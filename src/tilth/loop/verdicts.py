"""Verdicts: from the figures of a run's finalists to kept, refused or undecided; pure, so that simulations can run it.

Run r of a dev split may spend alpha·6/(π² r²). Three quarters of it go to the finalists, corrected by Holm, more to those
whose forecast inside train is better, in which dev rows have no say; one quarter goes to the re-tests of composition,
split evenly over as many as there could be. So the chance that any edit whose true gain is ≤ 0 is kept over the life of
the split stays at or below alpha, whatever the edits have in common.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tilth.core.arrays import Vector
from tilth.core.trial import Guard, Verdict
from tilth.loop.judge import Evidence, Judgement
from tilth.numerics.error_budget import holm

__all__ = ["COMPOSITION_SHARE", "Decision", "Reading", "decide", "decide_retest", "shares_by_forecast"]

COMPOSITION_SHARE = 0.25
"""Part of a run's error budget that is set aside for re-tests in composition."""


_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is known of one finalist when verdicts are made."""

    judgement: Judgement
    guards: tuple[Guard, ...]
    answers_needed: int | None

    @property
    def p_value(self) -> float:
        """The larger of the two comparisons."""
        return max(self.judgement.nothing.p_value, self.judgement.placebo.p_value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A verdict with its reason and the corrected p-value that it rests on."""

    verdict: Verdict
    reason: str
    p_adjusted: float


def shares_by_forecast(forecasts: Sequence[float]) -> Vector:
    """Return which part of a run's budget each finalist may spend first: 1/rank of its forecast, scaled to sum to 1; ties alike.

    Examples
    --------
    >>> shares_by_forecast([0.01, 0.03]).round(2).tolist()
    [0.33, 0.67]
    """
    values = -np.asarray(forecasts, dtype=np.float64)
    shares = np.empty(len(values))
    shares[np.argsort(values, kind="stable")] = 1 / np.arange(1, len(values) + 1)
    alike = np.unique(values, return_inverse=True)[1]
    shares = (np.bincount(alike, weights=shares) / np.maximum(np.bincount(alike), 1))[alike]
    return np.asarray(shares / shares.sum())


def decide(
    readings: Sequence[Reading], alpha: float, least_useful_gain: float = 0.0, *, shares: Sequence[float] | None = None
) -> list[Decision]:
    """Return one decision per finalist, corrected by Holm over all of them; alpha is the run's share for finalists.

    `shares` say which part of it each may spend first, equal parts by default. What they leave of 1 belongs to finalists whose
    trial failed: they take their part of the correction like a p-value of 1.
    """
    p_values = [reading.p_value for reading in readings]
    failed = 0.0 if shares is None else 1 - sum(shares)
    if shares is not None and failed > _ROUNDING:
        p_values, shares = [*p_values, 1.0], [*shares, failed]
    adjusted = holm(np.array(p_values), None if shares is None else np.array(shares))[: len(readings)]
    return [_one(reading, float(p), alpha, least_useful_gain) for reading, p in zip(readings, adjusted, strict=True)]


def decide_retest(reading: Reading, alpha: float, n_possible: int, least_useful_gain: float = 0.0) -> Decision:
    """Return the decision of a re-test on top of other edits; alpha is the run's share for all of them."""
    return _one(reading, min(1.0, reading.p_value * max(1, n_possible)), alpha, least_useful_gain)


def _one(reading: Reading, p_adjusted: float, alpha: float, least: float) -> Decision:
    violated = [guard for guard in reading.guards if guard.violated]
    gain = reading.judgement.nothing
    if violated:
        worst = min(violated, key=lambda guard: guard.change.value)
        reason = f"guard {worst.slice!r} fell by {-worst.change.value:.4f} on {worst.rows:,} dev rows"
        return Decision(verdict=Verdict.REFUSED, reason=reason, p_adjusted=p_adjusted)
    if p_adjusted <= alpha and gain.gain > least:
        reason = f"better than nothing and than its placebo (corrected p {p_adjusted:.2g} ≤ {alpha:.2g})"
        return Decision(verdict=Verdict.KEPT, reason=reason, p_adjusted=p_adjusted)
    if gain.high <= least:
        reason = f"even the upper end of its gain, {gain.high:+.4f}, is not above {least:g}"
        return Decision(verdict=Verdict.REFUSED, reason=reason, p_adjusted=p_adjusted)
    return Decision(verdict=Verdict.UNDECIDED, reason=_why_undecided(reading, p_adjusted, alpha), p_adjusted=p_adjusted)


def _why_undecided(reading: Reading, p_adjusted: float, alpha: float) -> str:
    nothing, placebo = reading.judgement.nothing.p_value, reading.judgement.placebo.p_value
    against = "doing nothing" if nothing >= placebo else "its placebo"
    why = f"not told apart from {against} (corrected p {p_adjusted:.2g} > {alpha:.2g})"
    if reading.answers_needed is None or reading.judgement.evidence is Evidence.ANSWERS:
        return why
    return f"{why}; about {reading.answers_needed} answers would decide: tilth ask"
