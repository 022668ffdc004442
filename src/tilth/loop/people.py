"""People: the rows whose answers are worth most, and answers as edits.

Rows on which people disagree come first, then rows whose label a migration of the label set left open. Then questions decide the
undecided edits of the last run: dev rows drawn at random among those on which the model before and after decide differently.
They come without questions on train rows, since answers there would change the models whose difference they judge. Where no edit is
open, train labels in doubt are asked, then pool rows near the decision boundary. `--split dev|test` asks for a random sample of that
split instead: a trusted sample that judges without assumptions.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import IntVector, Mask
from tilth.core.names import ROW_ID, TRUSTED, Split
from tilth.core.rng import generator
from tilth.core.rowset import RowSet
from tilth.core.schema import ColumnType, Role, Visibility
from tilth.core.trial import Trial, Verdict
from tilth.loop.answer_lines import OWN_COLUMNS
from tilth.loop.answering import Answered, answers_as_edits, read_answers
from tilth.loop.asking import disputed_questions
from tilth.loop.copies import leaks_of, memorised
from tilth.loop.evidence import EvidenceBase
from tilth.loop.found import Found
from tilth.loop.frames import trusted_of
from tilth.loop.ledger import Draw, Ledger
from tilth.loop.open_questions import open_questions
from tilth.loop.protection import spare_trusted
from tilth.loop.question import Question
from tilth.loop.sliced import goal_key
from tilth.operators.protocols import Selector
from tilth.operators.registry import make, names
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["Answered", "Question", "answers_as_edits", "ask", "question_table", "read_answers"]

JUDGES = (str(Split.DEV), str(Split.TEST))
MOST_CELL = 2_000
"""Signs of a cell that a question shows at most."""


def ask(found: Found, top: int, split: Split | None) -> list[Question]:
    """Return at most `top` questions, most valuable first, each row once; draws are recorded in the ledger."""
    if split is not None:
        return _sample(found, top, split)
    repository = found.workshop.repository
    disputed = disputed_questions(repository, found.version, top)
    left_open = _left_open(found, top - len(disputed))
    if left_open:
        return [*disputed, *left_open]
    # Answers on rows that learn would change the models whose difference the deciding questions judge.
    is_apart = all(question.split in JUDGES for question in disputed)
    deciding = _deciding(found, top - len(disputed)) if is_apart and len(disputed) < top else []
    if deciding:
        asked = {question.row_id for question in disputed}
        return [*disputed, *(question for question in deciding if question.row_id not in asked)]
    questions: dict[str, Question] = {question.row_id: question for question in disputed}
    if len(questions) == top:
        return disputed
    for question in _selected(found, top):
        if len(questions) < top:
            questions.setdefault(question.row_id, question)
    return list(questions.values())


def _left_open(found: Found, top: int) -> list[Question]:
    """Questions that a migration of the label set leaves."""
    asked = open_questions(found, top)
    rows = np.array([one.row for one in asked], dtype=np.intp)
    ids = found.dataset.row_ids.take(pa.array(rows)).to_pylist()
    given = found.dataset.read(found.version.schema.task.label).column(0).take(pa.array(rows)).to_pylist()
    return [
        Question(
            row_id=row,
            split=str(found.dataset.splits[one.row]),
            given=label,
            suggestion=one.suggestion,
            reason=one.reason,
        )
        for one, row, label in zip(asked, ids, given, strict=True)
    ]


def _deciding(found: Found, top: int) -> list[Question]:
    """Questions that decide the undecided edits of the last run, the most promising edit first."""
    open_trials = [t for t in _last_trials(found.workshop.repository, found.version) if t.answers_needed]
    open_trials.sort(key=lambda t: (-t.gain.value, t.edit))
    questions: dict[str, Question] = {}
    for trial in open_trials:
        if len(questions) < top:
            asked = _decide_one(found, trial, top - len(questions))
            questions |= {question.row_id: question for question in asked if question.row_id not in questions}
    return list(questions.values())


def _last_trials(repository: Repository, version: Version) -> list[Trial]:
    """Return the open trials of the last run: on this version, or on the one from which its kept edits led here."""
    trials = [Trial.from_dict(dict(body["trial"])) for body in repository.records("trial")]
    lineage = _lineage(repository, version)
    if not trials or trials[-1].parent not in lineage:
        return []
    overruled = Ledger(repository).overruled()
    latest = {t.edit: t for t in trials if t.parent == trials[-1].parent and not t.base}
    is_open = [t for t in latest.values() if t.verdict is Verdict.UNDECIDED and t.edit not in overruled]
    return [t for t in is_open if t.edit not in version.recipe]


def _lineage(repository: Repository, version: Version) -> set[str]:
    """Return a version and those from which it was made."""
    names = {version.version}
    while version.parent is not None:
        version = repository.version(version.parent)
        names.add(version.version)
    return names


def _decide_one(found: Found, trial: Trial, room: int) -> list[Question]:
    """Draw rows on which the models before and after an edit disagree; those that are trusted already need no question."""
    workshop = found.workshop
    edit = spare_trusted(workshop.fitted(found.version, workshop.repository.edit(trial.edit)), found.dataset)
    if not edit.n_rows:
        return []
    if edit.edit_id != trial.edit:
        workshop.repository.save_edit(edit)
    bench = workshop.bench(found.version)
    judged = bench.judged(Split.DEV)
    judged = judged.only(~memorised(bench, judged, leaks_of(found.findings), edit))
    if edit.goal:
        mine = workshop.repository.evidence.get_arrays(goal_key(trial.parent, edit.goal))
        if mine is None:
            return []
        judged = judged.only(np.isin(judged.positions, mine["rows"]))
    before = bench.decisions(bench.predict(bench.baseline, judged.positions))
    after = bench.decisions(bench.predict(bench.fit_edited(edit), judged.positions))
    differing = np.flatnonzero(before != after)
    order = generator(workshop.seed, "decide", edit.edit_id).permutation(differing)
    chosen = _as_far_as(order[: trial.answers_needed], judged.trusted, room)
    ids = bench.table.column(ROW_ID).take(pa.array(judged.positions[chosen])).to_pylist()
    draw = Draw(
        purpose="decide",
        edit=edit.edit_id,
        parent=found.version.version,
        split=str(Split.DEV),
        ids=tuple(ids),
        n_disagreeing=len(differing),
        n_rows=len(judged),
    )
    if ids:
        Ledger(workshop.repository).record_draw(draw)
    classes = found.version.schema.task.classes
    reason = f"decides {edit.edit_id} ({trial.operator}): before and after disagree here"
    return [
        Question(
            row_id=row,
            split=str(Split.DEV),
            given=str(classes[judged.labels[at]]),
            suggestion=f"{classes[before[at]]} or {classes[after[at]]}",
            reason=reason,
        )
        for row, at in zip(ids, chosen, strict=True)
        if not judged.trusted[at]
    ]


def _as_far_as(order: IntVector, answered: Mask, room: int) -> IntVector:
    """Return the beginning of a draw that holds at most `room` rows without an answer."""
    n_open = np.cumsum(~answered[order])
    return order[: int(np.searchsorted(n_open, room, side="right"))]


def _selected(found: Found, top: int) -> list[Question]:
    """Questions of the selectors, in the order of their names."""
    evidence = found.workshop.evidence(found.version)
    questions: list[Question] = []
    for name in names("selection"):
        selector = make("selection", name)
        step = f"select {name}"
        chosen = found.quarantine.run(step, partial(_select, selector, evidence, top))
        if chosen is not None:
            questions += _as_questions(found, chosen.ids, chosen.reason)
    return questions


def _select(selector: Selector, evidence: EvidenceBase, top: int) -> RowSet:
    return selector.select(evidence.view(selector), top)


def _as_questions(found: Found, ids: pa.Array, reason: str) -> list[Question]:
    dataset, label = found.dataset, found.version.schema.task.label
    rows = dataset.positions(ids)
    given = dataset.read(label).column(0).take(pa.array(rows)).to_pylist()
    guess = _guesses(found, rows)
    return [
        Question(
            row_id=row,
            split=str(dataset.splits[at]),
            given=None if value is None else str(value),
            suggestion=suggestion,
            reason=reason,
        )
        for row, at, value, suggestion in zip(ids.to_pylist(), rows, given, guess, strict=True)
    ]


def _guesses(found: Found, rows: np.ndarray) -> list[str]:
    """What the model says of rows: out of sample for train rows, the fitted model elsewhere."""
    bench = found.workshop.bench(found.version)
    task = found.version.schema.task
    predicted = bench.predict(bench.baseline, rows)
    evidence = found.workshop.evidence(found.version)
    train = evidence.labelled_train()
    own = np.asarray(evidence.out_of_sample())
    at = np.searchsorted(train, rows)
    inside = (at < len(train)) & (train[np.minimum(at, len(train) - 1)] == rows)
    predicted[inside] = own[at[inside]]
    if task.is_regression:
        return [f"{value:.6g}" for value in predicted[:, 0]]
    return [task.classes[code] for code in predicted.argmax(axis=1)]


def _sample(found: Found, top: int, split: Split) -> list[Question]:
    """A random sample of a split, in an order that the seed fixes: more questions extend the same sample."""
    dataset = found.dataset
    inside = np.flatnonzero(dataset.mask(split))
    trusted = trusted_of(dataset.read(TRUSTED))
    order = _as_far_as(generator(found.workshop.seed, "sample", str(split)).permutation(inside), trusted, top)
    ids = dataset.row_ids.take(pa.array(order))
    draw = Draw(
        purpose="sample",
        edit=None,
        parent=found.version.version,
        split=str(split),
        ids=tuple(ids.to_pylist()),
        n_disagreeing=0,
        n_rows=len(inside),
    )
    if len(ids):
        Ledger(found.workshop.repository).record_draw(draw)
    return _as_questions(found, ids.filter(pa.array(~trusted[order])), f"random sample of {split}")


def question_table(
    found: Found, questions: Sequence[Question], *, names_people: bool = False, is_blind: bool = False
) -> pa.Table:
    """Return the questions as a table: row_id, split, given, suggestion, reason, answer (empty), then shown columns.

    With `names_people` a column annotator stands before the answer; a blind table leaves out the source's own split.
    """
    dataset, schema = found.dataset, found.version.schema
    ids = pa.array([q.row_id for q in questions], pa.string())
    may_show = schema.may_show(schema.task.label)
    columns: dict[str, Any] = {
        "row_id": ids,
        "split": pa.array([q.split for q in questions], pa.string()),
        "given": pa.array([q.given if may_show else None for q in questions], pa.string()),
        "suggestion": pa.array([q.suggestion for q in questions], pa.string()),
        "reason": pa.array([q.reason for q in questions], pa.string()),
        **({"annotator": pa.array([q.annotator for q in questions], pa.string())} if names_people else {}),
        "answer": pa.array([""] * len(questions), pa.string()),
    }
    unshown = (ColumnType.IMAGE, ColumnType.EMBEDDING)
    told = [c for c in schema.columns if not (is_blind and c.role is Role.SPLIT)]
    shown = [c.name for c in told if c.visibility is Visibility.SHOWN and c.type not in unshown]
    rows = dataset.read(*shown).take(pa.array(dataset.positions(ids))) if shown else pa.table({})
    for name in shown:
        if name != schema.task.label:
            texts = rows.column(name).cast(pa.string())
            free = name not in columns and name not in OWN_COLUMNS
            columns[name if free else f"{name} (column)"] = pc.utf8_slice_codeunits(texts, 0, MOST_CELL)
    return pa.table(columns)
