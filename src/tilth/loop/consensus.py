"""Consensus: what the answers of several people to a row come to, derived anew from all answers each time.

    one person, or all say the same      that is the label, and it is trusted
    somebody had the last word           that is the label
    a gold question                      the label that was trusted when it was asked
    people disagree                      p(class | answers) of the label model that the answers choose, as for labelers; from
                                         `SURE` on the label is trusted, below it the row is disputed and keeps its former label

All answers are votes of one labeler per annotator, so that one posterior serves people and rules. Rows and people stand in the order
of their names: neither the order of files nor that of lines matters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tilth.loop.annotation_log import AnnotationLog
from tilth.loop.label_votes import AUTO, best_class, fitted_model
from tilth.loop.people_votes import people_votes

__all__ = ["SURE", "Outcome", "Standing", "consensus", "what_they_say"]

SURE = 0.9
"""Least probability of a label on which people disagree at which it is trusted."""


class Standing(StrEnum):
    """How a row's label stands."""

    AGREED = "agreed"
    FINAL = "final"
    GOLD = "gold"
    SETTLED = "settled"
    DISPUTED = "disputed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the answers to a row come to: its label, how probable it is, and how it stands."""

    label: str
    probability: float
    standing: Standing

    @property
    def is_trusted(self) -> bool:
        """Whether the label stands."""
        return self.standing is not Standing.DISPUTED


def consensus(log: AnnotationLog, classes: Sequence[str]) -> dict[str, Outcome]:
    """Return what the answers come to, by row id; for numbers (no classes) people who differ have no consensus.

    Answers that are no class any more count for nothing.
    """
    outcomes: dict[str, Outcome] = {}
    torn: list[str] = []
    for row in log.rows:
        final, gold = log.last_word(row), log.gold_of(row)
        values = {one.value for one in log.newest(row).values() if not classes or one.value in classes}
        if final is not None and (not classes or final.value in classes):
            outcomes[row] = Outcome(label=final.value, probability=1.0, standing=Standing.FINAL)
        elif gold is not None:
            outcomes[row] = Outcome(label=gold[0], probability=1.0, standing=Standing.GOLD)
        elif len(values) == 1:
            outcomes[row] = Outcome(label=values.pop(), probability=1.0, standing=Standing.AGREED)
        elif values:
            torn.append(row)
    if torn:
        outcomes |= _weighed(log, torn, classes) if classes else _numbers(log, torn)
    return outcomes


def _weighed(log: AnnotationLog, torn: Sequence[str], classes: Sequence[str]) -> dict[str, Outcome]:
    people = people_votes(log, classes)
    known = people.told()
    choice = fitted_model(AUTO, people.votes, known)
    probs = choice.model.predict(people.votes, choice.labelling, known)
    best = best_class(probs, choice.labelling.prior)
    place = {row: at for at, row in enumerate(people.votes.row_ids.to_pylist())}
    found = {}
    for row in torn:
        at = place[row]
        sure = float(probs[at, best[at]])
        standing = Standing.SETTLED if sure >= SURE else Standing.DISPUTED
        found[row] = Outcome(label=classes[best[at]], probability=sure, standing=standing)
    return found


def _numbers(log: AnnotationLog, torn: Sequence[str]) -> dict[str, Outcome]:
    """Numbers on which people differ are disputed until somebody has the last word."""
    return {
        row: Outcome(label=next(iter(log.newest(row).values())).value, probability=0.0, standing=Standing.DISPUTED)
        for row in torn
    }


def what_they_say(log: AnnotationLog, row: str, most: int = 6) -> str:
    """Return who says what of a row: "anna says A, ben and cem say B"."""
    by_value: dict[str, list[str]] = {}
    for name, one in log.newest(row).items():
        by_value.setdefault(one.value, []).append(name)
    return ", ".join(_say(names, value, most) for value, names in sorted(by_value.items(), key=lambda pair: pair[1]))


def _say(names: Sequence[str], value: str, most: int) -> str:
    shown = list(names[:most])
    if len(names) > most:
        shown.append(f"{len(names) - most:,} more")
    who = shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
    return f"{who} {'say' if len(shown) > 1 else 'says'} {value}"
