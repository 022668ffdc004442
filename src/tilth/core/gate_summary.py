"""GateSummary: what `tilth test` found: checks, conditions, the comparison behind them, and what is left of the test rows' budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from tilth.core.comparison import Comparison
from tilth.core.display import Displayed

__all__ = [
    "Budget",
    "CheckResult",
    "ClauseResult",
    "ConditionResult",
    "GateSummary",
    "Passing",
    "StressResult",
    "condition_of",
]


class Passing(StrEnum):
    """How a check, a condition or a gate ended."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """A predicate that must hold for a share of rows.

    Parameters
    ----------
    name, rule : what it is called, and what must hold
    on : which rows it was looked up on
    rows, holds : how many rows there are, and on how many it holds
    at_least : the share of rows on which it must hold
    verdict : pass or fail; undecided where it could not be looked up
    reason : why it could not
    """

    name: str
    rule: str
    on: str
    rows: int
    holds: int
    at_least: float
    verdict: Passing
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StressResult:
    """A stress test with a bound: of dev rows that a transform changed, the share whose prediction did not do as expected.

    Parameters
    ----------
    name, expect : of the test, with its severity, and what predictions should do
    rows : dev rows that were changed; of a test on pairs, those that stand in pairs
    at_most : the bound on the share
    verdict : pass where the whole interval keeps to the bound, fail where all of it breaks it, else undecided
    failing, low, high : the share with its interval; None where nothing was measured
    worst, worst_failing : the slice whose share is surely above that of all rows, if there is one
    reason : why it could not be run, or on how many rows it broke down
    """

    name: str
    expect: str
    rows: int
    at_most: float
    verdict: Passing
    failing: float | None = None
    low: float | None = None
    high: float | None = None
    worst: str = ""
    worst_failing: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseResult:
    """One clause of a condition: its sum on the test rows with a confidence set, and what it takes to know it better.

    Parameters
    ----------
    text : as it was written
    rows : test rows that it was measured on
    value : the sum; None where it cannot be measured, or is withheld
    low, high : ends of the confidence set
    verdict : pass, fail or undecided
    method : by which law the ends were found
    rows_needed : rows for the tolerance; None without one
    labels_needed : how many of these need a label: those on which the models differ
    reason : why it cannot be measured
    """

    text: str
    rows: int
    value: float | None
    low: float | None
    high: float | None
    verdict: Passing
    method: str = ""
    rows_needed: int | None = None
    labels_needed: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionResult:
    """A condition with its clauses and how surely it is known."""

    text: str
    reliability: float
    verdict: Passing
    clauses: tuple[ClauseResult, ...]

    def without_figures(self) -> ConditionResult:
        """Return it with verdicts alone: figures would tell more of the test rows than the promise covers."""
        bare = [
            replace(one, value=None, low=None, high=None, rows_needed=None, labels_needed=None) for one in self.clauses
        ]
        return replace(self, clauses=tuple(bare))


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How often the test rows may be asked: `spent` of `looks`, at an adaptivity."""

    looks: int
    spent: int
    adaptivity: str

    @property
    def left(self) -> int:
        """Looks that are left."""
        return max(0, self.looks - self.spent)


@dataclass(frozen=True, kw_only=True)
class GateSummary(Displayed):
    """What the gate found for one pair of versions.

    Parameters
    ----------
    version, against : the version that is judged, and the one before it; None where there is none
    metric : the project's metric
    test_rows : labelled test rows
    verdict : pass where everything passed, fail where anything failed, else undecided
    passed : whether the gate lets the version through
    checks, conditions, stress : what was asked, and how it ended
    comparison : the two models on test; None where there is nothing to compare, or figures are withheld
    budget : looks at these test rows
    recorded : whether the figures are those of an earlier look, which spends nothing again
    withheld : whether figures are kept back, as full adaptivity asks
    seed, seconds : of this evaluation
    warnings : what a reader must know
    """

    version: str
    against: str | None
    metric: str
    test_rows: int
    verdict: Passing
    passed: bool
    checks: tuple[CheckResult, ...]
    conditions: tuple[ConditionResult, ...]
    comparison: Comparison | None
    budget: Budget
    recorded: bool
    withheld: bool
    seed: int
    seconds: float
    warnings: tuple[str, ...] = ()
    stress: tuple[StressResult, ...] = ()

    @property
    def ends(self) -> tuple[Passing, ...]:
        """How each check, condition and stress test ended."""
        checks, conditions = ([one.verdict for one in self.checks], [one.verdict for one in self.conditions])
        return (*checks, *conditions, *(one.verdict for one in self.stress))

    def to_dict(self) -> dict[str, Any]:
        """Return what `tilth test --json` prints; no cell of any row is in it."""
        facts = asdict(replace(self, comparison=None))
        facts["comparison"] = None if self.comparison is None else self.comparison.to_dict()
        facts["budget"]["left"] = self.budget.left
        return facts


def condition_of(values: Mapping[str, Any]) -> ConditionResult:
    """Build a condition's result from its plain values."""
    clauses = tuple(ClauseResult(**(dict(one) | {"verdict": Passing(one["verdict"])})) for one in values["clauses"])
    return ConditionResult(**(dict(values) | {"verdict": Passing(values["verdict"]), "clauses": clauses}))
