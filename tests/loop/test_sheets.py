"""Sheets for several people: who is given which row, and gold questions that nothing gives away."""

from __future__ import annotations

import numpy as np
import pytest
from people_worlds import cells, made, said_of, take, truth_of

from tilth.core.errors import UsageError
from tilth.core.names import TRUSTED
from tilth.loop.annotation_log import annotation_log
from tilth.loop.people_votes import people_votes

TRAIN = [f"r{i:03d}" for i in range(60)]


@pytest.fixture
def project(tmp_path):
    project, truth = made(tmp_path / "p")
    take(project, said_of(TRAIN, truth))
    return project


def answered(project, table, answers, **options):
    """Answer a sheet from a mapping of row to answer, where the sheet names whom it asks."""
    lines = [
        (row, who, answers(row))
        for row, who in zip(table["row_id"].to_pylist(), table["annotator"].to_pylist(), strict=True)
    ]
    return take(project, lines, **options)


def log_of(project):
    return annotation_log(project.repository(), "label")


# who is asked


def test_nobody_is_asked_a_row_twice_and_no_more_than_each(project):
    notes: list[str] = []
    table = project.ask(top=20, people=["anna", "ben", "nina"], each=4, notes=notes)
    assert table.column_names[5:7] == ["annotator", "answer"]
    log = log_of(project)
    people = table["annotator"].to_pylist()
    for row, who in zip(table["row_id"].to_pylist(), people, strict=True):
        assert who not in log.newest(row)
    assert table.num_rows == 12
    assert {people.count(name) for name in ("anna", "ben", "nina")} == {4}
    assert any("rows are left out: everybody who may be asked has 4 already" in note for note in notes)


def test_the_one_whose_answer_tells_most_is_asked(project):
    table = project.ask(top=8, split="pool", people=["dora", "anna"])
    assert set(table["annotator"].to_pylist()) == {"anna"}


def test_before_any_answer_rows_are_shared_out_alike(tmp_path):
    project = made(tmp_path / "p")[0]
    people = project.ask(top=9, split="pool", people=["anna", "ben", "cem"])["annotator"].to_pylist()
    assert [people.count(name) for name in ("anna", "ben", "cem")] == [3, 3, 3]


def test_rows_that_all_of_them_answered_are_left_out(project):
    rows = ["r190", "r191"]
    take(project, [(row, who, said) for row in rows for who, said in (("anna", "cat"), ("nina", "dog"))])
    notes: list[str] = []
    table = project.ask(top=40, people=["nina", "anna"], notes=notes)
    assert not set(rows) & set(table["row_id"].to_pylist())
    assert any("were answered by all of them and are left out" in note for note in notes)


def test_a_filled_sheet_goes_in_as_it_came_out(project):
    truth = truth_of()
    table = project.ask(top=6, people=["nina", "omar"])
    taken = answered(project, table, truth.get)
    assert taken.answers == 6
    assert set(log_of(project).newest(table["row_id"][0].as_py())) & {"nina", "omar"}


@pytest.mark.parametrize("options", [{"people": ["a", "a"]}, {"people": [" "]}, {"each": 3}])
def test_what_cannot_be_meant_is_refused(project, options):
    with pytest.raises(UsageError):
        project.ask(top=3, **options)


# gold questions


def gold_sheet(project, n=12, people=("nina", "omar")):
    table = project.ask(top=10, people=list(people), gold=n)
    return table, log_of(project).gold[-1]


def test_gold_questions_look_like_the_others_and_nobody_knows_them(project):
    table, draw = gold_sheet(project)
    rows = table["row_id"].to_pylist()
    assert len(draw.labels) == 12
    assert set(draw.labels) <= set(rows)
    assert len(rows) == 22
    for column in ("split", "given", "suggestion", "reason", "answer"):
        assert len(set(table[column].to_pylist())) == 1
    assert all(cells(project, TRUSTED, list(draw.labels)))
    assert cells(project, "label", list(draw.labels)) == list(draw.labels.values())
    assert sorted(np.unique(list(draw.labels.values()), return_counts=True)[1]) == [4, 4, 4]
    at = [rows.index(row) for row in draw.labels]
    assert max(at) > 10 or sorted(at) != list(range(10, 22))
    log = log_of(project)
    for row in draw.labels:
        assert draw.asked[row] not in log.newest(row)


def test_the_same_person_is_asked_a_gold_question_once(project):
    seen = set()
    for _ in range(3):
        _, draw = gold_sheet(project, 6, ("nina",))
        assert not seen & set(draw.labels)
        seen |= set(draw.labels)
    _, draw = gold_sheet(project, 6, ("omar",))
    assert draw.labels


def test_without_names_no_row_is_a_gold_question_twice(project):
    first, second = (set(log_of(project).gold[-1].labels) for _ in range(2) if project.ask(top=5, gold=5) is not None)
    assert not first & second
    assert "annotator" not in project.ask(top=5, gold=2).column_names


def test_answers_to_gold_questions_change_no_label_and_measure(project):
    truth = truth_of()
    table, draw = gold_sheet(project)
    before = cells(project, "label", list(draw.labels))
    wrong = set(list(draw.labels)[::3])
    others = {name: next(c for c in ("cat", "dog", "owl") if c != name) for name in ("cat", "dog", "owl")}

    def says(row):
        label = draw.labels.get(row, truth[row])
        return others[label] if row in wrong else label

    taken = answered(project, table, says)
    assert taken.gold == 12
    assert cells(project, "label", list(draw.labels)) == before
    assert all(cells(project, TRUSTED, list(draw.labels)))
    report = project.people()
    assert report.truths == 12
    lines = {line.name: line for line in report.people}
    new = [lines[name] for name in ("nina", "omar") if name in lines]
    assert sum(line.measured_on for line in new) == 12
    assert sum(round(line.measured.value * line.measured_on) for line in new) == 12 - len(wrong)
    assert lines["anna"].measured is None  # her answers made these labels


def test_a_last_word_changes_a_gold_label(project):
    _, draw = gold_sheet(project)
    row, label = next(iter(draw.labels.items()))
    other = next(name for name in ("cat", "dog", "owl") if name != label)
    take(project, [(row, "chief", other)], adjudicate=True)
    assert cells(project, "label", [row]) == [other]
    people = people_votes(log_of(project), ("cat", "dog", "owl"))
    at = people.votes.row_ids.to_pylist().index(row)
    assert ("cat", "dog", "owl")[people.truth[at]] == other
    said = {people.votes.labelers[j] for j in people.votes.sources[people.votes.rows == at]}
    assert "chief" not in said


def test_a_blind_answer_of_who_made_the_label_is_kept_and_does_not_measure(project):
    project.ask(top=3, gold=10)
    draw = log_of(project).gold[-1]
    row = next(row for row in draw.labels if "anna" in log_of(project).newest(row))
    said = log_of(project).newest(row)["anna"].value
    assert take(project, [(row, "anna", said)]).gold == 1
    assert len([e for e in log_of(project).of_row(row) if e.said.annotator == "anna"]) == 2
    assert take(project, [(row, "anna", said)]).answers == 0
    people = people_votes(log_of(project), ("cat", "dog", "owl"))
    at = people.votes.row_ids.to_pylist().index(row)
    assert not (people.votes.rows == at).any()


def test_gold_labels_that_most_contradict_are_told(project):
    _, draw = gold_sheet(project, 3)
    row, label = next(iter(draw.labels.items()))
    other = next(name for name in ("cat", "dog", "owl") if name != label)
    take(project, [(row, who, other) for who in ("nina", "omar", "pia")])
    assert project.people().doubted == ((row, label, other, 3, 3),)


def test_fewer_trusted_rows_than_were_asked_for_is_said(tmp_path):
    project = made(tmp_path / "p")[0]
    take(project, [("r000", "anna", "cat")])
    notes: list[str] = []
    table = project.ask(top=4, gold=5, people=["ben"], notes=notes)
    assert table.num_rows <= 5
    assert any(note.startswith("only 1 gold questions") for note in notes)
