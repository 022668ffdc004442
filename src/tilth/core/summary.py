"""Summary: what one run did and found out; doors render it, and it is kept in the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tilth.core.by_hand import ByHand
from tilth.core.display import Displayed
from tilth.core.estimate import Estimate
from tilth.core.policy_card import PolicyCard
from tilth.core.trial import Slopes, Trial

__all__ = [
    "Exhibit",
    "ExhibitRow",
    "FailedStep",
    "FindingLine",
    "HistoryLine",
    "RunSummary",
    "SliceLine",
    "TestLook",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingLine:
    """One finding in short."""

    kind: str
    rows: int
    severity: float
    operator: str
    summary: str
    threshold: str
    suggestion: str
    columns: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "kind": self.kind,
            "rows": self.rows,
            "severity": self.severity,
            "operator": self.operator,
            "summary": self.summary,
            "threshold": self.threshold,
            "suggestion": self.suggestion,
            "columns": list(self.columns),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhibitRow:
    """One row shown as evidence: visible cells as text, images as small PNG bytes, and facts."""

    row_id: str
    split: str
    severity: float
    cells: Mapping[str, str]
    images: Mapping[str, bytes] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """The worst rows of one finding, as far as visibility allows."""

    kind: str
    rows: tuple[ExhibitRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceLine:
    """One guarded slice on dev: its score before and after, and the interval of the change.

    `score` is the score before with its interval; `rule` and `words` say who is in it, for slices that people declared or slicers
    discovered; `q_value` is the share of false discoveries up to a discovered one; `aimed` marks those that cures were tried on.
    """

    name: str
    rows: int
    before: float
    after: float
    change: Estimate
    score: Estimate | None = None
    rule: str = ""
    words: str = ""
    q_value: float | None = None
    aimed: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "name": self.name,
            "rows": self.rows,
            "before": self.before,
            "after": self.after,
            "interval": self.change.as_list(),
            "before_interval": None if self.score is None else self.score.as_list(),
            "rule": self.rule,
            "q_value": self.q_value,
            "aimed": self.aimed,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TestLook:
    """The one look at the sealed test split for a pair of versions."""

    __test__ = False  # not a test class

    before: Estimate
    after: Estimate
    gain: Estimate
    corrected_gain: Estimate | None
    looks: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "before": self.before.value,
            "before_interval": self.before.as_list(),
            "after": self.after.value,
            "after_interval": self.after.as_list(),
            "gain": self.gain.value,
            "interval": self.gain.as_list(),
            "corrected_gain": None if self.corrected_gain is None else self.corrected_gain.value,
            "corrected_interval": None if self.corrected_gain is None else self.corrected_gain.as_list(),
            "looks": self.looks,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedStep:
    """A step that failed and was set aside; the run went on."""

    step: str
    error: str
    traceback: str


@dataclass(frozen=True, kw_only=True)
class RunSummary(Displayed):
    """Everything that the screen, the JSON and the report say of a run.

    Scores are in the metric's unit, higher is better (mean absolute errors carry a minus sign), dev figures are *selected*.
    """

    source: str
    rows: int
    splits: Mapping[str, int]
    task_type: str
    label: str
    classes: tuple[str, ...]
    metric: str
    learner: str
    encoders: Mapping[str, str]
    version_before: str
    version_after: str
    baseline: Estimate
    ceiling: Estimate | None
    ceiling_method: str
    least_detectable_gain: float
    findings: tuple[FindingLine, ...]
    trials: tuple[Trial, ...]
    refusals: Mapping[str, str]
    test: TestLook | None
    slices: tuple[SliceLine, ...]
    alpha_left: float
    questions: int
    seed: int
    seconds: float
    warnings: tuple[str, ...]
    failures: tuple[FailedStep, ...] = ()
    taxonomy: int = 1
    by_hand: tuple[ByHand, ...] = ()
    cards: tuple[PolicyCard, ...] = ()

    def to_record(self) -> dict[str, Any]:
        """Return all of it as plain values, from which `from_record` makes it again."""
        return asdict(self) | {"trials": [trial.to_dict() for trial in self.trials]}

    @classmethod
    def from_record(cls, values: Mapping[str, Any]) -> RunSummary:
        """Build a summary from what `to_record` gave."""
        facts = dict(values)
        facts["baseline"] = _known(facts["baseline"])
        facts["ceiling"] = _estimate(facts["ceiling"])
        facts["findings"] = tuple(FindingLine(**(f | {"columns": tuple(f["columns"])})) for f in facts["findings"])
        facts["trials"] = tuple(Trial.from_dict(trial) for trial in facts["trials"])
        facts["test"] = None if facts["test"] is None else _look(facts["test"])
        facts["slices"] = tuple(_slice_line(line) for line in facts["slices"])
        facts["failures"] = tuple(FailedStep(**failure) for failure in facts["failures"])
        facts["by_hand"] = tuple(ByHand(**line) for line in facts.get("by_hand", ()))
        facts["cards"] = tuple(PolicyCard.from_record(card) for card in facts.get("cards", ()))
        facts["classes"], facts["warnings"] = tuple(facts["classes"]), tuple(facts["warnings"])
        return cls(**facts)

    def to_dict(self) -> dict[str, Any]:
        """Return the object that `tilth run --json` prints."""
        return {
            "dataset": {"rows": self.rows, "source": self.source, "splits": dict(self.splits)},
            "task": {
                "type": self.task_type,
                "label": self.label,
                "classes": list(self.classes),
                "metric": self.metric,
                "taxonomy": self.taxonomy,
            },
            "model": {"learner": self.learner, "encoders": dict(self.encoders)},
            "version": {"before": self.version_before, "after": self.version_after},
            "baseline": {
                "dev": {"value": self.baseline.value, "interval": self.baseline.as_list()},
                "ceiling": {
                    "value": None if self.ceiling is None else self.ceiling.value,
                    "interval": None if self.ceiling is None else self.ceiling.as_list(),
                    "method": self.ceiling_method,
                },
                "least_detectable_gain": self.least_detectable_gain,
            },
            "findings": [finding.to_dict() for finding in self.findings],
            "trials": [_trial_line(trial) | self._hand_labels(trial) | self._card(trial) for trial in self.trials],
            "not_applicable": dict(self.refusals),
            "test": None if self.test is None else self.test.to_dict(),
            "slices": [line.to_dict() for line in self.slices],
            "alpha_left": self.alpha_left,
            "questions": self.questions,
            "seed": self.seed,
            "seconds": self.seconds,
            "warnings": list(self.warnings),
            "failures": [{"step": f.step, "error": f.error, "traceback": f.traceback} for f in self.failures],
        }

    def _hand_labels(self, trial: Trial) -> dict[str, Any]:
        found = next((one for one in self.by_hand if one.edit == trial.edit), None)
        return {} if found is None else {"hand_labels": {"value": found.rows, "interval": [found.low, found.high]}}

    def _card(self, trial: Trial) -> dict[str, Any]:
        found = self.card_of(trial)
        return {} if found is None else {"card": found.to_dict()}

    def card_of(self, trial: Trial) -> PolicyCard | None:
        """Return the card of the policy that a trial tried, where it was not kept."""
        return next((card for card in self.cards if card.edit == trial.edit), None)


def _estimate(values: Mapping[str, Any] | None) -> Estimate | None:
    return None if values is None else Estimate(**values)


def _slice_line(line: dict[str, Any]) -> SliceLine:
    score = line.get("score")
    known = {"change": _known(line["change"]), "score": None if score is None else _known(score)}
    return SliceLine(**(line | known))


def _known(values: Mapping[str, Any]) -> Estimate:
    return Estimate(**values)


def _look(values: Mapping[str, Any]) -> TestLook:
    return TestLook(
        before=_known(values["before"]),
        after=_known(values["after"]),
        gain=_known(values["gain"]),
        corrected_gain=_estimate(values["corrected_gain"]),
        looks=int(values["looks"]),
    )


def _trial_line(trial: Trial) -> dict[str, Any]:
    corrected, given_kept = trial.corrected_gain, trial.gain_given_kept
    return {
        "edit": trial.edit,
        "verb": trial.verb,
        "operator": str(trial.operator),
        "rows": trial.rows,
        "forecast": trial.forecast,
        "gain": trial.gain.value,
        "interval": trial.gain.as_list(),
        "corrected_gain": None if corrected is None else corrected.value,
        "corrected_interval": None if corrected is None else corrected.as_list(),
        "gain_given_kept": None if given_kept is None else given_kept.value,
        "interval_given_kept": None if given_kept is None else given_kept.as_list(),
        "placebo": trial.placebo,
        "over_placebo": trial.over_placebo.value,
        "over_placebo_interval": trial.over_placebo.as_list(),
        "p_value": trial.p_value,
        "p_adjusted": trial.p_adjusted,
        "alpha": trial.alpha,
        "verdict": str(trial.verdict),
        "reason": trial.reason,
        "judge": trial.judge,
        "disagreeing": trial.disagreeing,
        "answers_needed": trial.answers_needed,
        "base": list(trial.base),
        "goal": trial.goal,
        "slopes": None if trial.slopes is None else _slopes_line(trial.slopes),
        "seconds": trial.seconds,
    }


def _slopes_line(slopes: Slopes) -> dict[str, Any]:
    return {
        "before": slopes.before.value,
        "before_interval": slopes.before.as_list(),
        "after": slopes.after.value,
        "after_interval": slopes.after.as_list(),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """One version in the history: what it came from, the edit that made it, and how that edit was judged.

    `origin` is source, edit, adopted, revert or replay; `version` is empty where a person's veto made none; the edit's
    fields are empty (0 rows) for versions that were read from a source.
    """

    version: str
    parent: str
    origin: str
    edit: str = ""
    verb: str = ""
    operator: str = ""
    rows: int = 0
    verdict: str = ""
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {name: getattr(self, name) for name in self.__slots__}
