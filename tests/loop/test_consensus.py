"""Answers of several people: events, consensus, disputes, last words; and the laws that hold of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from people_worlds import cells, made, said_of, take, truth_of

from tilth.core.edit import Edit
from tilth.core.errors import AnswerError, UsageError
from tilth.core.names import SPLIT, TARGET, TRUSTED
from tilth.core.spec import Spec
from tilth.loop.annotation_log import annotation_log
from tilth.loop.consensus import SURE, consensus, what_they_say
from tilth.loop.starting import init_project
from tilth.loop.taking import disputed_rows
from tilth.store.repository import Repository

TRAIN = [f"r{i:03d}" for i in range(60)]
POOL = [f"r{i:03d}" for i in range(180, 240)]


@pytest.fixture
def project(tmp_path):
    return made(tmp_path / "p")[0]


def log_of(project):
    return annotation_log(project.repository(), "label")


def state(project, rows):
    return {name: cells(project, name, rows) for name in ("label", TRUSTED, SPLIT, TARGET)}


# by hand


def test_one_person_is_trusted_as_ever(project):
    taken = take(project, [("r000", "anna", "owl"), ("r200", "anna", "cat")])
    assert (taken.answers, taken.annotators, taken.disputed) == (2, 1, 0)
    assert cells(project, "label", ["r000", "r200"]) == ["owl", "cat"]
    assert cells(project, SPLIT, ["r000", "r200"]) == ["train", "train"]
    assert cells(project, TRUSTED, ["r000", "r200"]) == [True, True]


def test_two_who_differ_dispute_the_row_which_keeps_its_former_label(project):
    before = cells(project_read(project), "label", ["r000", "r200"])
    take(project, [("r000", "anna", "owl"), ("r200", "anna", "cat")])
    taken = take(project, [("r000", "ben", "dog"), ("r200", "ben", "dog")])
    assert (taken.answers, taken.disputed, taken.settled) == (2, 2, 0)
    assert cells(project, "label", ["r000", "r200"]) == before
    assert cells(project, TRUSTED, ["r000", "r200"]) == [False, False]
    assert cells(project, SPLIT, ["r000", "r200"]) == ["train", "pool"]
    repository = project.repository()
    assert set(disputed_rows(repository, repository.latest)) == {"r000", "r200"}
    assert what_they_say(log_of(project), "r000") == "anna says owl, ben says dog"


def project_read(project):
    project.find()
    return project


def test_who_agrees_with_a_trusted_label_confirms_it_and_is_on_record(project):
    take(project, [("r000", "anna", "owl")])
    before = project.repository().latest.version
    taken = take(project, [("r000", "ben", "owl")])
    assert (taken.answers, taken.confirmed, taken.changed, taken.version) == (1, 1, 0, before)
    assert list(log_of(project).newest("r000")) == ["anna", "ben"]


def test_a_person_who_changes_their_mind_adds_an_event_and_the_newest_counts(project):
    take(project, [("r000", "anna", "owl")])
    take(project, [("r000", "ben", "cat")])
    assert cells(project, TRUSTED, ["r000"]) == [False]
    taken = take(project, [("r000", "anna", "cat")])
    assert (taken.answers, taken.disputed) == (1, 0)
    assert [event.said.value for event in log_of(project).of_row("r000")] == ["owl", "cat", "cat"]
    assert cells(project, "label", ["r000"]) == ["cat"]
    assert cells(project, TRUSTED, ["r000"]) == [True]


def test_times_say_which_answer_is_newer(project):
    header = ("row_id", "worker", "answer", "answered")
    lines = [("r000", "anna", "owl", "2026-01-02T00:00:00Z"), ("r000", "anna", "cat", "2026-01-02T01:30:00+01:00")]
    assert take(project, lines, header).answers == 2
    assert cells(project, "label", ["r000"]) == ["cat"]
    taken = take(project, [("r000", "anna", "dog", "2025-01-01")], header)
    assert taken.answers == 1
    assert cells(project, "label", ["r000"]) == ["cat"]
    assert len(log_of(project).of_row("r000")) == 3
    assert take(project, lines, header).answers == 0


def test_a_last_word_stands_against_everybody(project):
    take(project, [("r000", "anna", "owl"), ("r000", "ben", "dog")])
    taken = take(project, [("r000", "cat")], ("row_id", "answer"), annotator="chief", adjudicate=True)
    assert (taken.answers, taken.disputed) == (1, 0)
    assert cells(project, "label", ["r000"]) == ["cat"]
    take(project, [("r000", "cem", "dog"), ("r000", "dora", "dog")])
    assert cells(project, "label", ["r000"]) == ["cat"]
    assert not disputed_rows(project.repository(), project.repository().latest)
    take(project, [("r000", "boss", "dog", "true")], ("row_id", "annotator", "answer", "adjudicated"))
    assert cells(project, "label", ["r000"]) == ["dog"]


def test_dev_rows_are_answered_and_disputed_as_an_evaluation_set(project):
    take(project, [("r130", "anna", "owl")])
    assert project.repository().edit(project.repository().latest.edit).evaluation
    before = made_label("r130")
    take(project, [("r130", "ben", "cat" if before != "cat" else "dog")])
    assert project.repository().edit(project.repository().latest.edit).evaluation
    assert cells(project, "label", ["r130"]) == [before]


def made_label(row):
    return truth_of()[row]  # dev labels of this world are true


def test_a_disputed_row_has_its_soft_target_back(project):
    take(project, [("r010", "anna", "owl")])
    repository = project.repository()
    with repository.lease:
        soft = Edit.softening(
            pa.array(["r000"]),
            np.array([[0.25, 0.5, 0.25]]),
            operator=Spec(room="editing", name="soften"),
            reason="soft",
        )
        repository.commit_edit(repository.latest, soft)
    before = state(project, ["r000"])
    take(project, [("r000", "anna", "owl")])
    assert cells(project, TARGET, ["r000"]) == [None]
    take(project, [("r000", "ben", "cat")])
    assert state(project, ["r000"]) == before
    assert cells(project, TARGET, ["r000"]) == [[0.25, 0.5, 0.25]]


def test_disputed_rows_are_asked_first(project):
    take(project, [(row, who, said) for row in ("r000", "r190") for who, said in (("anna", "owl"), ("ben", "cat"))])
    table = project.ask(top=6)
    assert set(table.column("row_id").to_pylist()[:2]) == {"r000", "r190"}
    assert table.column("reason").to_pylist()[:2] == ["disputed: anna says owl, ben says cat"] * 2
    assert "annotator" not in table.column_names
    assert len(set(table.column("row_id").to_pylist())) == table.num_rows == 6


# planted


def test_known_errors_come_to_the_truth(project):
    truth = truth_of()
    rows = [*TRAIN, *POOL]
    taken = take(project, said_of(rows, truth))
    assert taken.settled > 20
    trusted = [row for row, is_so in zip(rows, cells(project, TRUSTED, rows), strict=True) if is_so]
    right = np.mean([label == truth[row] for row, label in zip(trusted, cells(project, "label", trusted), strict=True)])
    assert right > 0.93
    outcomes = consensus(log_of(project), ("cat", "dog", "owl"))
    assert all((one.probability >= SURE) == one.is_trusted for one in outcomes.values())
    assert taken.disputed == sum(not one.is_trusted for one in outcomes.values()) > 0


# laws


def test_neither_files_nor_lines_nor_their_order_matter(tmp_path):
    lines = said_of([*TRAIN, *POOL], truth_of())
    rng = np.random.default_rng(0)
    contents = set()
    for number in range(3):
        project = made(tmp_path / f"p{number}")[0]
        shuffled = [lines[at] for at in rng.permutation(len(lines))]
        parts = np.array_split(np.arange(len(lines)), number + 1)
        for part in parts:
            take(project, [shuffled[at] for at in part])
        contents.add(project.repository().latest.content)
    assert len(contents) == 1


def test_the_same_lines_in_another_order_are_the_same_version(tmp_path):
    lines = said_of(TRAIN, truth_of())
    versions = {take(made(tmp_path / f"p{n}")[0], lines[::step]).version for n, step in ((0, 1), (1, -1))}
    assert len(versions) == 1


def test_the_same_file_again_changes_nothing(project):
    lines = said_of(TRAIN, truth_of())
    first = take(project, lines)
    second = take(project, lines)
    assert (second.answers, second.skipped, second.version) == (0, len(lines), first.version)
    assert len(project.repository().records("annotations")) == 1
    assert second.manifest.read == second.manifest.taken + sum(one.count for one in second.manifest.dropped)


@pytest.mark.parametrize("dies_at", ["record", "commit_edit"])
def test_a_killed_answer_is_finished_by_answering_again(tmp_path, monkeypatch, dies_at):
    lines = said_of(TRAIN, truth_of())
    whole, project = made(tmp_path / "whole")[0], made(tmp_path / "killed")[0]
    for part in (lines[::2], lines[1::2]):
        take(whole, part)
    take(project, lines[::2])
    calls = []
    own = getattr(Repository, dies_at)

    def dies(self, *arguments, **options):
        calls.append(arguments)
        if dies_at == "commit_edit" or arguments[0] == "consensus":
            raise KeyboardInterrupt
        return own(self, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Repository, dies_at, dies)
        with pytest.raises(KeyboardInterrupt):
            take(project, lines[1::2])
    take(project, lines[1::2])
    assert project.repository().latest.content == whole.repository().latest.content
    assert disputed_rows(project.repository(), project.repository().latest) == disputed_rows(
        whole.repository(), whole.repository().latest
    )
    assert len(log_of(project).events) == len(lines)


def test_a_reverted_answer_stays_reverted_when_others_come(project):
    take(project, [("r000", "anna", "owl"), ("r001", "anna", "cat")])
    project.revert(project.repository().latest.edit)
    before = state(project, ["r000", "r001"])
    take(project, [("r002", "ben", "dog")])
    assert state(project, ["r000", "r001"]) == before
    assert take(project, [("r000", "anna", "owl")]).answers == 1
    assert cells(project, "label", ["r000"]) == ["owl"]


def test_a_changed_source_keeps_consensus_and_disputes(tmp_path):
    project, truth = made(tmp_path / "p")
    take(project, said_of(TRAIN, truth))
    before = state(project, TRAIN)
    source = project.folder / "source.parquet"
    table = pq.read_table(source)
    pq.write_table(table.slice(0, table.num_rows - 1), source)
    project.find()
    assert state(project, TRAIN) == before


# what is refused


@pytest.mark.parametrize(
    ("lines", "header", "options", "says"),
    [
        ([("r000", "7", "cat"), ("r001", "anna", "cat")], None, {}, "numbers here and names there: 7; anna"),
        ([("r000", "", "cat"), ("r001", "anna", "cat")], None, {}, "1 answers do not say who answered.*r000"),
        ([("r000", "anna", "cat"), ("r000", "anna", "dog")], None, {}, "two different answers for one row of anna"),
        ([("r000", "anna", "cat"), ("r999", "ben", "dog")], None, {}, "1 answers are for unknown rows.*r999"),
        ([("r000", "anna", "cta")], None, {}, "'cta' is not a class. Did you mean 'cat'"),
        ([("", "anna", "cat")], None, {}, "1 answers name no row"),
        ([("r000", "cat", "soon")], ("row_id", "answer", "answered"), {}, "the time 'soon' is not understood"),
        ([("r000", "cat", "2999-01-01")], ("row_id", "answer", "answered"), {}, "has not come yet"),
        ([("r000", "cat", "5")], ("row_id", "answer", "certainty"), {}, "no share in"),
        ([("r000", "cat", "maybe")], ("row_id", "answer", "adjudicated"), {}, "adjudicated is 'maybe'"),
        ([("r000", "a", "cat"), ("r000", "b", "dog")], None, {"adjudicate": True}, "that shall be the last word"),
    ],
)
def test_bad_lines_are_refused_and_nothing_is_taken(project, lines, header, options, says):
    project.find()
    before = project.repository().latest
    with pytest.raises(AnswerError, match=says):
        take(project, lines, header or ("row_id", "annotator", "answer"), **options)
    assert project.repository().latest == before
    assert project.repository().records("annotations") == []


def test_who_answered_is_said_once(project):
    with pytest.raises(UsageError, match="the file says who answered"):
        take(project, [("r000", "anna", "cat")], annotator="ben")
    assert take(project, [("r000", "", "cat"), ("r001", "anna", "cat")], annotator="anna").annotators == 1
    assert take(project, [("r002", "cat")], ("row_id", "answer"), annotator="ben").answers == 1
    assert list(log_of(project).newest("r002")) == ["ben"]


def test_a_column_of_the_project_does_not_say_who_answered(project):
    take(project, [("r000", "u0", "cat"), ("r001", "u1", "cat")], ("row_id", "user", "answer"))
    assert {event.said.annotator for event in log_of(project).events} == {"person"}


def test_other_columns_are_named(project):
    take(project, [("r000", "x", "cat")], ("task", "who", "said"), columns=("task", "who", "said"))
    assert list(log_of(project).newest("r000")) == ["x"]
    with pytest.raises(AnswerError, match="no column 'whom'"):
        take(project, [("r000", "x", "cat")], ("task", "who", "said"), columns=("task", "whom", "said"))


def test_numbers_on_which_people_differ_wait_for_a_last_word(tmp_path):
    rng = np.random.default_rng(0)
    table = pa.table({"id": [f"n{i}" for i in range(60)], "x": rng.normal(size=60), "y": rng.normal(size=60).round(3)})
    project = init_project(table, folder=tmp_path / "p", label="y", id="id")
    take(project, [("n2", "anna", "3")])
    before = project_cell(project, "n1")
    assert take(project, [("n1", "anna", "1"), ("n1", "ben", "1.0")]).disputed == 0
    assert project_cell(project, "n1") == 1.0
    assert take(project, [("n1", "ben", "2")]).disputed == 1
    assert project_cell(project, "n1") == before
    take(project, [("n1", "chief", "1.5")], adjudicate=True)
    assert project_cell(project, "n1") == 1.5


def project_cell(project, row):
    return cells(project, "y", [row])[0]


def test_an_old_record_of_annotations_is_read(project):
    project.find()
    repository = project.repository()
    old = {"row_id": "r000", "task": "label", "value": "owl", "annotator": "person", "answered": "2026-01-01T00:00:00"}
    with repository.lease:
        repository.record("annotations", {"answers": [old], "version": "v"})
    assert log_of(project).newest("r000")["person"].value == "owl"
