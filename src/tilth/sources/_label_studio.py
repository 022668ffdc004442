"""Label Studio: a JSON list of tasks, each with the annotations that people made of it.

    [{"id": 7, "data": {"row_id": "r7", "text": …},
      "annotations": [{"completed_by": 3, "updated_at": …, "was_cancelled": false,
                       "result": [{"from_name": "label", "value": {"choices": ["spam"]}, …}]}]}]

Read are single choices and numbers; `completed_by` is a number or an object with the person's address. Predictions and
drafts are no answers.

Source: Label Studio documentation, "Label Studio JSON format of annotated tasks", labelstud.io/guide/task_format.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from tilth.core.errors import SourceError, first_three
from tilth.core.manifest import Dropped
from tilth.sources._content import Content, decode, suffix_of

__all__ = ["StudioAnswers", "is_studio", "studio_answers", "studio_tasks"]

MADE_BY_US = "label"
"""What tilth calls the question in the tasks that it writes."""
CANCELLED = "cancelled: the annotator skipped the task"
NOTHING = "no single choice: empty, several at once, or of another kind"
NAMELESS = "the task names no row: its data has no row_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class StudioAnswers:
    """The answers in an export.

    Parameters
    ----------
    table : text columns row_id, annotator, answer, answered; one line per answer
    read : annotations in the file
    dropped : those that are not in the table, by reason
    notes : how the file was understood
    """

    table: pa.Table
    read: int
    dropped: tuple[Dropped, ...]
    notes: tuple[str, ...]


def studio_tasks(content: Content) -> list[Any] | None:
    """Return the tasks of a Label Studio export; None where the content is something else."""
    if suffix_of(content.name) != ".json":
        return None
    text = decode(content, None)
    if text.lstrip()[:1] != "[":
        return None
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return None  # the JSON reader says where it breaks
    return value if is_studio(value) else None


def is_studio(value: object) -> bool:
    """Whether this is a list of tasks that have data and annotations."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(task, Mapping) and isinstance(task.get("data"), Mapping) for task in value)
        and any(isinstance(_annotations(task), list) for task in value)
    )


def studio_answers(tasks: Sequence[Mapping[str, Any]], name: str, *, question: str = "") -> StudioAnswers:
    """Return the answers to one question of an export, in the order of the file.

    Rows are named by `row_id` in a task's data, or in its meta; where no task has one, by the tasks' own ids.

    Parameters
    ----------
    tasks : what `studio_tasks` returned
    name : the file, for messages
    question : the name of the choices that are read, where the tasks have several; "" for the only one

    Raises
    ------
    SourceError
        Several questions and none of that name, or annotators that are numbers here and addresses there.
    """
    found = list(_each(tasks))
    wanted = _question(found, question, name)
    named = any(row_id for row_id, _, _ in found)
    gone: dict[str, list[object]] = {CANCELLED: [], NOTHING: [], NAMELESS: []}
    lines: list[tuple[str, Any, str, str]] = []
    for row_id, task, annotation in found:
        answer = _answer(annotation, wanted)
        if annotation.get("was_cancelled"):
            gone[CANCELLED].append(f"task {task}")
        elif answer is None:
            gone[NOTHING].append(f"task {task}")
        elif named and not row_id:
            gone[NAMELESS].append(f"task {task}")
        else:
            when = str(annotation.get("updated_at") or annotation.get("created_at") or "")
            lines.append((row_id or str(task), annotation.get("completed_by"), answer, when))
    people = _people([who for _, who, _, _ in lines], name)
    table = pa.table(
        {
            "row_id": pa.array([line[0] for line in lines], pa.string()),
            "annotator": pa.array(people, pa.string()),
            "answer": pa.array([line[2] for line in lines], pa.string()),
            "answered": pa.array([line[3] for line in lines], pa.string()),
        }
    )
    rows = "data.row_id" if named else "the tasks' ids"
    asked = f", of the question {wanted!r}" if wanted else ""
    return StudioAnswers(
        table=table,
        read=len(found),
        dropped=tuple(Dropped.of(why, ids) for why, ids in gone.items() if ids),
        notes=(f"a Label Studio export of {len(tasks):,} tasks{asked}: rows by {rows}",),
    )


def _annotations(task: Mapping[str, Any]) -> Any:
    return task.get("annotations", task.get("completions"))


def _each(tasks: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Any, Mapping[str, Any]]]:
    """Yield row id, task id and annotation."""
    for place, task in enumerate(tasks, start=1):
        meta = task.get("meta") if isinstance(task.get("meta"), Mapping) else {}
        row = task["data"].get("row_id", (meta or {}).get("row_id"))
        for annotation in _annotations(task) or ():
            if isinstance(annotation, Mapping):
                yield "" if row is None else str(row).strip(), task.get("id", place), annotation


def _results(annotation: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Yield the question and the single answer of each result that is a choice or a number."""
    for result in annotation.get("result") or ():
        value = result.get("value") if isinstance(result, Mapping) else None
        if not isinstance(value, Mapping):
            continue
        if isinstance(value.get("choices"), list):
            choices = value["choices"]
            yield str(result.get("from_name", "")), str(choices[0]).strip() if len(choices) == 1 else None
        elif isinstance(value.get("number"), int | float):
            yield str(result.get("from_name", "")), str(value["number"])


def _answer(annotation: Mapping[str, Any], question: str) -> str | None:
    said = [answer for asked, answer in _results(annotation) if asked == question or not question]
    return said[0] if len(said) == 1 and said[0] else None


def _question(found: Sequence[tuple[str, Any, Mapping[str, Any]]], wanted: str, name: str) -> str:
    names = Counter(asked for _, _, annotation in found for asked, _ in _results(annotation))
    for one in (wanted, MADE_BY_US):
        if one in names:
            return one
    if len(names) > 1:
        raise SourceError(
            f"the tasks answer several questions: {first_three(sorted(names))}",
            where=name,
            next_step=f"export one of them, or name the one that is meant {wanted or MADE_BY_US!r}",
        )
    return next(iter(names), "")


def _people(given: Sequence[Any], name: str) -> list[str]:
    """Return a name per annotation: the address where the file has it, else the number of the account."""
    objects = [one for one in given if isinstance(one, Mapping)]
    address = {str(one.get("id")): str(one["email"]) for one in objects if one.get("email")}
    named = [_person(one, address) for one in given]
    numbers = sorted({one for one in named if one.isdigit()})
    if numbers and address:
        raise SourceError(
            f"annotators are numbers here and addresses there: {first_three(numbers)}; {first_three(address.values())}",
            where=name,
            next_step="export all tasks in one way, so that one person has one name",
        )
    return named


def _person(one: Any, address: Mapping[str, str]) -> str:
    if isinstance(one, Mapping):
        one = one.get("email") or one.get("id")
    text = "" if one is None else str(one).strip()
    return address.get(text, text)
