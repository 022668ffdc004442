"""Report cards of people, from a project's answers or from a file of answers."""

from __future__ import annotations

from collections import Counter

import numpy as np

from tilth.core.errors import NotApplicable, UsageError
from tilth.core.labelling import Known
from tilth.core.people_report import PeopleReport
from tilth.loop.annotation_log import AnnotationLog, annotation_log
from tilth.loop.consensus import SURE
from tilth.loop.moving import taxonomy_of
from tilth.loop.people_report import people_report
from tilth.loop.people_votes import people_votes
from tilth.sources._votes import ReadVotes
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["card_of_file", "card_of_project"]

DOUBT = 3
"""Blind answers to a gold question from which on it is said that most contradict it."""


def card_of_project(repository: Repository, version: Version) -> PeopleReport:
    """Return the report card of those who answered rows of a project; raises UsageError where nobody did."""
    task = version.schema.task
    if task.is_regression:
        raise NotApplicable("people are compared by the classes that they name; this project predicts numbers")
    log = annotation_log(repository, task.label, taxonomy_of(version))
    people = people_votes(log, task.classes)
    if not len(people.votes.rows):
        raise UsageError(
            "nobody has answered yet, or only the answers that are the truth themselves",
            next_step="tilth ask -o questions.csv, fill it in, then tilth answer questions.csv --annotator NAME",
        )
    is_told = version.schema.may_show(task.label)
    return people_report(
        people.votes,
        source=f"answers to {task.label!r} in this project",
        truth=people.truth,
        known=people.known,
        taught=people.told(),
        sure=SURE,
        tells_labels=is_told,
        doubted=_doubted(log) if is_told else (),
    )


def card_of_file(read: ReadVotes) -> PeopleReport:
    """Return the report card of those who answered in a file; a truth measures, trusted labels teach and measure."""
    votes, n = read.votes, len(read.votes)
    truth, known, taught = np.zeros(n, dtype=np.intp), np.zeros(n, dtype=bool), Known()
    for told in (read.trusted, read.truth):
        if told is not None:
            truth, known = np.where(told.known, told.classes, truth), known | told.known
    if read.trusted is not None:
        taught = Known(truth=np.eye(votes.n_classes)[read.trusted.classes], trusted=read.trusted.known)
    return people_report(
        votes, source=read.name, truth=truth, known=known, taught=taught, sure=SURE, warnings=read.warnings
    )


def _doubted(log: AnnotationLog) -> tuple[tuple[str, str, str, int, int], ...]:
    """Return gold questions whose trusted label most blind answers contradict, and what they say instead."""
    found = []
    for row in log.rows:
        gold = log.gold_of(row)
        if gold is None or log.last_word(row) is not None:
            continue
        said = Counter(one.value for one in log.blind(row).values())
        if said.total() >= DOUBT and 2 * (said.total() - said[gold[0]]) > said.total():
            most, count = max(((v, n) for v, n in said.items() if v != gold[0]), key=lambda pair: (pair[1], pair[0]))
            found.append((row, gold[0], most, count, said.total()))
    return tuple(found)
