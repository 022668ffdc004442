"""Comparison: two versions' models on the same rows: overall, class by class, slice by slice, what became worse first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tilth.core.display import Displayed
from tilth.core.estimate import Estimate

__all__ = ["SIGNIFICANT", "Change", "Comparison"]

SIGNIFICANT = 0.05
"""Adjusted p-value up to which a change counts as found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How the score of a group of rows changed from one model to another.

    Parameters
    ----------
    name : the group
    rows : how many rows it has
    before, after : the two models' scores, higher is better (errors are below 0)
    gain : after minus before, paired row by row
    p_worse : adjusted p-value of "it did not become worse"
    p_better : adjusted p-value of "it did not become better"
    """

    name: str
    rows: int
    before: Estimate
    after: Estimate
    gain: Estimate
    p_worse: float
    p_better: float

    @property
    def is_worse(self) -> bool:
        """Whether it became worse, beyond chance, among all that were looked at."""
        return self.p_worse <= SIGNIFICANT

    @property
    def is_better(self) -> bool:
        """Whether it became better, beyond chance, among all that were looked at."""
        return self.p_better <= SIGNIFICANT

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Change:
        """Build a change from its plain values."""
        estimates = {name: Estimate(**values[name]) for name in ("before", "after", "gain")}
        return cls(**(dict(values) | estimates))


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(Displayed):
    """Two models on the same rows.

    Parameters
    ----------
    metric : what `overall` and `slices` are scored by
    class_metric : what `classes` are scored by; empty without classes
    control : how p-values are adjusted over classes, and over slices: holm (no error at all) or bh (share of false ones)
    overall : all rows
    classes, slices : those that can be measured, what became worse first
    left_out : group -> why it cannot be measured
    """

    metric: str
    class_metric: str
    control: str
    overall: Change
    classes: tuple[Change, ...] = ()
    slices: tuple[Change, ...] = ()
    left_out: Mapping[str, str]

    @property
    def regressions(self) -> tuple[Change, ...]:
        """Every group that became worse beyond chance, the greatest loss first."""
        found = [one for one in (self.overall, *self.classes, *self.slices) if one.is_worse]
        return tuple(sorted(found, key=lambda one: one.gain.value))

    @property
    def worst_class(self) -> Change | None:
        """The class that the later model does worst on."""
        return min(self.classes, key=lambda one: one.after.value, default=None)

    @property
    def worst_slice(self) -> Change | None:
        """The slice that the later model does worst on."""
        return min(self.slices, key=lambda one: one.after.value, default=None)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Comparison:
        """Build a comparison from what `to_dict` gave."""
        facts = dict(values)
        facts["overall"] = Change.from_dict(facts["overall"])
        for name in ("classes", "slices"):
            facts[name] = tuple(Change.from_dict(one) for one in facts[name])
        return cls(**facts)
