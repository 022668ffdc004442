"""Taking answers in: what people said goes on record, and what it comes to becomes edits of trusted labels.

Labels follow from all answers so far, not from the order in which they came: answers to one row may change what the answers to
another come to, since they tell how far people can be believed. What was derived last of rows on which people differ is on
record too, and only rows whose outcome changed are touched, so that a person's revert stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.annotation import Annotation
from tilth.core.edit import Edit
from tilth.core.manifest import Dropped
from tilth.core.names import ROW_ID, TRUSTED, Split
from tilth.loop.annotation_log import annotation_log, record_annotations
from tilth.loop.answer_lines import ReadLines
from tilth.loop.answering import Answered, answers_as_edits, refuse_unknown_rows, value_of
from tilth.loop.consensus import SURE, Outcome, Standing, consensus
from tilth.loop.former import without_answers
from tilth.loop.frames import trusted_of
from tilth.loop.moving import taxonomy_of
from tilth.loop.project_file import ProjectFile
from tilth.loop.unlabelled import first_splits
from tilth.loop.who_said import annotations_of
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["disputed_rows", "take_answers"]

CONSENSUS = "consensus"
State = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moved:
    """Rows to be touched: those of the file, and others whose outcome these answers changed."""

    here: tuple[str, ...]
    others: tuple[str, ...]
    outcomes: Mapping[str, Outcome]


def take_answers(
    repository: Repository,
    version: Version,
    read: ReadLines,
    file: ProjectFile,
    *,
    annotator: str | None = None,
    adjudicate: bool = False,
) -> Answered:
    """Record answers, and commit what they come to; those that stand already are not taken twice.

    Raises AnswerError where one of them cannot be meant; then nothing is taken.
    """
    task = version.schema.task
    said = annotations_of(
        read,
        task=task.label,
        taxonomy=task.taxonomy,
        value=lambda answer, row: str(value_of(answer, version, row)),
        annotator=annotator,
        adjudicate=adjudicate,
    )
    rows = pa.array(sorted({one.row_id for one in said}), pa.string())
    before = repository.dataset(version)
    refuse_unknown_rows(before, rows)
    log = annotation_log(repository, task.label, taxonomy_of(version))
    fresh = [one for one in said if log.is_new(one)]
    after = log.plus(_timed(fresh))
    outcomes = consensus(after, task.classes)
    last = _last_derived(repository, task.label)
    now_torn = {row: _state(outcome) for row, outcome in outcomes.items() if _is_torn(outcome)}
    others = [row for row in _changed(last, now_torn) if row not in set(rows.to_pylist())]
    here_too = pc.is_in(pa.array(others, pa.string()), value_set=before.row_ids).to_pylist()
    moved = _Moved(
        here=tuple(rows.to_pylist()),
        others=tuple(row for row, is_here in zip(others, here_too, strict=True) if is_here and row in outcomes),
        outcomes=outcomes,
    )
    edits = _edits(repository, version, moved, file)
    record_annotations(repository, fresh, version.version, _now())
    start = version
    for edit in edits:
        version = repository.commit_edit(version, _said_again(version, edit))
    _record_derived(repository, task.label, last, now_torn)
    return _answered(repository, start, version, read, said, fresh, edits, moved)


def disputed_rows(repository: Repository, version: Version) -> dict[str, tuple[str, float]]:
    """Return the rows of a version on which people disagree: the most probable label and how sure it is, least sure first."""
    last = _last_derived(repository, version.schema.task.label)
    torn = {row: (str(one["label"]), float(one["probability"])) for row, one in last.items() if one["disputed"]}
    ids = pa.array(sorted(torn, key=lambda row: (torn[row][1], row)), pa.string())
    here = ids.filter(pc.is_in(ids, value_set=repository.dataset(version).row_ids))
    return {row: torn[row] for row in here.to_pylist()}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _timed(fresh: Sequence[Annotation]) -> list[Annotation]:
    now = _now()
    return [one if one.answered else replace(one, answered=now) for one in fresh]


# -- what was derived last ---------------------------------------------------------------------------------------------


def _is_torn(outcome: Outcome) -> bool:
    return outcome.standing in (Standing.SETTLED, Standing.DISPUTED)


def _state(outcome: Outcome) -> State:
    return {
        "label": outcome.label,
        "probability": round(outcome.probability, 6),
        "disputed": outcome.standing is Standing.DISPUTED,
    }


def _last_derived(repository: Repository, task: str) -> dict[str, State]:
    """Return what was derived last of each row on which people differ."""
    states: dict[str, State] = {}
    for body in repository.records(CONSENSUS):
        if body["task"] == task:
            states |= body["rows"]
            states = {row: state for row, state in states.items() if state is not None}
    return states


def _changed(last: Mapping[str, State], now: Mapping[str, State]) -> list[str]:
    """Rows whose label, or whose trust, is another than was derived last."""
    rows = sorted({*last, *now})
    return [row for row in rows if _verdict(last.get(row)) != _verdict(now.get(row))]


def _verdict(state: State | None) -> tuple[str, bool] | None:
    """What counts of a state: of a disputed row only that it is disputed."""
    return None if state is None else ("" if state["disputed"] else state["label"], state["disputed"])


def _record_derived(repository: Repository, task: str, last: Mapping[str, State], now: Mapping[str, State]) -> None:
    rows = {row: now.get(row) for row in sorted({*last, *now}) if last.get(row) != now.get(row)}
    if rows:
        repository.record(CONSENSUS, {"task": task, "rows": rows, "sure": SURE})


# -- edits -------------------------------------------------------------------------------------------------------------


def _edits(repository: Repository, version: Version, moved: _Moved, file: ProjectFile) -> list[Edit]:
    """Return the edits that bring labels to what the answers come to: trusted ones, then former labels given back."""
    outcomes, stands = moved.outcomes, _standing_labels(repository, version)
    touched = [row for row in (*moved.here, *moved.others) if row in outcomes]
    gold = {row for row in touched if outcomes[row].standing is Standing.GOLD}
    trusted = [
        (row, outcomes[row].label)
        for row in touched
        if outcomes[row].is_trusted and row not in gold and not _is_same(stands.get(row), outcomes[row].label)
    ]
    several = any(outcomes[row].standing is Standing.SETTLED for row, _ in trusted)
    by = "people, by consensus where they differ" if several else "a person"
    edits, _ = answers_as_edits(repository, version, trusted, by)
    edits = [first_splits(repository, version, edit, file.splits, file.seed) for edit in edits]
    return [*edits, *without_answers(repository, version, [row for row in touched if not outcomes[row].is_trusted])]


def _standing_labels(repository: Repository, version: Version) -> dict[str, Any]:
    """Return the trusted labels of a version by row id."""
    label = version.schema.task.label
    table = repository.dataset(version).read(ROW_ID, TRUSTED, label)
    trusted = table.filter(pa.array(trusted_of(table)))
    return dict(zip(trusted.column(ROW_ID).to_pylist(), trusted.column(label).to_pylist(), strict=True))


def _said_again(version: Version, edit: Edit) -> Edit:
    """Return an edit of answers under an id of its own, where the very same was said before and another thing since."""
    if not version.recipe.count(edit.edit_id):
        return edit
    again = replace(edit.operator, parameters={**edit.operator.parameters, "again": len(version.recipe)})
    return replace(edit, operator=again)


def _is_same(label: Any, said: str) -> bool:
    if label is None:
        return False
    return float(said) == label if isinstance(label, float) else str(label) == said


# -- what is told ------------------------------------------------------------------------------------------------------


def _answered(
    repository: Repository,
    start: Version,
    version: Version,
    read: ReadLines,
    said: Sequence[Annotation],
    fresh: Sequence[Annotation],
    edits: Sequence[Edit],
    moved: _Moved,
) -> Answered:
    outcomes = moved.outcomes
    touched = {row for edit in edits for row in edit.touched.to_pylist()}
    new = {id(one) for one in fresh}
    taken = [one for one in said if id(one) in new or one.row_id in touched]
    stood = [one.row_id for one in said if id(one) not in new and one.row_id not in touched]
    rows = sorted({one.row_id for one in taken})
    before, labels = _cells(repository, start, rows)
    trusted = [row for row in rows if row in outcomes and outcomes[row].is_trusted]
    own = [row for row in trusted if outcomes[row].standing is not Standing.GOLD]
    changed = [row for row in own if not _is_same(labels[row], outcomes[row].label)]
    counts = {name: sum(before[row] == name for row in rows) for name in (str(split) for split in Split)}
    again = Dropped.of("it stands already", stood)
    unread = read.manifest.taken - len(said)
    twice = Dropped(why="the same answer again in this file", count=unread)
    return Answered(
        answers=len(taken),
        confirmed=len(own) - len(changed),
        changed=len(changed),
        skipped=len(stood),
        by_split={name: count for name, count in counts.items() if count},
        version=version.version,
        annotators=len({one.annotator for one in taken}),
        rows=len(rows),
        first=sum(labels[row] is None for row in changed),
        settled=sum(outcomes[row].standing is Standing.SETTLED for row in trusted),
        disputed=sum(row in outcomes and not outcomes[row].is_trusted for row in rows),
        gold=len(trusted) - len(own),
        derived=len(moved.others),
        sure=SURE,
        manifest=read.manifest.without((twice, again)),
    )


def _cells(repository: Repository, version: Version, rows: Sequence[str]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return split and label of rows, by row id."""
    dataset = repository.dataset(version)
    at = dataset.positions(pa.array(rows, pa.string()))
    labels = dataset.read(version.schema.task.label).column(0).take(pa.array(at)).to_pylist()
    splits = [str(name) for name in dataset.splits[at]]
    return dict(zip(rows, splits, strict=True)), dict(zip(rows, labels, strict=True))
