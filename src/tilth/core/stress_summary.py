"""StressSummary: how a model's predictions bear rows that are varied: by transforms, by severity, in counterfactual pairs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from tilth.core.display import Displayed
from tilth.core.estimate import Estimate

__all__ = [
    "Corruption",
    "Outcome",
    "PairTest",
    "StressExample",
    "StressLine",
    "StressSlice",
    "StressSummary",
]

Outcome = Literal["passed", "failed", "undecided", "measured", "not run"]
"""Of a test: it keeps its bound, breaks it, or its interval holds the bound; it has none; it could not be run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StressSlice:
    """A group of rows, how many of them were changed, and the share of these whose prediction did not do as expected."""

    name: str
    rows: int
    failing: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class StressExample:
    """A row whose prediction did not do as expected; what was predicted is empty where the label may not be shown."""

    row_id: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StressLine:
    """One test: a transform at one severity, and what it should do to predictions.

    Parameters
    ----------
    name : of the test
    transform, severity : what changes rows, and how strongly; None where it has no severities
    expect : "same", "flips", "up CLASS" or "down CLASS"
    outcome : whether it keeps to its bound
    columns : what is changed
    tried, rows : rows that were handed to the transform, and rows that it changed
    failing : of the changed rows, the share whose prediction did not do as expected; None where nothing was measured
    flips : of the changed rows, the share whose decision is another
    score, change : on all rows tried, changed or not, and by how much it differs from the score before; None where the label need
        not be right any more: the transform may make it another one, or predictions should move
    worst : the slice with the surely highest share
    slices : all that have enough changed rows; their intervals hold for all of them together
    examples : rows that failed, those first whose prediction moved most
    failures, error : on how many rows the transform itself failed, and how
    at_most : the bound on `failing`; None where there is none
    note : why it was not run, and what else is to be said
    is_broken : whether it was not run because something raised
    is_usual : whether nobody asked for it: then it may be of no use here
    """

    name: str
    transform: str
    severity: int | None
    expect: str
    outcome: Outcome
    columns: tuple[str, ...] = ()
    tried: int = 0
    rows: int = 0
    failing: Estimate | None = None
    flips: Estimate | None = None
    score: Estimate | None = None
    change: Estimate | None = None
    worst: StressSlice | None = None
    slices: tuple[StressSlice, ...] = ()
    examples: tuple[StressExample, ...] = ()
    failures: int = 0
    error: str = ""
    at_most: float | None = None
    note: str = ""
    is_broken: bool = False
    is_usual: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Corruption:
    """How the score falls as one transform becomes more severe.

    Parameters
    ----------
    name : of the tests that it sums up
    severities, scores : by rising severity
    drop : mean fall of the score over its severities
    """

    name: str
    severities: tuple[int, ...]
    scores: tuple[Estimate, ...]
    drop: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class PairTest:
    """Rows that stand in pairs, such as a text and its counterfactual: where the label turns, the prediction should.

    Parameters
    ----------
    source : the column or the file that names partners
    pairs, turning : pairs with both rows among those that judge, and those whose labels differ
    left_out : pairs of which a row stands elsewhere, and rows without exactly one partner
    consistent : share of pairs whose predictions differ exactly where the labels do
    both_right : share of pairs of which both predictions are right
    first, second : accuracy on the rows that are named as partner (or come first), and on the others
    examples : pairs that are not consistent
    """

    source: str
    outcome: Outcome
    pairs: int = 0
    turning: int = 0
    left_out: int = 0
    consistent: Estimate | None = None
    both_right: Estimate | None = None
    first: Estimate | None = None
    second: Estimate | None = None
    examples: tuple[tuple[str, str], ...] = ()
    at_most: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StressSummary(Displayed):
    """What `Project.stress` returns: measured on dev rows; the test split is not read.

    Parameters
    ----------
    version : whose model was tried
    metric : name of the metric; scores are such that higher is better
    seed : decided what was drawn
    rows, of_rows : dev rows that were tried, and dev rows with a label; the first are drawn by id where they are fewer
    clean : the score on the rows as they are
    lines : the tests, in their order
    corruptions : transforms that were tried at several severities
    mean_drop : mean fall of the score over all of these
    pairs : tests on counterfactual pairs
    warnings : what is to be said besides
    """

    version: str
    metric: str
    seed: int
    rows: int
    of_rows: int
    clean: Estimate
    lines: tuple[StressLine, ...]
    corruptions: tuple[Corruption, ...] = ()
    mean_drop: Estimate | None = None
    pairs: tuple[PairTest, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """How each test ended, those on pairs last."""
        return (*(line.outcome for line in self.lines), *(pair.outcome for pair in self.pairs))

    @property
    def is_passed(self) -> bool:
        """Whether no test broke its bound, and each that somebody asked for could be run."""
        idle = [line.outcome == "not run" and (line.is_broken or not line.is_usual) for line in self.lines]
        idle += [pair.outcome == "not run" for pair in self.pairs]
        return "failed" not in self.outcomes and not any(idle)

    def without_messages(self) -> StressSummary:
        """Return the summary without what functions raised: a message may quote a hidden cell."""
        lines = [replace(line, error=_kind(line.error), note=_kind(line.note, line.is_broken)) for line in self.lines]
        return replace(self, lines=tuple(lines))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self) | {"passed": self.is_passed}


def _kind(message: str, is_error: bool = True) -> str:
    """Return what kind of error a message tells of, without its words."""
    return message.partition(" ")[0].rstrip(":") if is_error else message
