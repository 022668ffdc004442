"""ExpectedScore: what a model is likely to score on new rows that nobody labelled, and how foreign these are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tilth.core.estimate import Estimate

__all__ = ["ExpectedScore", "ForeignRow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignRow:
    """A new row that is unlike the train rows.

    Parameters
    ----------
    row : its id, or its number from 1
    distance : to its tenth-nearest train row, in [0, 2]
    """

    row: str
    distance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedScore:
    """An estimate for a table without labels.

    Parameters
    ----------
    metric : what is estimated; accuracy where the project's own metric is a mean over classes
    version : whose model
    rows : new rows
    expected : of all estimators together
    parts : estimator -> its own estimate, as wide as its mistakes on pseudo-shifts ask for
    refused : estimator -> why it would not say
    known : the score on the labelled dev rows that all of this goes by
    known_rows : how many these are
    distance, reach : how far the new rows lie from the dev rows, in standard deviations, and how far mistakes are on record
    foreign_share : of new rows that lie farther from the train rows than 95 % of the dev rows do, in [0, 1]
    foreign : the most foreign rows, most foreign first
    labels_worth_as_much : labels of new rows, drawn at random, that would be as sure whatever has changed
    cannot_know : what no estimate without labels can know
    warnings : what a reader must know beside
    """

    metric: str
    version: str
    rows: int
    expected: Estimate
    parts: Mapping[str, Estimate]
    refused: Mapping[str, str]
    known: Estimate
    known_rows: int
    distance: float
    reach: float
    foreign_share: float
    foreign: tuple[ForeignRow, ...]
    labels_worth_as_much: int
    cannot_know: str
    warnings: tuple[str, ...] = field(default=())

    @property
    def is_beyond(self) -> bool:
        """Whether the new rows lie farther off than mistakes are on record: the interval is then a guess."""
        return self.distance > self.reach

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "metric": self.metric,
            "version": self.version,
            "rows": self.rows,
            "expected": _plain(self.expected),
            "parts": {name: _plain(one) for name, one in self.parts.items()},
            "refused": dict(self.refused),
            "known": _plain(self.known) | {"rows": self.known_rows},
            "distance": self.distance,
            "reach": self.reach,
            "foreign_share": self.foreign_share,
            "foreign": [{"row": one.row, "distance": one.distance} for one in self.foreign],
            "labels_worth_as_much": self.labels_worth_as_much,
            "cannot_know": self.cannot_know,
            "warnings": list(self.warnings),
        }


def _plain(estimate: Estimate) -> dict[str, Any]:
    return {"value": estimate.value, "interval": estimate.as_list()}
