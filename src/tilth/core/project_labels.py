"""ProjectLabels: what the labelers of a project come to, where each errs or fails, and where the next one should look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tilth.core.cast_votes import LabelerRun
from tilth.core.display import Displayed
from tilth.core.label_summary import LabelerLine, LabelSummary

__all__ = ["LabelerCheck", "Place", "ProjectLabels", "WrongRow"]

MOST_FAILURES = 20
"""Failures of one labeler that are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelerCheck:
    """One labeler against what is known of train and pool rows.

    Parameters
    ----------
    run : how it ran
    trusted, of_trusted : its votes against labels that a person confirmed, of how many that met one
    given, of_given : the same against other labels of train rows, which may be wrong themselves
    """

    run: LabelerRun
    trusted: int
    of_trusted: int
    given: int
    of_given: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongRow:
    """A train or pool row whose label is not what a labeler says; `cells` are those that may be shown."""

    row_id: str
    split: str
    says: str
    label: str
    is_trusted: bool
    cells: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Rows at which the next labeler should look.

    Parameters
    ----------
    kind : "no vote" or "conflict"
    what : what these rows have in common: a word, a category, a range; () where nothing tells them
    rows, share : how many they are, and of how many rows of that kind
    elsewhere : share of the other rows that have it too
    labels : class -> known labels of train rows among them; empty where labels may not be shown
    torn : labelers that contradict one another there, the commonest pair first
    examples : first row ids
    looked_at : among how many evenly spaced rows they were counted, or None for all
    """

    kind: str
    what: tuple[str, ...]
    rows: int
    share: float
    elsewhere: float
    labels: Mapping[str, int] = field(default_factory=dict)
    torn: str = ""
    examples: tuple[str, ...] = ()
    looked_at: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "kind": self.kind,
            "what": list(self.what),
            "rows": self.rows,
            "share": self.share,
            "elsewhere": self.elsewhere,
            "labels": dict(self.labels),
            "torn": self.torn,
            "examples": list(self.examples),
            "looked_at": self.looked_at,
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProjectLabels(Displayed):
    """What `tilth label` shows in a project.

    Parameters
    ----------
    version : the version whose rows were voted on
    labels : what the votes come to
    checks : one entry per labeler, in the order of the votes
    warnings : what a reader must know beside the warnings of `labels`
    messages : whether messages of failures, which may quote cells, may be shown
    """

    version: str
    labels: LabelSummary
    checks: tuple[LabelerCheck, ...]
    warnings: tuple[str, ...] = ()
    messages: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return the object of `tilth label --json` in a project: that of a votes file, and more."""
        said = self.labels.to_dict()
        more = [
            told | {"measured": _measured(line), **_run_facts(check)}
            for told, line, check in zip(said["labelers"], self.labels.labelers, self.checks, strict=True)
        ]
        return said | {
            "version": self.version,
            "labelers": more,
            "failures": [failure for check in self.checks for failure in self._failures(check.run)],
            "warnings": [*self.warnings, *said["warnings"]],
        }

    def _failures(self, run: LabelerRun) -> list[dict[str, str]]:
        """Return the first failures of a labeler."""
        return [
            {
                "labeler": run.name,
                "row": failure.row_id,
                "error": failure.error if self.messages else failure.error.partition(":")[0],
                "traceback": failure.traceback if self.messages else "",
            }
            for failure in run.failures[:MOST_FAILURES]
        ]


def _measured(line: LabelerLine) -> dict[str, Any] | None:
    return None if line.measured is None else {"accuracy": line.measured.value, "interval": line.measured.as_list()}


def _run_facts(check: LabelerCheck) -> dict[str, Any]:
    return {
        "where": check.run.where,
        "cast": check.run.cast,
        "failures": len(check.run.failures),
        "wrong": {"trusted": [check.trusted, check.of_trusted], "given": [check.given, check.of_given]},
    }
