"""Label Studio exports: what is an answer, what is dropped and why, who answered."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from tilth.core.errors import SourceError
from tilth.sources._content import Content
from tilth.sources._label_studio import CANCELLED, NAMELESS, NOTHING, studio_answers, studio_tasks
from tilth.sources._votes import read_votes


def annotation(*choices, who=3, name="label", **more):
    result = [{"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": list(choices)}}]
    return {"id": 1, "completed_by": who, "created_at": "2026-01-02T03:04:05Z", "result": result, **more}


def task(number, *annotations, row="", **data):
    named = {"row_id": row} if row else {}
    return {"id": number, "data": {"text": "…", **named, **data}, "annotations": list(annotations), "predictions": []}


def content(value, name="export.json"):
    return Content(name=name, buffer=pa.py_buffer(json.dumps(value).encode()))


def answers(*tasks, **options):
    return studio_answers(list(tasks), "export.json", **options)


def test_by_hand():
    said = answers(
        task(1, annotation("spam", who=3), annotation("ham", who={"id": 4, "email": ""}), row="r1"),
        task(2, annotation("ham", who=3, updated_at="2026-02-02T00:00:00Z"), row="r2"),
    )
    assert said.table.to_pydict() == {
        "row_id": ["r1", "r1", "r2"],
        "annotator": ["3", "4", "3"],
        "answer": ["spam", "ham", "ham"],
        "answered": ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z", "2026-02-02T00:00:00Z"],
    }
    assert (said.read, said.dropped) == (3, ())


def test_what_is_no_answer_is_dropped_with_the_reason():
    said = answers(
        task(1, annotation("a", was_cancelled=True), row="r1"),
        task(2, annotation(), annotation("a", "b"), annotation("b"), row="r2"),
        task(3, annotation("a")),
        task(4, row="r4"),
    )
    assert said.table.column("answer").to_pylist() == ["b"]
    assert said.read == 5
    assert {one.why: (one.count, one.first) for one in said.dropped} == {
        CANCELLED: (1, ("task 1",)),
        NOTHING: (2, ("task 2",)),
        NAMELESS: (1, ("task 3",)),
    }
    assert said.read == said.table.num_rows + sum(one.count for one in said.dropped)


def test_rows_by_meta_or_by_the_tasks_own_ids():
    by_meta = task(9, annotation("a")) | {"meta": {"row_id": "r9"}}
    assert answers(by_meta).table.column("row_id").to_pylist() == ["r9"]
    assert answers(task(9, annotation("a"))).table.column("row_id").to_pylist() == ["9"]


def test_one_person_has_one_name():
    anna = {"id": 3, "email": "anna@lab.org"}
    said = answers(task(1, annotation("a", who=anna), row="r1"), task(2, annotation("a", who=3), row="r2"))
    assert said.table.column("annotator").to_pylist() == ["anna@lab.org"] * 2
    with pytest.raises(SourceError, match=r"numbers here and addresses there: 7; anna@lab.org"):
        answers(task(1, annotation("a", who=anna), row="r1"), task(2, annotation("a", who=7), row="r2"))


def test_of_several_questions_the_one_that_is_meant():
    two = annotation("a", name="topic")
    two["result"] += annotation("sad", name="mood")["result"]
    assert answers(task(1, two, row="r"), question="mood").table.column("answer").to_pylist() == ["sad"]
    with pytest.raises(SourceError, match="several questions: mood, topic"):
        answers(task(1, two, row="r"))


def test_numbers_are_answers():
    number = {"result": [{"from_name": "label", "type": "number", "value": {"number": 2.5}}], "completed_by": 1}
    assert answers(task(1, number, row="r")).table.column("answer").to_pylist() == ["2.5"]


@pytest.mark.parametrize("value", [[], [1], [{"data": 1}], [{"data": {}}], {"a": 1}, [{"text": "x", "label": "y"}]])
def test_other_json_is_not_label_studio(value):
    assert studio_tasks(content(value)) is None


def test_only_json_files_are_looked_into():
    tasks = [task(1, annotation("a"))]
    assert studio_tasks(content(tasks)) == tasks
    assert studio_tasks(content(tasks, "export.csv")) is None
    assert studio_tasks(Content(name="export.json", buffer=pa.py_buffer(b"[{"))) is None


def test_votes_are_read_of_an_export(tmp_path):
    path = tmp_path / "export.json"
    tasks = [task(i, annotation("ab"[i % 2], who=1), annotation("ab"[i % 3 % 2], who=2)) for i in range(9)]
    tasks[0]["annotations"][0]["was_cancelled"] = True
    path.write_text(json.dumps(tasks))
    read = read_votes(path)
    assert (read.form, read.read, len(read.votes.rows)) == ("Label Studio", 18, 17)
    assert read.votes.labelers == ("1", "2")
    assert any("the annotator skipped the task: 1" in said for said in read.warnings)
