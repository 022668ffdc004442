"""What people said of a project's rows, as events: nothing is overwritten, and each person's newest answer counts.

The log also knows which rows were asked as gold questions. An answer to such a row counts as blind where it came after the
question was written: it is held against the label that was trusted then, and never changes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tilth.core.annotation import Annotation
from tilth.core.moving_labels import names_between
from tilth.core.taxonomy import Taxonomy
from tilth.loop.moving import taxonomy_of
from tilth.store.repository import Repository

__all__ = ["AnnotationLog", "Event", "GoldDraw", "annotation_log", "record_annotations", "record_gold"]

RECORD, GOLD = "annotations", "gold"


@dataclass(frozen=True, slots=True)
class Event:
    """An annotation and its place in the log: the number of its record, and its number there."""

    said: Annotation
    place: tuple[int, int]

    @property
    def when(self) -> tuple[str, tuple[int, int]]:
        """By what the newest of a person's answers is found: its time, then its place."""
        return self.said.answered, self.place


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldDraw:
    """Rows that were asked to see how good answers are.

    Parameters
    ----------
    labels : row id -> the label that was trusted when it was asked
    asked : row id -> whom; "" where the sheet names nobody
    after : number of records of annotations before it
    """

    labels: dict[str, str]
    asked: dict[str, str]
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationLog:
    """All answers to one label, oldest record first, and the gold questions among them."""

    events: tuple[Event, ...] = ()
    gold: tuple[GoldDraw, ...] = ()
    n_records: int = 0
    _by_row: dict[str, list[Event]] = field(default_factory=dict)

    def of_row(self, row: str) -> Sequence[Event]:
        """Return what was said of a row."""
        return self._by_row.get(row, ())

    @property
    def rows(self) -> list[str]:
        """Rows of which something was said, in the order of their ids."""
        return sorted(self._by_row)

    def gold_of(self, row: str) -> tuple[str, int] | None:
        """Return the label of a gold question and the records before it; the first draw of the row counts."""
        for draw in self.gold:
            if row in draw.labels:
                return draw.labels[row], draw.after
        return None

    def asked_gold(self, row: str) -> set[str]:
        """Return whom a row was given to as a gold question; "" where the sheet named nobody."""
        return {draw.asked.get(row, "") for draw in self.gold if row in draw.labels}

    def newest(self, row: str) -> dict[str, Annotation]:
        """Return each person's newest answer to a row, by name."""
        ordered = sorted(self.of_row(row), key=lambda one: one.when)
        last = {event.said.annotator: event.said for event in ordered}
        return {name: last[name] for name in sorted(last)}

    def blind(self, row: str) -> dict[str, Annotation]:
        """Return each person's newest answer to a gold question, by name; {} where the row was never one."""
        gold = self.gold_of(row)
        if gold is None:
            return {}
        ordered = sorted((one for one in self.of_row(row) if one.place[0] >= gold[1]), key=lambda one: one.when)
        last = {event.said.annotator: event.said for event in ordered}
        return {name: last[name] for name in sorted(last)}

    def made_gold(self, row: str) -> set[str]:
        """Return who had answered a row before it was asked as a gold question: whose answers made its label trusted."""
        gold = self.gold_of(row)
        return set() if gold is None else {e.said.annotator for e in self.of_row(row) if e.place[0] < gold[1]}

    def last_word(self, row: str) -> Annotation | None:
        """Return the newest adjudication of a row."""
        final = [event for event in self.of_row(row) if event.said.adjudicated]
        return max(final, key=lambda one: one.when).said if final else None

    def is_new(self, said: Annotation) -> bool:
        """Whether an answer says something that is not in the log: a repetition is none, but for a blind second answer."""
        mine = [event for event in self.of_row(said.row_id) if event.said.annotator == said.annotator]
        if said.answered:
            return all(_content(event.said) != _content(said) for event in mine)
        gold = self.gold_of(said.row_id)
        if not mine:
            return True
        last = max(mine, key=lambda one: one.when)
        if gold is not None and all(event.place[0] < gold[1] for event in mine):
            return True
        return last.said.value != said.value or (said.adjudicated and not last.said.adjudicated)

    def plus(self, said: Sequence[Annotation]) -> AnnotationLog:
        """Return the log with one more record."""
        return _log([*self.events, *_events(self.n_records, said)], self.gold, self.n_records + bool(said))


def annotation_log(repository: Repository, task: str, taxonomy: Taxonomy | None = None) -> AnnotationLog:
    """Return what people said of one label, in a label set where one is given.

    Answers that were given in another label set count under the name that their class has there; those to classes that may be several
    there do not count any more.
    """
    records = repository.records(RECORD)
    names = _Names(repository, taxonomy)
    events: list[Event] = []
    for number, body in enumerate(records):
        said = [one for one in map(Annotation.from_dict, body["answers"]) if one.task == task]
        carried = [(at, names.now(one.value, body)) for at, one in enumerate(said)]
        events += [Event(replace(said[at], value=now), (number, at)) for at, now in carried if now is not None]
    gold = [_gold_draw(body, names) for body in repository.records(GOLD) if body["task"] == task]
    return _log(events, tuple(gold), len(records))


def _gold_draw(body: Mapping[str, Any], names: _Names) -> GoldDraw:
    labels = {row: now for row, label in body["labels"].items() if (now := names.now(label, body)) is not None}
    return GoldDraw(labels=labels, asked=dict(body["asked"]), after=int(body["after"]))


class _Names:
    """What class names of earlier records are called in a label set."""

    def __init__(self, repository: Repository, taxonomy: Taxonomy | None) -> None:
        self._repository, self._taxonomy = repository, taxonomy
        self._known: dict[str, Mapping[str, str] | None] = {}

    def now(self, name: str, body: Mapping[str, Any]) -> str | None:
        """Return what a class of a record is called, None where it may be several, or none; the record says its version."""
        if self._taxonomy is None or "version" not in body:
            return name
        version = str(body["version"])
        if version not in self._known:
            before = taxonomy_of(self._repository.version(version))
            self._known[version] = None if before == self._taxonomy else names_between(before, self._taxonomy)
        carried = self._known[version]
        return name if carried is None else carried.get(name)


def record_gold(repository: Repository, task: str, labels: dict[str, str], asked: dict[str, str], version: str) -> None:
    """Keep which rows are asked as gold questions, with their trusted labels, and whom."""
    after = len(repository.records(RECORD))
    repository.record(GOLD, {"task": task, "labels": labels, "asked": asked, "after": after, "version": version})


def record_annotations(repository: Repository, said: Sequence[Annotation], version: str, now: str) -> list[Annotation]:
    """Keep what people said, with the time where it has none; nothing said is nothing kept."""
    stamped = [one if one.answered else replace(one, answered=now) for one in said]
    if stamped:
        repository.record(RECORD, {"answers": [one.to_dict() for one in stamped], "version": version})
    return stamped


def _content(said: Annotation) -> tuple[str, str, bool]:
    return said.value, said.answered, said.adjudicated


def _events(number: int, said: Iterable[Annotation]) -> list[Event]:
    return [Event(one, (number, place)) for place, one in enumerate(said)]


def _log(events: Sequence[Event], gold: tuple[GoldDraw, ...], n_records: int) -> AnnotationLog:
    by_row: dict[str, list[Event]] = {}
    for event in events:
        by_row.setdefault(event.said.row_id, []).append(event)
    return AnnotationLog(events=tuple(events), gold=gold, n_records=n_records, _by_row=by_row)
