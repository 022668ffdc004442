"""What operators of this room have in common; they import it from here."""

from __future__ import annotations

from tilth.monitoring._shared.directions import main_directions
from tilth.monitoring._shared.limits import WHAT_IT_CANNOT_KNOW, labels_for, labels_worth_as_much
from tilth.monitoring._shared.parts import evidence_of, view_for
from tilth.monitoring._shared.record import SHARE, Mistakes, Record, mistakes_of
from tilth.monitoring._shared.rows import (
    by_digest,
    confidence,
    halves,
    refuse_empty,
    refuse_other_than_right_or_wrong,
    scored_rows,
)
from tilth.monitoring._shared.sampling import bounds_of, interval_of, row_variance
from tilth.monitoring._shared.shifts import PseudoShift, distance_between, pseudo_shifts
from tilth.monitoring._shared.weighing import effective_rows, refuse_few, weighted_score

__all__ = [
    "SHARE",
    "WHAT_IT_CANNOT_KNOW",
    "Mistakes",
    "PseudoShift",
    "Record",
    "bounds_of",
    "by_digest",
    "confidence",
    "distance_between",
    "effective_rows",
    "evidence_of",
    "halves",
    "interval_of",
    "labels_for",
    "labels_worth_as_much",
    "main_directions",
    "mistakes_of",
    "pseudo_shifts",
    "refuse_empty",
    "refuse_few",
    "refuse_other_than_right_or_wrong",
    "row_variance",
    "scored_rows",
    "view_for",
    "weighted_score",
]
