"""Sheets of questions for several people: who is given which row, and gold questions that nothing gives away.

A sheet with gold questions is blind: of no row does it show the split, the given label, a suggestion or a reason, for a row whose
label is known has none of these to show. That also keeps suggestions from leading those who are measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Mask, Matrix
from tilth.core.dataset import Dataset
from tilth.core.errors import NotApplicable, UsageError
from tilth.core.names import ROW_ID, TRUSTED
from tilth.core.rng import generator
from tilth.loop.annotation_log import AnnotationLog, annotation_log, record_gold
from tilth.loop.frames import class_codes, trusted_of
from tilth.loop.label_votes import AUTO, fitted_model
from tilth.loop.moving import taxonomy_of
from tilth.loop.people_votes import people_votes
from tilth.loop.question import Question
from tilth.numerics.annotators import confusions_of
from tilth.numerics.expected_information import assigned, expected_information
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["Sheet", "SheetPlan", "is_blind", "laid_out"]

BLIND = "asked blind"
ANYBODY = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetPlan:
    """For whom a sheet is: `people` who may be asked, at most `each` questions a person, and `gold` questions mixed in."""

    people: tuple[str, ...] = ()
    each: int | None = None
    gold: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if len(set(self.people)) < len(self.people) or not all(name.strip() for name in self.people):
            raise UsageError("--people names somebody twice, or nobody", next_step="--people anna,ben,cem")
        if self.each is not None and not self.people:
            raise UsageError("--each needs to know who is asked", next_step="--people anna,ben,cem --each 20")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Questions in the order of the sheet, and what is to be said of them."""

    questions: tuple[Question, ...]
    notes: tuple[str, ...] = ()


def is_blind(plan: SheetPlan) -> bool:
    """Whether a sheet shows nothing but the rows themselves."""
    return plan.gold > 0


def laid_out(
    repository: Repository, version: Version, seed: int, questions: Sequence[Question], plan: SheetPlan
) -> Sheet:
    """Return the sheet: each question given to somebody, and gold questions among them; those are kept on record.

    Raises NotApplicable for gold questions in a project that predicts numbers.
    """
    if not plan.people and not plan.gold:
        return Sheet(questions=tuple(questions))
    log = annotation_log(repository, version.schema.task.label, taxonomy_of(version))
    given, notes = _given(version, log, questions, plan) if plan.people else (list(questions), [])
    if not plan.gold:
        return Sheet(questions=tuple(given), notes=tuple(notes))
    gold, labels, said = _gold(repository, version, seed, log, {one.row_id for one in given}, plan)
    if gold:
        asked = {one.row_id: one.annotator for one in gold}
        record_gold(repository, version.schema.task.label, labels, asked, version.version)
    every = [replace(one, split="", given=None, suggestion=None, reason=BLIND) for one in (*given, *gold)]
    order = generator(seed, "sheet", len(log.gold), log.n_records).permutation(len(every))
    return Sheet(questions=tuple(every[at] for at in order), notes=(*notes, *said))


# -- who is asked ------------------------------------------------------------------------------------------------------


def _given(
    version: Version, log: AnnotationLog, questions: Sequence[Question], plan: SheetPlan
) -> tuple[list[Question], list[str]]:
    """Return the questions that somebody can be given, and what is to be said of the others."""
    rows = [one.row_id for one in questions]
    may = np.array([[name not in log.newest(row) for name in plan.people] for row in rows], dtype=bool)
    may = may.reshape(len(rows), len(plan.people))
    who = assigned(_gains(version, log, rows, plan.people), may, plan.each)
    given = [
        replace(question, annotator=plan.people[at]) for question, at in zip(questions, who, strict=True) if at >= 0
    ]
    notes = []
    exhausted = int((~may.any(axis=1)).sum())
    if exhausted:
        notes.append(
            f"{exhausted:,} rows were answered by all of them and are left out: ask somebody else, or settle them"
            " (tilth ask without --people, then tilth answer --adjudicate)"
        )
    left = len(questions) - len(given) - exhausted
    if left:
        notes.append(f"{left:,} rows are left out: everybody who may be asked has {plan.each:,} already")
    return given, notes


def _gains(version: Version, log: AnnotationLog, rows: Sequence[str], people: Sequence[str]) -> Matrix:
    """Return what an answer of each person is expected to tell of each row; (n, m), all alike where nothing is known."""
    classes = version.schema.task.classes
    if version.schema.task.is_regression:
        return np.zeros((len(rows), len(people)))
    said = people_votes(log, classes)
    if not len(said.votes.rows):
        return np.zeros((len(rows), len(people)))
    known = said.told()
    choice = fitted_model(AUTO, said.votes, known)
    probs = choice.model.predict(said.votes, choice.labelling, known)
    names = [*said.votes.labelers, *(name for name in people if name not in said.votes.labelers)]
    confusions = confusions_of(said.votes.sources, said.votes.said, probs[said.votes.rows], len(names))
    place = {row: at for at, row in enumerate(said.votes.row_ids.to_pylist())}
    prior = choice.labelling.prior / choice.labelling.prior.sum()
    posterior = np.array([probs[place[row]] if row in place else prior for row in rows]).reshape(-1, len(classes))
    return expected_information(posterior, confusions[[names.index(name) for name in people]])


# -- gold questions ----------------------------------------------------------------------------------------------------


def _gold(
    repository: Repository, version: Version, seed: int, log: AnnotationLog, taken: set[str], plan: SheetPlan
) -> tuple[list[Question], dict[str, str], list[str]]:
    """Return gold questions, their trusted labels, and what is to be said of them."""
    if version.schema.task.is_regression:
        raise NotApplicable("gold questions need classes; this project predicts numbers")
    rows, labels = _trusted(repository.dataset(version), version)
    may = _may_be_asked(log, rows, taken, plan.people or (ANYBODY,))
    open_rows = np.flatnonzero(may.any(axis=1))
    rng = generator(seed, "gold", len(log.gold))
    chosen = _over_classes(rng, [labels[at] for at in open_rows], plan.gold)
    picked = open_rows[chosen]
    names = plan.people or (ANYBODY,)
    who = assigned(np.zeros((len(picked), len(names))), may[picked])
    questions = [
        Question(row_id=rows[at], split="", given=None, suggestion=None, reason=BLIND, annotator=names[one])
        for at, one in zip(picked, who, strict=True)
    ]
    notes = []
    if len(picked) < plan.gold:
        notes.append(
            f"only {len(picked):,} gold questions: of {len(rows):,} rows with a trusted label the others are asked here"
            " already, or were asked before"
        )
    return questions, {rows[at]: labels[at] for at in picked}, notes


def _trusted(dataset: Dataset, version: Version) -> tuple[list[str], list[str]]:
    schema = version.schema
    table = dataset.read(ROW_ID, TRUSTED, schema.task.label)
    codes, labelled = class_codes(table, schema)
    at = np.flatnonzero(trusted_of(table) & labelled)
    ids = table.column(ROW_ID).take(pa.array(at)).to_pylist()
    order = np.argsort(np.array(ids, dtype=object), kind="stable") if ids else np.zeros(0, dtype=np.intp)
    return [ids[one] for one in order], [schema.task.classes[codes[at[one]]] for one in order]


def _may_be_asked(log: AnnotationLog, rows: Sequence[str], taken: set[str], people: Sequence[str]) -> Mask:
    """Return who may be asked what: nobody a row that they answered, or were given as a gold question before."""
    may = np.zeros((len(rows), len(people)), dtype=bool)
    for at, row in enumerate(rows):
        if row in taken:
            continue
        asked, answered = log.asked_gold(row), set(log.newest(row))
        for number, name in enumerate(people):
            may[at, number] = not asked if name == ANYBODY else name not in asked | answered
    return may


def _over_classes(rng: np.random.Generator, labels: Sequence[str], n: int) -> IntVector:
    """Draw rows, as evenly over the classes as they are there."""
    by_class: dict[str, list[int]] = {}
    for at in rng.permutation(len(labels)):
        by_class.setdefault(labels[int(at)], []).append(int(at))
    names = sorted(by_class)
    turn = [by_class[name][depth] for depth in range(len(labels)) for name in names if depth < len(by_class[name])]
    return np.array(turn[:n], dtype=np.intp)
