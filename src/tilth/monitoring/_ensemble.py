"""One estimate out of many, with an interval that has learnt from mistakes.

    value = sum_j u_j e_j,      u_j ~ 1 / mean squared error of estimator j on pseudo-shifts
    half² = z² (s² + disagreement²) + (k min(D, R))² + (E max(0, (D / R)² - 1))²

Pseudo-shifts are made of the labelled rows themselves: slices are left out, rows are drawn with a tilt. On them the truth
is known, so each estimator has a record. s is the sampling error; disagreement is that of the estimators among each
other; D is how far the new rows lie from the labelled ones, in standard deviations; k is such that nine of ten
pseudo-shifts lie inside; R is the distance that nine of ten of them keep to. Beyond R there is no record to go by: the
worst error E is added, growing with the square of the distance, until the interval says no more than the bounds do.

Source: Guillory et al. (2021), ICCV, section 4; Bates, Granger (1969), The combination of forecasts, Operational
Research Quarterly 20 (weights by past errors); DerSimonian, Laird (1986), Meta-analysis in clinical trials, Controlled
Clinical Trials 7 (disagreement as variance).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tilth.core.arrays import IntVector, Matrix
from tilth.core.errors import NotApplicable
from tilth.core.estimate import Estimate
from tilth.core.rng import generator
from tilth.monitoring._shared import (
    SHARE,
    Mistakes,
    PseudoShift,
    Record,
    bounds_of,
    by_digest,
    distance_between,
    evidence_of,
    interval_of,
    main_directions,
    mistakes_of,
    pseudo_shifts,
    scored_rows,
    view_for,
)
from tilth.numerics.distributions import normal_point
from tilth.operators.protocols import ScoreEstimator
from tilth.operators.view import View

__all__ = ["FEWEST_LABELLED", "Ensembled", "ensemble", "record_of"]

FEWEST_LABELLED = 100
"""Labelled rows below which no pseudo-shifts can be made of them."""
_MOST_ROWS = 3_000
_KEPT, _COMPARED = 64, 20
"""Main directions that pseudo-shifts are made and weighed in, and those that distance is measured in."""
_FEWEST_SHIFTS = 8
_LEAST_SQUARE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Ensembled:
    """What is to be expected of new rows.

    Parameters
    ----------
    estimate : of all estimators together
    parts : estimator -> its estimate, with the interval that its own record asks for
    sampling : estimator -> its estimate as it gave it: sampling errors only
    refused : estimator -> why it would not say
    distance : of the new rows from the labelled ones, in standard deviations of these
    reach : distance up to which there is a record
    """

    estimate: Estimate
    parts: Mapping[str, Estimate]
    sampling: Mapping[str, Estimate]
    refused: Mapping[str, str]
    distance: float
    reach: float

    @property
    def is_beyond(self) -> bool:
        """Whether the new rows lie farther off than pseudo-shifts could be made: the interval is then a guess."""
        return self.distance > self.reach


@dataclass(frozen=True, slots=True, eq=False)
class _Tried:
    """One pseudo-shift: what each estimator said, the truth, and the distance."""

    said: Mapping[str, Estimate]
    truth: float
    distance: float


def ensemble(
    parts: Mapping[str, ScoreEstimator],
    reference: View,
    current: View,
    *,
    record: Record | None = None,
    level: float = 0.95,
) -> Ensembled:
    """Estimate the mean score on rows without labels by several estimators.

    Parameters
    ----------
    parts : estimators by name; the loop hands them in
    reference : labelled rows, scored out of sample; its needs are those of all parts together
    current : new rows
    record : from `record_of` on the same reference, if it is there already
    level : coverage that is aimed at, in (0, 1)

    Raises
    ------
    NotApplicable
        Fewer than 100 labelled rows, no new rows, or all estimators refuse.

    Randomness: the view's seed decides which rows make pseudo-shifts.
    """
    rows = scored_rows(reference, current)
    known = record or record_of(parts, reference)
    evidence, new = evidence_of(reference), evidence_of(current)
    said, refused = _said(parts, reference, (evidence, rows), current, (new, np.arange(len(current))))
    unknown = [name for name in said if name not in known.parts]
    refused |= dict.fromkeys(unknown, "it refused all pseudo-shifts: there is no record of it")
    said = {name: one for name, one in said.items() if name in known.parts}
    if not said:
        raise NotApplicable(f"no estimator can say: {'; '.join(f'{name}: {why}' for name, why in refused.items())}")
    distance = _distance(_frame(evidence)[rows], _frame(new))
    value, spread = _together(said, known.parts)
    bounds = bounds_of(reference.scores[rows])
    return Ensembled(
        estimate=_widened(value, known.together.half_width(spread, distance, level), bounds, level),
        parts={
            name: _widened(one.value, known.parts[name].half_width(one.standard_error, distance, level), bounds, level)
            for name, one in said.items()
        },
        sampling=said,
        refused=refused,
        distance=distance,
        reach=known.together.reach,
    )


def record_of(parts: Mapping[str, ScoreEstimator], reference: View) -> Record:
    """Try estimators on pseudo-shifts of labelled rows; about 40 of them, each with at most 3,000 rows.

    Raises
    ------
    NotApplicable
        Fewer than 100 labelled rows, or too few shifts can be made of them.
    """
    order = by_digest(reference)
    rows = order[np.isin(order, scored_rows(reference, reference))][:_MOST_ROWS]
    if len(rows) < FEWEST_LABELLED:
        raise NotApplicable(
            f"{len(rows)} labelled rows are too few to try estimators on; {FEWEST_LABELLED} are needed",
            next_step="label more rows like those the model learnt from",
        )
    evidence = _reduced(reference, rows)
    directions = evidence.get("embeddings")
    rng = generator(reference.seed, "monitoring", "pseudo-shifts")
    tried = [
        found
        for shift in pseudo_shifts(evidence, directions, rng)
        if (found := _try(parts, reference, evidence, rows, shift)) is not None
    ]
    if len(tried) < _FEWEST_SHIFTS:
        raise NotApplicable(f"only {len(tried)} pseudo-shifts could be made of {len(rows)} labelled rows")
    return _record(tried)


def _reduced(reference: View, rows: IntVector) -> dict[str, Any]:
    """Return the evidence of some rows, embeddings along their main directions."""
    whole = evidence_of(reference)
    cut: dict[str, Any] = {
        need: values[rows] if isinstance(values, np.ndarray) else {name: one[rows] for name, one in values.items()}
        for need, values in whole.items()
    }
    if "embeddings" in cut:
        vectors = cut["embeddings"]
        cut["embeddings"] = main_directions(vectors, vectors, _KEPT)[0]
    return cut


def _try(
    parts: Mapping[str, ScoreEstimator],
    reference: View,
    evidence: Mapping[str, Any],
    rows: IntVector,
    shift: PseudoShift,
) -> _Tried | None:
    """Return what the estimators said of a pseudo-shift, or None where all refuse."""
    said, _ = _said(parts, reference, (evidence, shift.reference), reference, (evidence, shift.current), ids=rows)
    if not said:
        return None
    frame = _frame(evidence)
    truth = float(evidence["scores"][shift.current].mean())
    return _Tried(said, truth, _distance(frame[shift.reference], frame[shift.current]))


def _said(
    parts: Mapping[str, ScoreEstimator],
    reference: View,
    known: tuple[Mapping[str, Any], IntVector],
    current: View,
    new: tuple[Mapping[str, Any], IntVector],
    *,
    ids: IntVector | None = None,
) -> tuple[dict[str, Estimate], dict[str, str]]:
    """Return what estimators say, and why others will not."""
    said: dict[str, Estimate] = {}
    refused: dict[str, str] = {}
    for name, part in parts.items():
        here = view_for(part, reference, *known, ids=ids)
        there = view_for(part, current, *new, ids=ids, labelled=False)
        try:
            said[name] = part.estimate(here, there)
        except NotApplicable as refusal:
            refused[name] = refusal.what
    return said, refused


def _record(tried: Sequence[_Tried]) -> Record:
    distances = np.array([one.distance for one in tried])
    reach = float(np.quantile(distances, SHARE))
    parts = {}
    for name in dict.fromkeys(name for one in tried for name in one.said):
        mine = [one for one in tried if name in one.said]
        missed = np.array([one.said[name].value - one.truth for one in mine])
        spreads = np.array([one.said[name].standard_error for one in mine])
        parts[name] = mistakes_of(missed, spreads, np.array([one.distance for one in mine]), reach)
    together = [_together(one.said, parts) for one in tried]
    missed = np.array([value - one.truth for (value, _), one in zip(together, tried, strict=True)])
    return Record(
        parts=parts,
        together=mistakes_of(missed, np.array([spread for _, spread in together]), distances, reach),
        n_shifts=len(tried),
    )


def _together(said: Mapping[str, Estimate], parts: Mapping[str, Mistakes]) -> tuple[float, float]:
    """Return the weighted mean, and its spread: sampling error (as if all had the same) and disagreement."""
    names = [name for name in said if name in parts]
    weights = np.array([1 / max(parts[name].square, _LEAST_SQUARE) for name in names])
    weights /= weights.sum()
    values = np.array([said[name].value for name in names])
    sampling = float(weights @ np.array([said[name].standard_error for name in names]))
    value = float(weights @ values)
    return value, float(np.sqrt(sampling**2 + weights @ np.square(values - value)))


def _widened(value: float, half: float, bounds: tuple[float, float] | None, level: float) -> Estimate:
    return interval_of(value, (half / float(normal_point((1 - level) / 2))) ** 2, bounds, level)


def _frame(evidence: Mapping[str, Any]) -> Matrix:
    """Return what distance is measured in: embeddings, else predictions."""
    for need in ("embeddings", "pred_probs"):
        if need in evidence and evidence[need].shape[1]:
            return np.asarray(evidence[need], dtype=np.float64)
    raise NotApplicable("there are neither embeddings nor predictions to compare rows by")


def _distance(reference: Matrix, current: Matrix) -> float:
    return distance_between(*main_directions(reference, current, _COMPARED))
