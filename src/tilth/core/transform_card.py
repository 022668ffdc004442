"""TransformCard: what a transform does to rows, their labels and predictions: measured on train rows, before it is used."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from tilth.core.display import Displayed
from tilth.core.estimate import Estimate
from tilth.core.transformed import LabelEffect

__all__ = ["Alarm", "DoubtfulRow", "TransformCard", "TransformReport"]

Alarm = Literal["broken", "idle", "fails", "drifts", "told_apart", "one_copy", "slow"]
"""What a person should look at: it could not be used, changes no row, fails on rows, its rows lose their label, are told from real ones,
are the same in every draw, or cost more than training on them and more than 0.2 ms a row."""
LEAST_DRIFT = 0.02
"""Label drift that has to be exceeded surely before a card says so."""
LEAST_SLOW = 0.2
"""CPU milliseconds a row below which nobody waits for a transform."""
TOLD_APART = 0.9
"""Realism that has to be exceeded surely."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtfulRow:
    """A row that may have lost its label: worth asking a person about.

    Parameters
    ----------
    row_id : the row
    label, after : its label, and what is predicted of it after the transform; "" where the label may not be shown
    confidence : the lesser of the probabilities of its label before, and of the other class after; 0 where a number is learnt
    """

    row_id: str
    label: str = ""
    after: str = ""
    confidence: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformCard:
    """One transform at one severity. All but the first figure are of the rows that it changed.

    Parameters
    ----------
    name, severity : the transform; None where it has no severities
    label : what it says it may do to the label
    columns : what it was handed
    tried, rows : train rows that it was handed, and that it changed
    applies : share of rows that it changed
    realism : AUROC of a classifier that tells changed rows from other real rows, which it did not see; 0.5 = it cannot
    drift : by how much the share of rows falls whose label a model that did not see them agrees with; where a number is learnt,
        by how much the mean error rises, in standard deviations of the label
    doubtful : rows that agreed with their label and are surely another class afterwards, surest first
    diversity : mean distance of two draws of one row, in median distances of a real row to the nearest other one
    unchanged : share of rows of which the current model predicts the same
    movement : mean change of its probabilities, from 0 to 1, or of the predicted number
    cost_ms, training_ms : CPU milliseconds a row: of the transform, and of encoding and fitting a row
    failures, errors : rows on which it failed, and the first different messages
    notes : figures that could not be measured, and why
    note : why it was not measured at all
    is_broken : whether it broke the rules of transforms, or raised
    """

    name: str
    severity: int | None
    label: LabelEffect
    columns: tuple[str, ...] = ()
    tried: int = 0
    rows: int = 0
    applies: Estimate | None = None
    realism: Estimate | None = None
    drift: Estimate | None = None
    doubtful: tuple[DoubtfulRow, ...] = ()
    diversity: Estimate | None = None
    unchanged: Estimate | None = None
    movement: Estimate | None = None
    cost_ms: float | None = None
    training_ms: float | None = None
    failures: int = 0
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    note: str = ""
    is_broken: bool = False

    @property
    def title(self) -> str:
        """The transform and its severity."""
        return self.name if self.severity is None else f"{self.name} {self.severity}"

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """What a person should look at, the gravest first."""
        surely = {
            "broken": self.is_broken,
            "idle": not self.is_broken and not self.rows,
            "drifts": self.label == "keep" and self.drift is not None and self.drift.low > LEAST_DRIFT,
            "told_apart": self.realism is not None and self.realism.low > TOLD_APART,
            "fails": self.failures > 0,
            "slow": self.cost_ms is not None and self.cost_ms > max(self.training_ms or 0.0, LEAST_SLOW),
            "one_copy": self.diversity is not None and self.diversity.value == 0,
        }
        return tuple(name for name, is_so in surely.items() if is_so)  # type: ignore[misc]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformReport(Displayed):
    """What `Project.transforms` returns: measured on train rows; dev and test are not read.

    Parameters
    ----------
    version : whose rows and model
    seed : decided what was drawn
    rows, of_rows : train rows that were tried, and train rows with a label
    told_by : the classifier that tells transformed rows from real ones
    is_regression : whether a number is learnt
    cards : one per transform and severity
    """

    version: str
    seed: int
    rows: int
    of_rows: int
    told_by: str
    is_regression: bool
    cards: tuple[TransformCard, ...]

    def without_messages(self) -> TransformReport:
        """Return the report without what functions raised: a message may quote a hidden cell."""
        cards = [
            replace(
                card,
                errors=tuple(dict.fromkeys(_kind(error) for error in card.errors)),
                note=_kind(card.note) if card.is_broken else card.note,
            )
            for card in self.cards
        ]
        return replace(self, cards=tuple(cards))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        cards = [asdict(card) | {"alarms": list(card.alarms)} for card in self.cards]
        return asdict(self) | {"cards": cards}


def _kind(message: str) -> str:
    """Return what kind of error a message tells of, without its words."""
    return message.partition(" ")[0].rstrip(":")
