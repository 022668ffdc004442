"""Trial: a measured try of an edit."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from tilth.core.estimate import Estimate
from tilth.core.spec import Spec

__all__ = ["Guard", "Slopes", "Trial", "Verdict"]


class Verdict(StrEnum):
    """What is decided about an edit: by the trial, or by a person over it."""

    KEPT = "kept"
    REFUSED = "refused"
    UNDECIDED = "undecided"
    ADOPTED = "adopted"
    VETOED = "vetoed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """One watched slice in a trial: its change on dev, and whether that forbids the edit."""

    slice: str
    rows: int
    change: Estimate
    p_worse: float
    violated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Slopes:
    """What the last doubling of the train rows brought, in units of the metric: without an edit's made rows, and with them.

    With them, half of the rows are accompanied by those made of that half alone.
    """

    before: Estimate
    after: Estimate


@dataclass(frozen=True, kw_only=True)
class Trial:
    """The figures of one try, all on dev.

    Gains are signed so that higher is better, in units of the metric. `gain` is measured against doing nothing, `over_placebo`
    against the mean of the placebo draws, `placebo` is what the placebo itself gained over doing nothing. `p_value` is the
    larger of the two comparisons; `alpha` is what it had to meet after Holm's correction. `corrected_gain` allows for wrong dev labels;
    `gain_given_kept` takes out the luck of an edit that was kept because its gain looked large. Where an edit aims at a slice, `goal` names
    it, and all gains are those of its rows; the average over all rows is then a guard. Of an edit that makes rows, `slopes` says how steep
    the learning curve is before and after it.
    """

    edit: str
    verb: str
    operator: Spec
    rows: int
    parent: str
    forecast: float
    gain: Estimate
    over_placebo: Estimate
    placebo: float
    p_nothing: float
    p_placebo: float
    p_adjusted: float
    alpha: float
    verdict: Verdict
    reason: str
    judge: str
    disagreeing: int
    answers_needed: int | None
    least_detectable_gain: float
    seconds: float
    seed: int
    corrected_gain: Estimate | None = None
    gain_given_kept: Estimate | None = None
    guards: tuple[Guard, ...] = ()
    base: tuple[str, ...] = field(default=())
    """Ids of the edits on top of which it was tried (re-tests in composition)."""
    goal: str = ""
    slopes: Slopes | None = None

    @property
    def p_value(self) -> float:
        """The larger of the two comparisons."""
        return max(self.p_nothing, self.p_placebo)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for the log."""
        return asdict(self) | {"verdict": str(self.verdict), "p_value": self.p_value}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Trial:
        """Build a trial from what `to_dict` gave."""
        facts = {key: value for key, value in values.items() if key != "p_value"}
        facts |= {
            name: _estimate(facts[name])
            for name in ("gain", "over_placebo", "corrected_gain", "gain_given_kept")
            if name in facts
        }
        facts["operator"] = Spec.from_dict(facts["operator"])
        facts["verdict"] = Verdict(facts["verdict"])
        facts["guards"] = tuple(Guard(**(g | {"change": _estimate(g["change"])})) for g in facts["guards"])
        facts["base"] = tuple(facts["base"])
        slopes = facts.get("slopes")
        facts["slopes"] = None if slopes is None else Slopes(**{name: Estimate(**one) for name, one in slopes.items()})
        return cls(**facts)


def _estimate(values: dict[str, Any] | None) -> Estimate | None:
    return None if values is None else Estimate(**values)
