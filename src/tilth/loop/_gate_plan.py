"""GatePlan: what `tests:` in tilth.yaml says: conditions, checks, and how often the test rows may be asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tilth.core.condition import Condition

__all__ = ["ADAPTIVITIES", "CheckChoice", "GatePlan"]

ADAPTIVITIES = ("none", "first_change", "full")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckChoice:
    """A check as it is written: an SQL predicate that must hold for a share of rows.

    Parameters
    ----------
    name : what it is called
    where : the predicate
    at_least : share of rows on which it must hold, in (0, 1]
    on : rows (all), train, dev, test, predictions (the model's, on test rows), or empty: as its columns say
    place : where it is written
    """

    name: str
    where: str
    at_least: float = 1.0
    on: str = ""
    place: str = field(default="", compare=False)

    def to_dict(self) -> dict[str, object]:
        """Return what is written of it: what is not the default."""
        said: dict[str, object] = {"name": self.name, "where": self.where}
        if self.at_least != 1:
            said["at_least"] = self.at_least
        return said | ({"on": self.on} if self.on else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePlan:
    """What a gate asks.

    Parameters
    ----------
    conditions : what must hold of the models' scores on test
    checks : what must hold of rows and predictions
    reliability : how surely a condition must be known that does not say so itself
    looks : how many pairs of versions these test rows are asked about
    adaptivity : what is known of earlier looks when versions are made: none, first_change or full
    undecided : whether an undecided condition lets a version pass: pass or fail
    """

    conditions: tuple[Condition, ...] = ()
    checks: tuple[CheckChoice, ...] = ()
    reliability: float = 0.95
    looks: int = 10
    adaptivity: str = "none"
    undecided: str = "fail"
