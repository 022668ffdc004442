"""`tilth label` in a project: what it learns from, what it measures by, what each labeler gets wrong, where to look next."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import numpy as np
import pytest

import tilth
from tilth.core.errors import ConfigError, UnknownColumnError, UsageError
from tilth.loop.project import open_project
from tilth.loop.project_labels import LabelledProject

YAML = """\
source: rows.csv
label: class
task: binary
classes: [ham, spam]
columns:
  id: {type: category, role: id}
  part: {type: category, role: split}
  text: {type: text}
  likes: {type: number, at_serving: false}
  class: {type: category}
splits: {column: part}
python: labelers.py
labelers:
  - {name: songs, keyword: {words: [song], says: ham}}
  - {name: loved, threshold: {column: likes, above: 60, says: spam}}
"""
FUNCTIONS = """\
import tilth


@tilth.labeler(columns=["text"])
def begs(row):
    return "spam" if "subscribe" in row.text or "free" in row.text else None


@tilth.labeler(columns=["text"])
def fails(row):
    return "ham" if row.text.index("voice") else None
"""
SPAM = ("please subscribe", "free money", "visit my page")
HAM = ("what a song", "great voice", "love it")


def rows(n: int = 600) -> list[list[object]]:
    random.seed(5)
    found = []
    for i in range(n):
        is_spam = random.random() < 0.4
        text = f"{random.choice(SPAM if is_spam else HAM)} {random.choice('abcdefgh')}{i}"
        likes = random.expovariate(1 / 50 if is_spam else 1 / 10)
        part = ("train", "train", "pool", "dev", "test")[i % 5]
        given = "" if part == "pool" else ("spam" if is_spam != (random.random() < 0.03) else "ham")
        found.append([f"c{i}", part, text, round(likes, 1), given])
    return found


def made(
    folder: Path, *, cells: list[list[object]] | None = None, yaml: str = YAML, python: str | None = FUNCTIONS
) -> Path:
    with (folder / "rows.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "part", "text", "likes", "class"], *(cells or rows())])
    (folder / "tilth.yaml").write_text(yaml)
    if python is not None:
        (folder / "labelers.py").write_text(python)
    return folder


def labelled(folder: Path, **options: object) -> LabelledProject:
    return open_project(folder).label(**options)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return labelled(made(tmp_path_factory.mktemp("label")))


def test_the_summary(found):
    summary = found.summary
    told = summary.to_dict()
    assert {"rows", "covered", "classes", "model", "prior", "labelers", "metrics", "warnings"} <= told.keys()
    assert [one["name"] for one in told["labelers"]] == ["songs", "loved", "begs", "fails"]
    assert told["rows"] == 480, "test rows are not voted on"
    assert told["version"].startswith("v-") and told["metrics"]["accuracy"] > 0.8
    fails = told["labelers"][3]
    assert fails["failures"] == len(summary.checks[3].run.failures) > 200
    assert told["failures"][0]["error"] == "ValueError: substring not found"
    assert "labelers.py" in told["failures"][0]["traceback"]
    assert len(told["failures"]) == 20


def test_labelers_are_held_against_labels_of_train_rows(found):
    begs = found.summary.checks[2]
    wrong = found.wrong("begs")
    assert (begs.trusted, begs.of_trusted) == (0, 0)
    assert begs.given == len(wrong) and begs.of_given > 50
    assert {one.split for one in wrong} == {"train"}
    assert all(one.says == "spam" and one.label == "ham" and one.cells["text"] for one in wrong)
    with pytest.raises(UsageError, match=r"no labeler is called 'bges'. Did you mean 'begs'"):
        found.wrong("bges")


def test_where_to_look_next(found):
    places = found.next_places()
    first = places[0]
    assert first.kind == "no vote" and set(first.what) <= {"visit", "my", "page", "love", "it"}
    assert {mark for place in places if place.kind == "no vote" for mark in place.what} >= {"visit", "love"}
    assert first.labels and max(first.labels, key=first.labels.get) == ("spam" if "visit" in first.what else "ham")
    assert [place.to_dict() for place in places] == [place.to_dict() for place in found.next_places()]


def test_it_is_the_same_again_and_nothing_is_cast(found, tmp_path):
    folder = made(tmp_path)
    first, again = labelled(folder), labelled(folder)
    failures = len(again.summary.checks[3].run.failures)
    assert [check.run.cast for check in again.summary.checks] == [0, 0, 0, failures]
    assert first.summary.labels.to_table().equals(again.summary.labels.to_table())
    assert first.summary.labels.to_table().equals(found.summary.labels.to_table()), "in another folder too"


def test_labels_of_test_and_dev_rows_choose_nothing(found, tmp_path):
    def turned(part: str) -> list[list[object]]:
        other = {"ham": "spam", "spam": "ham", "": ""}
        return [[*row[:4], other[row[4]] if row[1] == part else row[4]] for row in rows()]

    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    by_test = labelled(made(tmp_path / "a", cells=turned("test"))).summary
    by_dev = labelled(made(tmp_path / "b", cells=turned("dev"))).summary
    assert _plain(by_test) == _plain(found.summary)
    assert by_dev.labels.to_table().equals(found.summary.labels.to_table())
    assert by_dev.labels.model == found.summary.labels.model
    assert by_dev.labels.metrics.accuracy.value < 0.5, "dev labels measure"


def _plain(summary):
    """What is told, but for the folder and for what was remembered."""
    told = summary.to_dict() | {"version": "", "failures": []}
    return told | {"labelers": [line | {"where": "", "cast": 0} for line in told["labelers"]]}


def test_trusted_labels_teach(tmp_path):
    folder = made(tmp_path)
    project = open_project(folder)
    project.label()
    answers = [
        (row[0], "spam" if any(word in row[2] for word in SPAM) else "ham") for row in rows() if row[1] == "train"
    ]
    with (folder / "answers.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["row_id", "answer"], *answers[:60]])
    project.answer(folder / "answers.csv")
    found = project.label()
    assert any("60 trusted labels teach the model" in note for note in found.summary.labels.notes)
    assert sum(check.of_trusted for check in found.summary.checks) > 30
    assert all(one.is_trusted for one in found.wrong("begs")[: found.summary.checks[2].trusted])


def test_a_project_without_labels(tmp_path):
    cells = [[*row[:4], ""] for row in rows()]
    found = labelled(made(tmp_path, cells=cells))
    assert found.summary.labels.metrics is None
    assert found.summary.to_dict()["covered"] > 300


@pytest.mark.parametrize(
    ("yaml", "python", "says"),
    [
        (YAML.partition("python:")[0], None, "this project has no labelers"),
        (YAML.partition("python:")[0], FUNCTIONS, "labelers.py is here, but tilth.yaml does not name it"),
        (YAML.partition("labelers:\n")[0], "", "labelers.py holds no labeler"),
        (
            YAML,
            "import tilth\n\n@tilth.labeler(name='songs')\ndef f(row):\n    return None\n",
            "two labelers are called 'songs'",
        ),
        (
            YAML,
            "import tilth\n\n@tilth.labeler(columns=['class'])\ndef f(row):\n    return None\n",
            "reads 'class', the label",
        ),
        (YAML, "import tilth\n1 / 0\n", "ZeroDivisionError"),
    ],
)
def test_what_cannot_be_run_is_told(tmp_path, yaml, python, says):
    with pytest.raises(ConfigError, match=says) as caught:
        labelled(made(tmp_path, yaml=yaml, python=python))
    assert caught.value.next_step and caught.value.where


def test_an_unknown_column_is_told_with_its_line(tmp_path):
    python = "import tilth\n\n@tilth.labeler(columns=['txt'])\ndef f(row):\n    return None\n"
    with pytest.raises(UnknownColumnError, match=r"no column 'txt'. Did you mean 'text'.*labelers.py, line 3"):
        labelled(made(tmp_path, python=python))


def test_a_file_that_is_not_named_is_said(tmp_path):
    yaml = YAML.replace("python: labelers.py\n", "")
    assert any("labelers.py is not read" in said for said in labelled(made(tmp_path, yaml=yaml)).summary.warnings)


def test_wrong_sql_names_its_labeler_and_line(tmp_path):
    yaml = f'{YAML}  - {{name: odd, sql: {{where: "likes > AND 3", says: ham}}}}\n'
    with pytest.raises(ConfigError, match=r"labeler 'odd': the predicate cannot be read.*tilth.yaml, line 16"):
        labelled(made(tmp_path, yaml=yaml))


def test_what_cannot_be_compared_votes_anew(tmp_path):
    python = (
        FUNCTIONS
        + "\n\nMODEL = object()\n\n\n@tilth.labeler\ndef deep(row):\n    return 'ham' if MODEL is None else None\n"
    )
    folder = made(tmp_path, python=python)
    for _ in range(2):
        summary = labelled(folder).summary
        assert summary.checks[-1].run.cast == 480
    assert any("'deep' votes anew in each run: MODEL is a object" in said for said in summary.warnings)


def test_lookups_and_votes_of_files(tmp_path):
    (tmp_path / "kb.csv").write_text("phrase,kind\nfree money,spam\nvisit my page,spam\ngreat voice,ham\n")
    votes = ["row,worker,answer"] + [f"{row[0]},{('ann', 'bob')[i % 2]},spam" for i, row in enumerate(rows()[:40])]
    (tmp_path / "votes.csv").write_text("\n".join([*votes, "c0,ann,ham"]) + "\n")
    kb = "  - {name: kb, lookup: {column: text, file: kb.csv, match: words}}\n"
    yaml = f"{YAML}{kb}  - {{name: crowd, votes_file: {{file: votes.csv}}}}\n"
    summary = labelled(made(tmp_path, yaml=yaml)).summary
    lines = {line.name: line for line in summary.labels.labelers}
    assert lines["kb"].votes > 100 and set(lines["kb"].says) == {"ham", "spam"}
    assert lines["crowd.ann"].votes == 15 and lines["crowd.bob"].votes == 16
    assert any(
        "labeler 'crowd': rows with two different answers of one labeler, which abstains there: 1" in said
        for said in summary.warnings
    )


def test_votes_of_a_file_without_the_ids_of_the_rows(tmp_path):
    (tmp_path / "votes.csv").write_text("one,two\nspam,ham\nham,ham\n")
    yaml = f"{YAML}  - {{name: matrix, votes_file: {{file: votes.csv}}}}\n"
    warnings = labelled(made(tmp_path, yaml=yaml)).summary.warnings
    assert any("'matrix.two' names no row of this version" in said and "c0" in said for said in warnings)


def test_classes_of_files_must_be_those_of_the_project(tmp_path):
    (tmp_path / "kb.csv").write_text("phrase,kind\nfree money,spm\n")
    yaml = f"{YAML}  - {{name: kb, lookup: {{column: text, file: kb.csv}}}}\n"
    with pytest.raises(ConfigError, match=r"labeler 'kb': 'spm' is no class of this project. Did you mean 'spam'"):
        labelled(made(tmp_path, yaml=yaml))


def test_what_may_not_be_shown_is_not_told(tmp_path):
    yaml = YAML.replace("text: {type: text}", "text: {type: text, visibility: hidden}")
    python = FUNCTIONS + "\n\n@tilth.labeler(columns=['text'])\ndef quotes(row):\n    raise ValueError(row.text)\n"
    found = labelled(made(tmp_path, yaml=yaml, python=python))
    told = found.summary.to_dict()
    assert {one["error"] for one in told["failures"]} == {"ValueError"}
    assert {one["traceback"] for one in told["failures"]} == {""}
    with pytest.raises(UsageError, match="rows are not listed: they would tell cells of 'text'"):
        found.wrong("begs")
    assert "text" not in found.wrong("loved")[0].cells
    assert not {mark for place in found.next_places() for mark in place.what} & {"visit", "love", "page"}
    row = str(found.cast.votes.row_ids[int(found.cast.votes.rows[found.cast.votes.sources == 2][0])].as_py())
    assert "(hidden)" in [vote.said for vote in found.explain(row).votes]

    saying = FUNCTIONS + "\n\n@tilth.labeler(columns=['text'])\ndef says(row):\n    return row.text\n"
    (tmp_path / "labelers.py").write_text(saying)
    with pytest.raises(tilth.TilthError, match="labeler 'says' says what is no class \\["):
        labelled(tmp_path)


def test_a_hidden_label_is_not_told(tmp_path):
    found = labelled(
        made(tmp_path, yaml=YAML.replace("class: {type: category}", "class: {type: category, visibility: aggregate}"))
    )
    with pytest.raises(UsageError, match="cells of 'class'"):
        found.wrong("begs")
    assert all(not place.labels for place in found.next_places())


def test_of_many_rows_evenly_spaced_ones_are_looked_at(found, monkeypatch):
    from tilth.loop import next_labelers

    assert {place.looked_at for place in found.next_places()} == {None}
    monkeypatch.setattr(next_labelers, "MOST_ROWS", 200)
    places = found.next_places()
    assert {place.looked_at for place in places} == {200}
    assert sum(place.rows for place in places if place.kind == "no vote") <= 200


KEYWORDS = {"subscribe": "spam", "money": "spam", "link": "spam", "song": "ham", "voice": "ham", "chorus": "ham"}
SIX = YAML.partition("python:")[0] + "labelers:\n"
SIX += "".join(f"  - {{name: {word}, keyword: {{words: [{word}], says: {name}}}}}\n" for word, name in KEYWORDS.items())


def crossed(n: int = 1_200) -> list[list[object]]:
    """Rows of five words of their class, with words that labelers know: oftener those that speak for it."""
    rng, cells = random.Random(7), []
    spam, ham = ([f"{kind}{i}" for i in range(12)] for kind in ("offer", "music"))
    for i in range(n):
        is_spam = rng.random() < 0.5
        known = [
            word for word, name in KEYWORDS.items() if rng.random() < (0.45 if (name == "spam") == is_spam else 0.12)
        ]
        text = " ".join([*known, *rng.sample(spam if is_spam else ham, 5)])
        cells.append([f"c{i}", ("train", "pool", "dev")[i % 3], text, 20, "spam" if is_spam else "ham"])
    return cells


def test_rows_that_no_labeler_speaks_of_are_labelled_by_rows_like_them(tmp_path):
    folder = made(tmp_path, cells=crossed(), yaml=SIX, python=None)
    first, again = labelled(folder), labelled(folder)
    summary = first.summary.labels
    reached = summary.labelled & ~summary.covered
    truth = np.array([row[4] == "spam" for row in crossed()])[[int(row[1:]) for row in summary.row_ids.to_pylist()]]
    assert summary.model == "near_votes"
    assert reached.sum() > 100
    assert ((summary.labels == 1) == truth)[reached].mean() > 0.9
    assert any("labelled by those nearby" in note for note in summary.notes)
    assert summary.to_table().equals(again.summary.labels.to_table())


def test_of_many_rows_auto_leaves_those_nearby_alone_unless_asked(tmp_path, monkeypatch):
    monkeypatch.setattr("tilth.loop.project_labels.MOST_PLACED", 100)
    project = made(tmp_path, cells=crossed(300), yaml=SIX, python=None)
    quick = labelled(project).summary
    assert quick.labels.model != "near_votes"
    assert any("too many to heed rows nearby" in said for said in quick.warnings)
    assert labelled(project, model="near_votes").summary.labels.model == "near_votes"


def test_encoders_that_fail_leave_the_votes(tmp_path):
    yaml = SIX + "encoders: {text: {name: onnx_text, params: {folder: nowhere}}}\n"
    found = labelled(made(tmp_path, cells=crossed(300), yaml=yaml, python=None))
    assert any(said.startswith("rows nearby are not heeded") for said in found.summary.warnings)
    assert found.summary.labels.model != "near_votes"
