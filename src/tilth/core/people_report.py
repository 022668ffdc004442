"""PeopleReport: what answers tell of the people who gave them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tilth.core.display import Displayed
from tilth.core.estimate import Estimate

__all__ = ["Confusion", "PairLine", "PeopleReport", "PersonLine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """How often somebody says one class where it is another, and how many answers there are where it is that."""

    said: str
    truth: str
    count: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLine:
    """One annotator.

    Parameters
    ----------
    name : who
    answers : rows that they answered
    share : of all rows that anybody answered
    says : class -> answers, most first
    estimated : P(right) as the label model has it from all answers; None where nothing is known
    measured, measured_on : share of right answers where the truth is known, and on how many rows
    agreement, agreed_on : share of answers that are what most others say of the row, and on how many rows others answered
    kappa : Cohen's kappa with what most others say, or None
    confusions : the commonest errors, by the truth or else the consensus
    remarks : what is odd
    """

    name: str
    answers: int
    share: float
    says: dict[str, int]
    estimated: Estimate | None
    measured: Estimate | None
    measured_on: int
    agreement: Estimate | None
    agreed_on: int
    kappa: Estimate | None
    confusions: tuple[Confusion, ...] = ()
    remarks: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "name": self.name,
            "answers": self.answers,
            "share": self.share,
            "says": self.says,
            "estimated": _plain(self.estimated),
            "measured": _plain(self.measured),
            "measured_on": self.measured_on,
            "agreement": _plain(self.agreement),
            "agreed_on": self.agreed_on,
            "kappa": _plain(self.kappa),
            "confusions": [asdict(one) for one in self.confusions],
            "remarks": list(self.remarks),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PairLine:
    """Two annotators, the rows that both answered, and Cohen's kappa."""

    first: str
    second: str
    shared: int
    kappa: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"first": self.first, "second": self.second, "shared": self.shared, "kappa": _plain(self.kappa)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PeopleReport(Displayed):
    """What `tilth label --people` shows.

    Parameters
    ----------
    source : what the answers were read from
    rows, answers, paired : rows with an answer, answers, rows with two answers or more
    classes : k names
    model, why : the label model of the consensus, and how it came to be used
    truths : rows whose truth is known: gold questions, last words, or a file
    alpha, fleiss : Krippendorff's alpha and Fleiss' kappa, or None where no row has two answers
    people : most answers first
    pairs : pairs with enough rows in common, worst first
    least_shared : rows that a pair must share to be among them
    disputed : rows on which people differ and no label is sure enough
    doubted : gold questions that most blind answers contradict: row, trusted label, what most say, how many of how many
    warnings : what a reader must know
    """

    source: str
    rows: int
    answers: int
    paired: int
    classes: tuple[str, ...]
    model: str
    why: str
    truths: int
    alpha: Estimate | None
    fleiss: Estimate | None
    people: tuple[PersonLine, ...]
    pairs: tuple[PairLine, ...]
    least_shared: int
    disputed: int
    doubted: tuple[tuple[str, str, str, int, int], ...] = ()
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the object of `tilth label --people --json`."""
        heads = ("row", "trusted", "most_say", "count", "of")
        return {
            "rows": self.rows,
            "answers": self.answers,
            "paired": self.paired,
            "classes": list(self.classes),
            "model": self.model,
            "truths": self.truths,
            "alpha": _plain(self.alpha),
            "fleiss": _plain(self.fleiss),
            "people": [one.to_dict() for one in self.people],
            "pairs": [one.to_dict() for one in self.pairs],
            "disputed": self.disputed,
            "doubted_gold": [dict(zip(heads, one, strict=True)) for one in self.doubted],
            "warnings": list(self.warnings),
        }


def _plain(estimate: Estimate | None) -> dict[str, Any] | None:
    return None if estimate is None else {"value": estimate.value, "interval": estimate.as_list()}
