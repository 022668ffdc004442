"""People: questions, their draws, and answers as edits, through whole small projects."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pytest
from loop_worlds import told

from tilth.core.edit import Edit
from tilth.core.errors import AnswerError
from tilth.core.names import ROW_ID, SPLIT, TARGET, TRUSTED, WEIGHT, Split
from tilth.core.progress import silent
from tilth.core.trial import Verdict
from tilth.editing.relabel_hard import RelabelHard
from tilth.loop import people
from tilth.loop.answering import answers_as_edits, read_answers
from tilth.loop.candidates import Candidate
from tilth.loop.comparable import evaluation_key, evaluation_notes
from tilth.loop.found import find_faults
from tilth.loop.ledger import Ledger
from tilth.loop.project import open_project
from tilth.loop.run import RunOptions, _arena
from tilth.loop.sliced import Sliced
from tilth.loop.starting import init_project
from tilth.loop.trying import try_all
from tilth.loop.workshop import Workshop
from tilth.operators.registry import spec_of

N = 560
SPLITS = np.repeat(["train", "dev", "test", "train"], [240, 240, 60, 20])


def source(seed=0, noise=0.3):
    """Two classes along x0; labels noisy in train and dev; the last 20 train rows have none."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, N)
    x = rng.normal(size=(N, 6)) + 2.0 * np.outer(truth, np.eye(6)[0])
    given = np.where((rng.random(N) < noise) & (SPLITS != "test"), 1 - truth, truth)
    labels = [None if i >= N - 20 else ("no", "yes")[c] for i, c in enumerate(given)]
    names = [f"r{i:03d}" for i in range(N)]
    columns = {f"x{j}": x[:, j] for j in range(6)}
    columns["secret"] = pa.array([f"s{i}" for i in range(N)])
    table = pa.table({"id": names, **columns, "split": SPLITS.tolist(), "label": pa.array(labels, pa.string())})
    return table, dict(zip(names, np.array(["no", "yes"])[truth].tolist(), strict=True))


def made(folder):
    table, truth = source()
    init_project(table, folder=folder, label="label", id="id", split="split")
    path = folder / "tilth.yaml"
    text = path.read_text(encoding="utf-8").replace("role: ignore}", "role: ignore, visibility: hidden}")
    assert "hidden}" in text
    path.write_text(text.replace("learner: auto ", "learner: linear "), encoding="utf-8")
    return open_project(folder), truth


@pytest.fixture
def project(tmp_path):
    return made(tmp_path / "p")


def answer_with(project, pairs, path=None):
    path = path or project.folder / "answers.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row_id", "split", "answer"])
        writer.writerows([(row, "", answer) for row, answer in pairs])
    return project.answer(path)


def cells(project, column, rows, version="latest"):
    dataset = project.dataset(version)
    return dataset.read(column).column(0).take(pa.array(dataset.positions(pa.array(rows)))).to_pylist()


def committed(project):
    """A project whose source is read: the version and the repository, without a run."""
    project.find()
    return project.repository().latest


# the file


def test_read_answers_leaves_out_what_is_empty(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('row_id,answer,note\n r1 , yes ,"two\nlines"\nr2,,\nr3,  ,\n', encoding="utf-8")
    assert read_answers(path) == [("r1", "yes")]
    path.write_text("\ufeffrow_id,answer\n1,0\n", encoding="utf-8")
    assert read_answers(path) == [("1", "0")]


@pytest.mark.parametrize(
    ("text", "match"), [("row,answer\n1,2\n", "no column 'row_id'"), ("row_id\n1\n", "no column 'answer'"), ("", "CSV")]
)
def test_a_file_without_the_columns_is_refused(tmp_path, text, match):
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AnswerError, match=match):
        read_answers(path)
    with pytest.raises(AnswerError, match="no file"):
        read_answers(tmp_path / "none.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_answers_are_read_as_spreadsheets_save_them(tmp_path, sign, end, encoding):
    path = tmp_path / "a.csv"
    lines = ["note|row_id|answer", "a.b|r1|ja", '"d|e"|r2|', '"f""g"|r3|"n|ein"', "größer|r4| jä "]
    text = end.join(lines).replace("|", sign)
    path.write_bytes((text + end).encode(encoding))
    assert read_answers(path) == [("r1", "ja"), ("r3", f"n{sign}ein"), ("r4", "jä")]


def test_other_columns_of_answers_may_be_written_in_any_encoding(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("row_id;note;answer\nr1;größer;ja\n".encode("cp1252"))
    assert read_answers(path) == [("r1", "ja")]


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"row_id|answer\nr1|yes\n", "no column 'row_id'.*commas, semicolons or tabs"),
        (b"row_id;answer;answer\nr1;a;b\n", "'answer' stands twice"),
        (b"PK\x03\x04 and more", "workbook.*save it as CSV"),
        ("row_id;answer\nr1;größer\n".encode("cp1252"), "save it as CSV UTF-8"),
        (b"\xff\xfer\x00o", "cannot be read as CSV"),
        (b"row_id,answer\nr1,yes,more\n", "cannot be read as CSV"),
        (b"\xef\xbb\xbf\n", "empty"),
    ],
)
def test_a_file_that_holds_no_answers_is_refused_with_what_to_do(tmp_path, data, match):
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    with pytest.raises(AnswerError, match=match):
        read_answers(path)


# questions


def test_ask_writes_the_columns_and_what_may_be_shown(project):
    project, _ = project
    table = project.ask(top=12)
    assert table.column_names[:6] == ["row_id", "split", "given", "suggestion", "reason", "answer"]
    assert "secret" not in table.column_names
    assert "x0" in table.column_names
    assert 0 < table.num_rows <= 12
    assert len(set(table.column("row_id").to_pylist())) == table.num_rows
    assert set(table.column("answer").to_pylist()) == {""}
    assert set(table.column("split").to_pylist()) <= {"train", "pool"}
    assert all(a != b for a, b in zip(*(table.column(n).to_pylist() for n in ("given", "suggestion")), strict=True))


def test_a_sample_of_a_split_is_random_and_grows_and_asks_nothing_twice(project):
    project, truth = project
    first = project.ask(top=10, split="dev").column("row_id").to_pylist()
    more = project.ask(top=25, split="dev").column("row_id").to_pylist()
    assert more[:10] == first
    assert len(more) == 25
    answer_with(project, [(row, truth[row]) for row in first])
    then = project.ask(top=15, split="dev").column("row_id").to_pylist()
    assert then == more[10:]
    draws = Ledger(project.repository()).draws()
    assert [len(draw.ids) for draw in draws] == [10, 25, 25]
    assert {draw.purpose for draw in draws} == {"sample"}
    assert draws[-1].ids[:25] == tuple(more)
    everything = set(project.ask(top=1000, split="dev").column("row_id").to_pylist())
    assert everything | set(first) == {f"r{i:03d}" for i in np.flatnonzero(SPLITS == "dev")}


# answers


def test_answers_on_train_are_trusted_labels_and_are_never_doubted_again(project):
    project, truth = project
    rows = project.ask(top=10).column("row_id").to_pylist()
    rows = [row for row, split in zip(rows, cells(project, SPLIT, rows), strict=True) if split == "train"]
    given = cells(project, "label", rows)
    done = answer_with(project, [(row, truth[row]) for row in rows])
    changed = sum(truth[row] != old for row, old in zip(rows, given, strict=True))
    assert (done.answers, done.changed, done.confirmed) == (len(rows), changed, len(rows) - changed)
    assert done.by_split == {"train": len(rows)}
    assert cells(project, "label", rows) == [truth[row] for row in rows]
    assert all(cells(project, TRUSTED, rows))
    assert not set(project.ask(top=50).column("row_id").to_pylist()) & set(rows)
    project.run(budget="1m")
    assert cells(project, "label", rows) == [truth[row] for row in rows]
    assert cells(project, TARGET, rows) == [None] * len(rows)
    recorded = project.repository().records("annotations")
    assert sorted(a["row_id"] for a in recorded[0]["answers"]) == sorted(rows)


def test_pool_rows_that_are_answered_join_train(project):
    project, truth = project
    committed(project)
    rows = ["r540", "r541", "r559"]
    assert cells(project, SPLIT, rows) == ["pool"] * 3
    done = answer_with(project, [(row, truth[row]) for row in rows] + [("r000", truth["r000"])])
    assert done.by_split == {"train": 1, "pool": 3}
    assert cells(project, SPLIT, rows) == ["train"] * 3
    assert cells(project, "label", rows) == [truth[row] for row in rows]
    assert cells(project, SPLIT, ["r542"]) == ["pool"]


def test_answers_on_dev_make_a_new_evaluation_set_and_earlier_scores_are_not_comparable(project):
    project, truth = project
    before = committed(project)
    dev = [f"r{i:03d}" for i in np.flatnonzero(SPLITS == "dev")[:40]]
    wrong = [row for row, old in zip(dev, cells(project, "label", dev), strict=True) if old != truth[row]]
    answer_with(project, [(row, truth[row]) for row in dev])
    repository = project.repository()
    after = repository.latest
    assert repository.edit(after.edit).evaluation
    assert [f"people corrected {len(wrong)} dev labels" in note for note in evaluation_notes(repository, after)] == [
        True
    ]
    assert evaluation_notes(repository, before) == []
    assert evaluation_key(repository, before, Split.DEV) != evaluation_key(repository, after, Split.DEV)
    assert evaluation_key(repository, before, Split.TEST) == evaluation_key(repository, after, Split.TEST)


def test_confirmed_test_labels_change_no_score(project):
    project, truth = project
    before = committed(project)
    test = [f"r{i:03d}" for i in np.flatnonzero(SPLITS == "test")[:5]]
    answer_with(project, [(row, truth[row]) for row in test])
    after = project.repository().latest
    assert after.version != before.version
    assert evaluation_notes(project.repository(), after) == []
    assert evaluation_key(project.repository(), before, Split.TEST) == evaluation_key(
        project.repository(), after, Split.TEST
    )


@pytest.mark.parametrize(
    ("pairs", "match"),
    [
        ([("r000", "yes"), ("nobody", "yes")], "1 answers are for unknown rows.*nobody"),
        ([("r000", "yes"), ("r001", "yse")], "'yse' is not a class. Did you mean 'yes'"),
        ([("r000", "yes"), ("r001", "no"), ("r000", "no")], "two different answers for one row"),
    ],
)
def test_bad_answers_are_refused_and_nothing_is_lost(project, pairs, match):
    project, _ = project
    before = committed(project)
    with pytest.raises(AnswerError, match=match):
        answer_with(project, pairs)
    assert project.repository().latest == before
    assert project.repository().records("annotations") == []


def test_the_same_answer_twice_is_one_answer(project):
    project, _ = project
    committed(project)
    assert answer_with(project, [("r000", "yes"), ("r000", "yes")]).answers == 1


def test_equal_numbers_do_not_contradict_each_other(tmp_path):
    rng = np.random.default_rng(0)
    table = pa.table({"x": rng.normal(size=60), "y": rng.normal(size=60).round(3)})
    project = init_project(table, folder=tmp_path, label="y")
    version = committed(project)
    row = project.dataset().row_ids[0].as_py()
    edits, annotations = answers_as_edits(project.repository(), version, [(row, "1"), (row, "1.0")])
    assert len(annotations) == 1
    assert edits[0].set["y"].column("value").to_pylist() == [1.0]
    with pytest.raises(AnswerError, match="two different answers"):
        answers_as_edits(project.repository(), version, [(row, "1"), (row, "1.5")])
    for word in ("a lot", "nan", "inf"):
        with pytest.raises(AnswerError, match="not a number"):
            answers_as_edits(project.repository(), version, [(row, word)])


def test_an_answer_takes_the_soft_target_and_the_weight_of_its_row_away(project):
    project, truth = project
    version = committed(project)
    ids = pa.array(["r000", "r001", "r002"])
    spec = spec_of(RelabelHard())
    repository = project.repository()
    with repository.lease:
        version = repository.commit_edit(
            version, Edit.softening(ids, np.full((3, 2), 0.5), operator=spec, reason="soft")
        )
        repository.commit_edit(version, Edit.weighting(ids[1:], np.array([0.1, 0.1]), operator=spec, reason="light"))
    answer_with(project, [(row, truth[row]) for row in ("r000", "r001", "r010")])
    assert cells(project, TARGET, ["r000", "r001"]) == [None, None]
    assert cells(project, WEIGHT, ["r001"]) == [None]
    assert cells(project, TARGET, ["r002"]) == [[0.5, 0.5]]
    assert cells(project, WEIGHT, ["r002"]) == [0.1]


# answers that decide


def openly_tried(project, truth, answers_needed=24):
    """A project on which an edit, which mends 30 labels, was tried and left open."""
    repository = project.repository()
    with repository.lease:
        version = repository.latest
        workshop = Workshop(project.file, repository, seed=project.file.seed)
        dataset = repository.dataset(version)
        given = dict(zip(dataset.row_ids.to_pylist(), dataset.read("label").column(0).to_pylist(), strict=True))
        trusted = set(dataset.row_ids.filter(pc.equal(dataset.read(TRUSTED).column(0), True)).to_pylist())
        wrong = [r for r in given if int(r[1:]) < 240 and given[r] != truth[r] and r not in trusted][:30]
        editor = RelabelHard(certainty=0.77)
        edit = Edit.relabelling(
            "label",
            pa.array(wrong),
            pa.array([truth[r] for r in wrong]),
            pa.array([given[r] for r in wrong]),
            operator=spec_of(editor),
            reason="planted",
        )
        arena = _arena(workshop, version, RunOptions(seed=project.file.seed, budget_seconds=60), Sliced())
        candidate = Candidate(edit=edit, editor=editor, view=workshop.evidence(version).view(editor))
        (tried,) = try_all(arena, [candidate], told)
        repository.save_edit(edit)
        trial = replace(tried.trial, verdict=Verdict.UNDECIDED, answers_needed=answers_needed)
        Ledger(repository).record_trial("later", trial)
    return edit


def tried_again(project, edit):
    """The trial of an edit on the newest version."""
    repository = project.repository()
    with repository.lease:
        version = repository.latest
        workshop = Workshop(project.file, repository, seed=project.file.seed)
        found = find_faults(workshop, version, (), silent)
        arena = _arena(workshop, version, RunOptions(seed=project.file.seed, budget_seconds=60), Sliced())
        editor = RelabelHard(certainty=0.77)
        candidate = Candidate(edit=edit, editor=editor, view=workshop.evidence(version).view(editor))
        (tried,) = try_all(arena, [candidate], told, found.quarantine)
    return tried.trial


def test_an_undecided_edit_is_decided_by_answers_on_rows_where_the_models_disagree(project):
    project, truth = project
    committed(project)
    edit = openly_tried(project, truth)
    table = project.ask(top=10)
    rows = table.column("row_id").to_pylist()
    assert len(rows) == 10
    assert set(table.column("split").to_pylist()) == {"dev"}
    assert all(reason.startswith(f"decides {edit.edit_id}") for reason in table.column("reason").to_pylist())
    assert set(table.column("suggestion").to_pylist()) <= {"no or yes", "yes or no"}
    draw = Ledger(project.repository()).draws()[-1]
    assert draw.edit == edit.edit_id
    assert draw.ids == tuple(rows)
    assert draw.n_rows == 240
    answer_with(project, [(row, truth[row]) for row in rows[:7]])
    assert not tried_again(project, edit).judge.startswith("answers")
    answer_with(project, [(row, truth[row]) for row in rows[7:]])
    trial = tried_again(project, edit)
    assert trial.judge.startswith("answers")
    assert trial.disagreeing == draw.n_disagreeing
    assert trial.corrected_gain is None
    right = sum(_right(project, edit, truth, rows))
    assert trial.gain.value == pytest.approx(draw.n_disagreeing / 240 * right / len(rows))


def _right(project, edit, truth, rows):
    """For each row: 1 where only the model after an edit is right, −1 where only the one before is."""
    workshop = Workshop(project.file, project.repository(), seed=project.file.seed)
    version = project.repository().latest
    bench = workshop.bench(version)
    at = project.dataset().positions(pa.array(rows))
    classes = np.array(version.schema.task.classes)
    said = [classes[bench.predict(m, at).argmax(axis=1)] for m in (bench.baseline, bench.fit_edited(edit))]
    true = np.array([truth[row] for row in rows])
    return (said[1] == true).astype(int) - (said[0] == true)


def test_more_questions_extend_the_draw_and_ask_no_row_twice(project):
    project, truth = project
    committed(project)
    edit = openly_tried(project, truth)
    first = project.ask(top=6).column("row_id").to_pylist()
    answer_with(project, [(row, truth[row]) for row in first])
    openly = openly_tried(project, truth)
    assert openly.edit_id == edit.edit_id
    then = project.ask(top=6).column("row_id").to_pylist()
    assert not set(first) & set(then)
    draws = [d for d in Ledger(project.repository()).draws() if d.edit == edit.edit_id]
    assert draws[-1].ids == (*first, *then)


def test_open_edits_are_asked_about_on_the_version_that_the_kept_edits_made(project):
    project, truth = project
    version = committed(project)
    edit = openly_tried(project, truth)
    kept = ["r230", "r231", edit.touched[0].as_py()]
    repository = project.repository()
    with repository.lease:
        repository.commit_edit(version, Edit.removing(pa.array(kept), operator=spec_of(RelabelHard()), reason="kept"))
    table = project.ask(top=5)
    reason = table.column("reason")[0].as_py()
    assert reason.startswith("decides e-")
    assert edit.edit_id not in reason  # one of its rows is gone: it is another edit now, which can be tried again
    draw = Ledger(project.repository()).draws()[-1]
    assert draw.parent == project.repository().latest.version
    assert project.repository().edit(draw.edit).n_rows == 29


def test_an_edit_that_a_person_overruled_is_not_asked_about(project):
    project, truth = project
    committed(project)
    edit = openly_tried(project, truth)
    project.veto(edit.edit_id)
    assert "decides" not in "".join(project.ask(top=5).column("reason").to_pylist())


def test_a_hidden_label_is_not_shown_in_a_question(project):
    project, _ = project
    path = project.folder / "tilth.yaml"
    text = path.read_text(encoding="utf-8").replace("role: label,", "role: label, visibility: hidden,")
    path.write_text(text, encoding="utf-8")
    table = open_project(project.folder).ask(top=5)
    assert table.column("given").null_count == table.num_rows


def test_questions_come_out_and_go_in_as_csv(project):
    project, truth = project
    table = project.ask(top=5)
    filled = table.set_column(5, "answer", pa.array([truth[row] for row in table.column("row_id").to_pylist()]))
    path = project.folder / "questions.csv"
    pacsv.write_csv(filled, path)
    assert project.answer(path).answers == 5
    assert people.read_answers(path) == list(
        zip(*(filled.column(n).to_pylist() for n in ("row_id", "answer")), strict=True)
    )
    assert filled.schema.field("row_id").type == pa.string()
    assert ROW_ID not in filled.column_names
