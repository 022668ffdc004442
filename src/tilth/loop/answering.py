"""Answers: a person's CSV read back in as edits of trusted labels; on dev and test rows they make a new evaluation set.

An answered label is what the row is trained on from then on: a soft target or a weight that an operator had put on the row goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.annotation import Annotation
from tilth.core.answered import Answered
from tilth.core.dataset import Dataset
from tilth.core.edit import PERSON, Edit, Verb
from tilth.core.errors import AnswerError, did_you_mean, first_three
from tilth.core.names import ROW_ID, SPLIT, TARGET, WEIGHT, Split
from tilth.core.spec import Spec
from tilth.loop._answer_file import read_answers
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["Answered", "answers_as_edits", "read_answers", "refuse_unknown_rows", "value_of"]


def answers_as_edits(
    repository: Repository, version: Version, answers: Sequence[tuple[str, str]], by: str = "a person"
) -> tuple[list[Edit], list[Annotation]]:
    """Return the edits that a person's answers make, train and pool rows first, then dev and test rows.

    `by` says in the reason whose answers they are.

    Raises AnswerError for unknown rows, unknown classes, or two different answers to one row; then nothing is taken.
    """
    dataset, task = repository.dataset(version), version.schema.task
    unique = dict(answers)
    ids = pa.array(list(unique), pa.string())
    refuse_unknown_rows(dataset, ids)
    _refuse_contradictions([(row, answer, value_of(answer, version, row)) for row, answer in answers])
    values = [value_of(answer, version, row) for row, answer in unique.items()]
    rows = dataset.positions(ids)
    splits = dataset.splits[rows].astype(str)
    given = dataset.read(task.label).column(0).take(pa.array(rows)).combine_chunks()
    edits = []
    for judged in (False, True):
        chosen = np.flatnonzero(np.isin(splits, [str(Split.DEV), str(Split.TEST)]) == judged)
        if len(chosen):
            edit = _edit(task.label, ids, values, given, splits, chosen, by=by, is_evaluation=judged)
            edits.append(_with_plain_targets(edit, dataset))
    annotations = [Annotation(row_id=row, task=task.label, value=str(value)) for row, value in unique.items()]
    return edits, annotations


def refuse_unknown_rows(dataset: Dataset, ids: pa.Array) -> None:
    """Refuse answers for rows that a version does not hold; raises AnswerError with the first of them."""
    known = pc.is_in(ids, value_set=dataset.row_ids)
    if pc.all(known).as_py() or not len(ids):
        return
    strangers = ids.filter(pc.invert(known)).to_pylist()
    raise AnswerError(
        f"{len(strangers):,} answers are for unknown rows",
        where=f"rows {first_three(strangers)}",
        next_step="keep the row_id column as tilth ask wrote it",
    )


def _refuse_contradictions(answers: Sequence[tuple[str, str, str | float]]) -> None:
    seen: dict[str, tuple[str, str | float]] = {}
    for row, answer, value in answers:
        first, same = seen.setdefault(row, (answer, value))
        if same != value:
            raise AnswerError(
                f"two different answers for one row: {first!r} and {answer!r}",
                where=f"row {row}",
                next_step="leave one of them",
            )


def value_of(answer: str, version: Version, row: str) -> str | float:
    """Return an answer as a class, or as a number for regression; raises AnswerError where it is none."""
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
    by: str,
    is_evaluation: bool,
) -> Edit:
    mine = ids.take(pa.array(chosen))
    edit = Edit.relabelling(
        label,
        mine,
        pa.array([values[i] for i in chosen], given.type),
        given.take(pa.array(chosen)),
        operator=Spec(room="people", name="answers", parameters={"rows": len(chosen)}),
        reason=f"{len(chosen):,} labels answered by {by}",
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


def _with_plain_targets(edit: Edit, dataset: Dataset) -> Edit:
    """Return the edit that also takes away what operators had set for the answered rows: soft targets and weights."""
    ids = edit.touched
    rows = pa.array(dataset.positions(ids))
    cleared = {}
    for name in (TARGET, WEIGHT):
        column = dataset.read(name).column(0).take(rows).combine_chunks()
        here = ids.filter(pc.is_valid(column))
        if len(here):
            cleared[name] = pa.table({ROW_ID: here, "value": pa.nulls(len(here), column.type)})
    return replace(edit, set={**edit.set, **cleared}) if cleared else edit
