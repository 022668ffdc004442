"""What a migration does to the labels that there are, and where the label set stands: values that screens show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tilth.core.display import Displayed
from tilth.core.estimate import Estimate
from tilth.core.taxonomy import LabelClass

__all__ = ["SECONDS_PER_ANSWER", "MigrationPlan", "RuleCheck", "TaxonomyState", "hours"]

SECONDS_PER_ANSWER = 10.0
"""How long a person takes over one question, where nobody was timed."""


def hours(questions: int, seconds: float = SECONDS_PER_ANSWER) -> float:
    """Return how many hours so many questions take."""
    return questions * seconds / 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationPlan(Displayed):
    """What a migration does, or did, to the labels of a version.

    Parameters
    ----------
    said : the migration in words
    taxonomy : the version of the label set that it makes
    classes : class names afterwards
    before, after : the project's version it is made on, and the one that it made; "" where nothing was made
    rows : labelled rows
    kept : of these, rows whose class goes on, under its name or another
    by_rule : class -> rows that a rule settles
    torn : rows that two rules claim; they are open
    opened : split -> rows whose label may be several classes afterwards
    dropped : split -> rows whose label says nothing afterwards
    trusted : rows among the opened and the dropped whose label a person gave
    seconds : how long an answer takes
    notes : what a reader must know
    """

    said: str
    taxonomy: int
    classes: tuple[str, ...]
    before: str
    after: str
    rows: int
    kept: int
    by_rule: Mapping[str, int]
    torn: int
    opened: Mapping[str, int]
    dropped: Mapping[str, int]
    trusted: int
    seconds: float = SECONDS_PER_ANSWER
    notes: tuple[str, ...] = ()

    @property
    def questions(self) -> int:
        """Rows that only a person can settle."""
        return sum(self.opened.values()) + sum(self.dropped.values())

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "migration": self.said,
            "taxonomy": self.taxonomy,
            "classes": list(self.classes),
            "version": {"before": self.before, "after": self.after or None},
            "labelled": self.rows,
            "kept": self.kept,
            "by_rule": dict(self.by_rule),
            "claimed_twice": self.torn,
            "open": dict(self.opened),
            "without_label": dict(self.dropped),
            "answers_in_doubt": self.trusted,
            "questions": self.questions,
            "hours": hours(self.questions, self.seconds),
            "warnings": list(self.notes),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCheck:
    """A rule of a split held against what people said of rows that it settled."""

    taxonomy: int
    name: str
    rule: str
    rows: int
    checked: int
    right: Estimate | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        right = None if self.right is None else {"value": self.right.value, "interval": self.right.as_list()}
        return {
            "taxonomy": self.taxonomy,
            "class": self.name,
            "rule": self.rule,
            "rows": self.rows,
            "checked": self.checked,
            "right": right,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxonomyState(Displayed):
    """Where a project's label set stands.

    Parameters
    ----------
    version : the project's version
    taxonomy : the version of its label set
    classes : the classes, in their order
    labelled : class name -> rows with this label
    possible : class name -> open rows that may be of it
    migrations : in words, oldest first
    opened : split -> rows that wait for an answer
    checks : rules held against answers
    seconds : how long an answer takes
    """

    version: str
    taxonomy: int
    classes: tuple[LabelClass, ...]
    labelled: Mapping[str, int]
    possible: Mapping[str, int]
    migrations: tuple[str, ...]
    opened: Mapping[str, int]
    checks: tuple[RuleCheck, ...] = ()
    seconds: float = SECONDS_PER_ANSWER

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        questions = sum(self.opened.values())
        return {
            "version": self.version,
            "taxonomy": self.taxonomy,
            "classes": [
                {
                    "id": one.id,
                    "name": one.name,
                    "since": one.since,
                    "made_of": list(one.origin),
                    "rows": self.labelled.get(one.name, 0),
                    "open": self.possible.get(one.name, 0),
                }
                for one in self.classes
            ],
            "migrations": list(self.migrations),
            "open": dict(self.opened),
            "rules": [check.to_dict() for check in self.checks],
            "questions": questions,
            "hours": hours(questions, self.seconds),
        }
