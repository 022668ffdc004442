"""The judge: what dev rows say of a model after an edit, against the model before it and against placebos.

Three kinds of evidence, best first:

- *answers*: a person judged dev rows drawn at random among those on which the two models decide differently. Elsewhere
  their difference is zero whatever the truth is, so the scaled mean of the answers is unbiased without any assumption
  about noise. From 30 answers on, what the labels as they came and the model foretell takes part of the error out of it;
  only its deviations from the answers count, so that it cannot turn the verdict. Against the placebo, the answers stand
  for the rows where the two models differ, and given labels for the others.
- *trusted rows*: a person confirmed enough dev rows that were drawn at random.
- *given labels*: dev labels as they are. The assumption is stated with the verdict: that a wrong dev label does not
  agree with the edited model more often than with the unedited one. The corrected gain undoes class-dependent noise
  (Natarajan et al. 2013) with a transition estimated on dev rows, and is shown beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from tilth.core.arrays import IntVector, Mask, Matrix, Vector
from tilth.core.errors import NotApplicable
from tilth.core.estimate import Estimate
from tilth.core.rng import generator
from tilth.loop.bench import Bench, Judged
from tilth.loop.foretelling import Foretold
from tilth.numerics.assisted_answers import ENOUGH_ANSWERS, assisted_gain
from tilth.numerics.detectability import gain_from_answers
from tilth.numerics.intervals import mean_interval
from tilth.numerics.noise import backward_accuracy, noise_rate, noise_transition
from tilth.numerics.paired_tests import PairedResult, beats_nothing, beats_placebo, exact_binomial

__all__ = ["TRUSTED_ENOUGH", "Answers", "Evidence", "Judgement", "Outcome", "judge"]

TRUSTED_ENOUGH = 200
"""Trusted dev rows, drawn at random, from which on they judge alone."""
CLEAN_ENOUGH = 0.02
"""Estimated share of wrong dev labels up to which no correction is shown."""


class Evidence(StrEnum):
    """What the judge went by."""

    ANSWERS = "answers"
    TRUSTED = "trusted rows"
    LABELS = "given labels"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """Row scores and decisions on the judging rows of the model before, after, and after each placebo draw.

    `before`, `after`: (n,) scores; `placebos`: (draws, n) scores; decisions: (n,) class numbers, or predicted numbers.
    """

    before: Vector
    after: Vector
    placebos: Matrix
    decided_before: np.ndarray
    decided_after: np.ndarray

    @property
    def changed(self) -> Mask:
        """Rows on which the models before and after decide differently."""
        return np.asarray(self.decided_before != self.decided_after)

    def only(self, rows: Mask) -> Outcome:
        """Return the outcome on some of the judging rows."""
        return Outcome(
            before=self.before[rows],
            after=self.after[rows],
            placebos=self.placebos[:, rows],
            decided_before=self.decided_before[rows],
            decided_after=self.decided_after[rows],
        )

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return named arrays, so that an outcome can be kept."""
        return {
            "before": self.before,
            "after": self.after,
            "placebos": self.placebos,
            "decided_before": self.decided_before,
            "decided_after": self.decided_after,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Trusted answers on a random draw of the rows where the models before and after decide differently.

    `answered` marks, among all judging rows, those that were drawn and answered.
    """

    answered: Mask
    n_disagreeing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the judge found: both comparisons, the corrected gain, what it went by, and what that assumes."""

    nothing: PairedResult
    placebo: PairedResult
    placebo_gain: float
    corrected: Estimate | None
    evidence: Evidence
    assumption: str
    n_disagreeing: int
    n_rows: int
    foretold: float | None = None
    """Share of the variance of answers that is to be expected foretold; None where answers are judged by themselves."""
    decisive: float = 1.0
    """Share of the disagreeing rows on which one of the two models is to be expected right."""


def judge(
    bench: Bench,
    judged: Judged,
    outcome: Outcome,
    *,
    answers: Answers | None = None,
    random_trusted: Mask | None = None,
    joint: Matrix | None = None,
    foretold: Foretold | None = None,
    step: tuple[object, ...] = (),
) -> Judgement:
    """Compare the model after an edit with the model before it and with its placebos.

    Parameters
    ----------
    judged : the dev rows
    outcome : of the same rows
    answers : answers drawn for this very edit, if there are any
    random_trusted : which of the rows a person confirmed in a random draw
    joint : (k, k) confident joint of the dev rows' labels, for the corrected gain; None for regression
    foretold : what is known of the same rows without answers
    step : names the draw of the sign flips, so that a verdict does not depend on what else was tried
    """
    rows, evidence, assumption = _rows_to_use(len(judged), random_trusted)
    rng = generator(bench.seed, "judge", *step)
    sample = _rows_by_label(rows, outcome, judged.groups, bench.strata(judged))
    if answers is not None and answers.answered.any():
        evidence = Evidence.ANSWERS
        assumption = (
            "answers are true, and those left empty are no different from those given; "
            "against the placebo, given labels judge where the models decide alike"
        )
        sample = _rows_by_answer(answers, outcome, judged.groups, bench.strata(judged))
    nothing = beats_nothing(sample.after, sample.before, sample.groups, sample.strata, rng=rng)
    placebo = beats_placebo(sample.after, sample.placebos, sample.groups, sample.strata, rng=rng)
    is_plain = judged.groups is None and not bench.metric.stratified  # a mean over rows that are drawn alone
    helped = foretold if is_plain else None
    if evidence is Evidence.ANSWERS and is_plain:
        assert answers is not None
        nothing = _by_answers(answers, outcome, helped)
    return Judgement(
        nothing=nothing,
        placebo=placebo,
        placebo_gain=sample.mean_of(sample.placebos.mean(axis=0) - sample.before),
        corrected=None if evidence is not Evidence.LABELS else _corrected(bench, judged, outcome, joint),
        evidence=evidence,
        assumption=assumption,
        n_disagreeing=int(outcome.changed.sum() if evidence is Evidence.ANSWERS else outcome.changed[rows].sum()),
        n_rows=len(judged) if evidence is Evidence.ANSWERS else int(np.sum(rows)),
        foretold=None if helped is None else helped.share(outcome),
        decisive=1.0 if helped is None else helped.decisive(outcome),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sample:
    """Row scores that judge, scaled so that their (stratified) mean estimates that of all judging rows."""

    before: Vector
    after: Vector
    placebos: Matrix
    groups: IntVector | None
    strata: IntVector | None

    def mean_of(self, values: Vector) -> float:
        """Return the mean of values of these rows, or the mean of the strata's means."""
        if self.strata is None:
            return float(values.mean())
        return float(np.mean([values[self.strata == stratum].mean() for stratum in np.unique(self.strata)]))


def _rows_by_label(rows: Mask, outcome: Outcome, groups: IntVector | None, strata: IntVector | None) -> _Sample:
    return _Sample(
        before=outcome.before[rows],
        after=outcome.after[rows],
        placebos=outcome.placebos[:, rows],
        groups=None if groups is None else groups[rows],
        strata=None if strata is None else strata[rows],
    )


def _rows_by_answer(answers: Answers, outcome: Outcome, groups: IntVector | None, strata: IntVector | None) -> _Sample:
    """Answered rows stand for all rows on which the models differ; those on which they agree stand for themselves."""
    n = len(outcome.before)
    stands_for = np.where(outcome.changed, 0.0, 1.0)
    stands_for[answers.answered] = answers.n_disagreeing / answers.answered.sum()
    rows = stands_for > 0
    codes = np.zeros(n, dtype=np.intp) if strata is None else strata
    kept, all_rows = (np.bincount(c, minlength=int(codes.max()) + 1) for c in (codes[rows], codes))
    scale = stands_for[rows] * (kept / np.maximum(all_rows, 1))[codes[rows]]
    sample = _rows_by_label(rows, outcome, groups, strata)
    return replace(
        sample, before=sample.before * scale, after=sample.after * scale, placebos=sample.placebos * scale[None, :]
    )


def _rows_to_use(n: int, random_trusted: Mask | None) -> tuple[Mask, Evidence, str]:
    if random_trusted is not None and random_trusted.sum() >= TRUSTED_ENOUGH:
        return random_trusted, Evidence.TRUSTED, "the confirmed labels are true"
    everything = np.ones(n, dtype=bool)
    return (
        everything,
        Evidence.LABELS,
        "a wrong dev label agrees with the edited model no more often than with the unedited one",
    )


def _exact_by_answers(answers: Answers, outcome: Outcome) -> PairedResult:
    """Return the gain by answers, the share of disagreeing rows times the mean difference on answered ones; exact test."""
    old, new = outcome.before[answers.answered] > 0, outcome.after[answers.answered] > 0
    estimate = gain_from_answers(old, new, answers.n_disagreeing, len(outcome.before))
    return PairedResult(
        gain=estimate.value,
        standard_error=estimate.standard_error,
        low=estimate.low,
        high=estimate.high,
        p_value=exact_binomial(int((new & ~old).sum()), int((old & ~new).sum())),
    )


def _by_answers(answers: Answers, outcome: Outcome, foretold: Foretold | None) -> PairedResult:
    """Return the gain by answers; where there are enough, with the help of what is known of the disagreeing rows without them."""
    if foretold is None or answers.answered.sum() < ENOUGH_ANSWERS:
        return _exact_by_answers(answers, outcome)
    rows = outcome.changed
    differences = (outcome.after > 0).astype(np.float64) - (outcome.before > 0)
    predictors = foretold.predictors(outcome)[rows]
    return assisted_gain(differences[rows], answers.answered[rows], predictors, len(rows))


def _corrected(bench: Bench, judged: Judged, outcome: Outcome, joint: Matrix | None) -> Estimate | None:
    """Return the gain in accuracy with class-dependent dev noise undone, or None where that is not possible."""
    if joint is None or bench.metric.stratified or noise_rate(joint) <= CLEAN_ENOUGH:
        return None
    transition = noise_transition(joint)
    try:
        after = backward_accuracy(outcome.decided_after, judged.labels, transition)
        before = backward_accuracy(outcome.decided_before, judged.labels, transition)
    except NotApplicable:
        return None
    return mean_interval(after - before, groups=judged.groups)
