"""People: the rows whose answers are worth most, and answers as edits.

Questions come in this order: rows that decide an undecided edit (drawn at random among the dev rows on which the model before
and after decide differently), then train labels in doubt, then pool rows near the decision boundary. `--split dev|test` asks
for a random sample of that split instead: a trusted sample that judges without assumptions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from tilth.core.annotation import Annotation
from tilth.core.edit import PERSON, Edit, Verb
from tilth.core.errors import AnswerError, did_you_mean, first_three
from tilth.core.names import ROW_ID, SPLIT, Split
from tilth.core.rng import generator
from tilth.core.schema import ColumnType, Visibility
from tilth.core.spec import Spec
from tilth.core.trial import Trial, Verdict
from tilth.loop.ledger import Draw, Ledger
from tilth.loop.run import Found
from tilth.operators.registry import make, names
from tilth.store.repository import Repository, Version

__all__ = ["Answered", "Question", "answers_as_edits", "ask", "question_table", "read_answers"]

MOST_CELL = 2_000
"""Signs of a cell that a question shows at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One row to ask about."""

    row_id: str
    split: str
    given: str | None
    suggestion: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of a file of answers: how many were taken, and how many confirmed or changed a label, by split."""

    answers: int
    confirmed: int
    changed: int
    skipped: int
    by_split: dict[str, int]
    version: str


def ask(found: Found, top: int, split: Split | None) -> list[Question]:
    """Return at most `top` questions, most valuable first, each row once; draws are recorded in the ledger."""
    if split is not None:
        return _sample(found, top, split)
    questions: dict[str, Question] = {}
    for question in [*_deciding(found, top), *_selected(found, top)]:
        if len(questions) < top:
            questions.setdefault(question.row_id, question)
    return list(questions.values())


def _deciding(found: Found, top: int) -> list[Question]:
    """Questions that decide the undecided edits of the last run, the most promising edit first."""
    ledger = Ledger(found.workshop.repository)
    open_trials = [t for t in _last_trials(found.workshop.repository, found.version) if t.answers_needed]
    open_trials.sort(key=lambda t: (-t.gain.value, t.edit))
    questions: list[Question] = []
    for trial in open_trials:
        if len(questions) < top:
            questions += _decide_one(found, ledger, trial, top - len(questions))
    return questions


def _last_trials(repository: Repository, version: Version) -> list[Trial]:
    trials = [Trial.from_dict(dict(body["trial"])) for body in repository.records("trial")]
    overruled = Ledger(repository).overruled()
    latest = {t.edit: t for t in trials if t.parent == version.version and not t.base}
    return [t for t in latest.values() if t.verdict is Verdict.UNDECIDED and t.edit not in overruled]


def _decide_one(found: Found, ledger: Ledger, trial: Trial, room: int) -> list[Question]:
    bench = found.workshop.bench(found.version)
    judged = bench.judged(Split.DEV)
    edit = found.workshop.repository.edit(trial.edit)
    before = bench.decisions(bench.predict(bench.baseline, judged.positions))
    after = bench.decisions(bench.predict(bench.fit_edited(edit), judged.positions))
    differing = np.flatnonzero(before != after)
    order = generator(found.workshop.seed, "decide", trial.edit).permutation(differing)
    chosen = order[: min(trial.answers_needed or 0, room)]
    ids = bench.table.column(ROW_ID).take(pa.array(judged.positions[chosen])).to_pylist()
    draw = Draw(
        purpose="decide",
        edit=trial.edit,
        parent=trial.parent,
        split=str(Split.DEV),
        ids=tuple(ids),
        n_disagreeing=len(differing),
        n_rows=len(judged),
    )
    ledger.record_draw(draw)
    classes = found.version.schema.task.classes
    reason = f"decides {trial.edit} ({trial.operator}): before and after disagree here"
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


def _selected(found: Found, top: int) -> list[Question]:
    """Questions of the selectors, in the order of their names."""
    evidence = found.workshop.evidence(found.version)
    questions: list[Question] = []
    for name in names("selection"):
        selector = make("selection", name)
        step = f"select {name}"
        chosen = found.quarantine.run(step, lambda s=selector: s.select(evidence.view(s), top))
        if chosen is not None:
            questions += _as_questions(found, chosen.ids, chosen.reason)
    return questions


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
    order = generator(found.workshop.seed, "sample", str(split)).permutation(inside)[:top]
    ids = dataset.row_ids.take(pa.array(order))
    ledger = Ledger(found.workshop.repository)
    ledger.record_draw(
        Draw(
            purpose="sample",
            edit=None,
            parent=found.version.version,
            split=str(split),
            ids=tuple(ids.to_pylist()),
            n_disagreeing=0,
            n_rows=len(inside),
        )
    )
    return _as_questions(found, ids, f"random sample of {split}")


def question_table(found: Found, questions: Sequence[Question]) -> pa.Table:
    """Return the questions as a table: row_id, split, given, suggestion, reason, answer (empty), then the shown columns."""
    dataset, schema = found.dataset, found.version.schema
    ids = pa.array([q.row_id for q in questions], pa.string())
    columns: dict[str, Any] = {
        "row_id": ids,
        "split": pa.array([q.split for q in questions], pa.string()),
        "given": pa.array([q.given for q in questions], pa.string()),
        "suggestion": pa.array([q.suggestion for q in questions], pa.string()),
        "reason": pa.array([q.reason for q in questions], pa.string()),
        "answer": pa.array([""] * len(questions), pa.string()),
    }
    unshown = (ColumnType.IMAGE, ColumnType.EMBEDDING)
    shown = [c.name for c in schema.columns if c.visibility is Visibility.SHOWN and c.type not in unshown]
    rows = dataset.read(*shown).take(pa.array(dataset.positions(ids))) if shown else pa.table({})
    for name in shown:
        if name != schema.task.label:
            texts = rows.column(name).cast(pa.string())
            columns[name if name not in columns else f"{name} (column)"] = pc.utf8_slice_codeunits(texts, 0, MOST_CELL)
    return pa.table(columns)


def read_answers(path: Path) -> list[tuple[str, str]]:
    """Return (row id, answer) of a CSV with columns `row_id` and `answer`; empty answers are left out."""
    if not path.is_file():
        raise AnswerError(
            f"there is no file {str(path)!r}", next_step="tilth ask -o questions.csv makes one to fill in"
        )
    types = pacsv.ConvertOptions(column_types={"row_id": pa.string(), "answer": pa.string()}, strings_can_be_null=False)
    try:
        table = pacsv.read_csv(path, convert_options=types, parse_options=pacsv.ParseOptions(newlines_in_values=True))
    except pa.ArrowInvalid as error:
        raise AnswerError(f"the answers cannot be read as CSV: {error}", where=str(path)) from error
    for name in ("row_id", "answer"):
        if name not in table.column_names:
            raise AnswerError(
                f"the answers have no column {name!r}",
                where=str(path),
                next_step="keep the header that tilth ask wrote",
            )
    pairs = zip(table.column("row_id").to_pylist(), table.column("answer").to_pylist(), strict=True)
    return [(row.strip(), answer.strip()) for row, answer in pairs if answer and answer.strip()]


def answers_as_edits(
    repository: Repository, version: Version, answers: Sequence[tuple[str, str]]
) -> tuple[list[Edit], list[Annotation]]:
    """Return the edits that a person's answers make, train and pool rows first, then dev and test rows.

    Raises AnswerError for unknown rows, unknown classes, or two different answers to one row; then nothing is taken.
    """
    dataset, task = repository.dataset(version), version.schema.task
    _refuse_contradictions(answers)
    unique = dict(answers)
    ids = pa.array(list(unique), pa.string())
    known = pc.is_in(ids, value_set=dataset.row_ids)
    if not pc.all(known).as_py() and len(ids):
        strangers = ids.filter(pc.invert(known)).to_pylist()
        raise AnswerError(
            f"{len(strangers):,} answers are for unknown rows",
            where=f"rows {first_three(strangers)}",
            next_step="keep the row_id column as tilth ask wrote it",
        )
    values = [_value(answer, version, row) for row, answer in unique.items()]
    rows = dataset.positions(ids)
    splits = dataset.splits[rows].astype(str)
    given = dataset.read(task.label).column(0).take(pa.array(rows)).combine_chunks()
    edits = []
    for judged in (False, True):
        chosen = np.flatnonzero(np.isin(splits, [str(Split.DEV), str(Split.TEST)]) == judged)
        if len(chosen):
            edits.append(_edit(task.label, ids, values, given, splits, chosen, is_evaluation=judged))
    annotations = [Annotation(row_id=row, task=task.label, value=str(value)) for row, value in unique.items()]
    return edits, annotations


def _refuse_contradictions(answers: Sequence[tuple[str, str]]) -> None:
    seen: dict[str, str] = {}
    for row, answer in answers:
        if seen.setdefault(row, answer) != answer:
            raise AnswerError(f"two different answers for one row: {seen[row]!r} and {answer!r}", where=f"row {row}")


def _value(answer: str, version: Version, row: str) -> str | float:
    task = version.schema.task
    if task.is_regression:
        try:
            number = float(answer)
        except ValueError:
            number = float("nan")
        if not np.isfinite(number):
            raise AnswerError(f"the answer {answer!r} is not a number", where=f"row {row}")
        return number
    if answer in task.classes:
        return answer
    raise AnswerError(
        f"the answer {answer!r} is not a class.{did_you_mean(answer, task.classes)}",
        where=f"row {row}",
        next_step=f"the classes are: {', '.join(task.classes[:12])}",
    )


def _edit(
    label: str,
    ids: pa.Array,
    values: Sequence[Any],
    given: pa.Array,
    splits: np.ndarray,
    chosen: np.ndarray,
    *,
    is_evaluation: bool,
) -> Edit:
    mine = ids.take(pa.array(chosen))
    edit = Edit.relabelling(
        label,
        mine,
        pa.array([values[i] for i in chosen], given.type),
        given.take(pa.array(chosen)),
        operator=Spec(room="people", name="answers", parameters={"rows": len(chosen)}),
        reason=f"{len(chosen):,} labels answered by a person",
        author=PERSON,
        trusted=True,
        evaluation=is_evaluation,
    )
    pool = chosen[splits[chosen] == str(Split.POOL)]
    if not len(pool):
        return edit
    moved = pa.table({ROW_ID: ids.take(pa.array(pool)), "value": pa.array([str(Split.TRAIN)] * len(pool))})
    return Edit(
        verb=Verb.ADD if len(pool) == len(chosen) else Verb.RELABEL,
        operator=edit.operator,
        reason=edit.reason,
        author=PERSON,
        set={**edit.set, SPLIT: moved},
        expects=edit.expects,
    )
