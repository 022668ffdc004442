"""Answers of several people by the command line: files in and out, disputes, report cards, Label Studio, manifests."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from journey_worlds import done, tilth

CLASSES = ("ham", "spam")
PEOPLE = {"anna": 0.02, "ben": 0.1, "cem": 0.3}


def write(path: Path, rows: list[tuple[object, ...]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def read(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A project without labels for half of its rows, and a file of answers to these."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 160)
    x = rng.normal(size=(160, 3)) + 2.0 * truth[:, None] * np.eye(3)[0]
    rows = [(f"m{i:03d}", *x[i].round(4), CLASSES[truth[i]] if i < 80 else "") for i in range(160)]
    write(tmp_path / "mail.csv", [("id", "a", "b", "c", "kind"), *rows])
    lines = [
        (f"m{i:03d}", who, CLASSES[truth[i] ^ (rng.random() < error)])
        for i in range(80, 160)
        for who, error in PEOPLE.items()
    ]
    write(tmp_path / "answers.csv", [("row_id", "worker", "answer"), *lines])
    done("init", tmp_path / "mail.csv", "--label", "kind", "--id", "id", "--dir", tmp_path / "p")
    return tmp_path


def test_from_answers_to_disputes_to_a_last_word(home: Path) -> None:
    project = ("--dir", home / "p")
    said = done("answer", home / "answers.csv", *project).out
    assert said.startswith("240 answers of 3 people on 80 rows (80 pool): ")
    assert "consensus is sure enough to be trusted (p at least 0.9 by the model)" in said
    again = done("answer", home / "answers.csv", *project, "--json").json
    assert (again["answers"], again["skipped"]) == (0, 240)
    assert again["manifest"]["dropped"] == [
        {"why": "it stands already", "count": 240, "first": again["manifest"]["dropped"][0]["first"]}
    ]
    write(home / "torn.csv", [("row_id", "answer"), ("m000", "ham")])
    done("answer", home / "torn.csv", *project, "--annotator", "dora")
    write(home / "torn.csv", [("row_id", "answer"), ("m000", "spam")])
    said = done("answer", home / "torn.csv", *project, "--annotator", "emil").out
    assert "1 rows are disputed (consensus below p 0.9)" in said
    sheet = home / "sheet.csv"
    done("ask", *project, "--top", "5", "-o", sheet)
    rows = read(sheet)
    torn = [row for row in rows if row["reason"].startswith("disputed: ")]
    assert "m000" in {row["row_id"] for row in torn}
    assert torn == rows[: len(torn)]
    said = done("answer", home / "torn.csv", *project, "--annotator", "chief", "--adjudicate").out
    assert "disputed" not in said
    assert "now v-" in said


def test_the_report_card_of_a_project_and_of_a_file(home: Path) -> None:
    done("answer", home / "answers.csv", "--dir", home / "p")
    screen = done("label", "--people", "--dir", home / "p").out
    file = done("label", home / "answers.csv", "--people").out
    for shown in (screen, file):
        assert "Krippendorff's α" in shown
        assert "240 of 3 people on 80 rows" in " ".join(shown.split())
        assert max(map(len, shown.splitlines())) <= 100
    told = done("label", "--people", "--json", "--dir", home / "p").json
    assert [one["name"] for one in told["people"]] == ["anna", "ben", "cem"]
    assert len(told["pairs"]) == 3
    assert tilth("label", "--people", "--next", "--dir", home / "p").code == 2
    assert tilth("label", home / "answers.csv", "--people", "-o", home / "l.csv").code == 2


def test_gold_questions_for_named_people(home: Path) -> None:
    project = ("--dir", home / "p")
    done("answer", home / "answers.csv", *project)
    sheet = home / "sheet.csv"
    result = done("ask", *project, "--people", "nina, omar", "--each", "4", "--top", "6", "--gold", "4", "-o", sheet)
    rows = read(sheet)
    assert len(rows) == 10
    assert {row["annotator"] for row in rows} == {"nina", "omar"}
    assert {(row["split"], row["given"], row["suggestion"], row["reason"]) for row in rows} == {
        ("", "", "", "asked blind")
    }
    assert "wrote" in result.out
    write(sheet, [tuple(rows[0]), *(tuple({**row, "answer": "ham"}.values()) for row in rows)])
    assert "4 rows were gold questions: their labels stay" in done("answer", sheet, *project).out
    told = done("label", "--people", "--json", *project).json
    assert sum(one["measured_on"] for one in told["people"] if one["name"] in ("nina", "omar")) == 4


def test_tasks_go_to_label_studio_and_come_back(home: Path) -> None:
    project = ("--dir", home / "p")
    tasks = home / "tasks.json"
    done("ask", *project, "--top", "6", "--split", "dev", "--format", "label-studio", "-o", tasks)
    made = json.loads(tasks.read_text(encoding="utf-8"))
    view = ElementTree.parse(home / "tasks.xml").getroot()
    choices = view.find("Choices")
    assert choices is not None
    assert [choice.get("value") for choice in choices] == ["ham", "spam"]
    shown = {tag.get("name"): tag.get("value") for tag in view.findall("Text")}
    assert choices.get("toName") in shown
    for name, value in shown.items():
        assert value == f"${name}"
        assert all(name in task["data"] for task in made)
    who = {"id": 5, "email": "eva@lab.org"}
    for number, task in enumerate(made, start=1):
        assert task["predictions"][0]["result"][0]["value"]["choices"][0] in CLASSES
        result = [{**task["predictions"][0]["result"][0], "id": "x"}]
        task |= {
            "id": number,
            "annotations": [{"completed_by": who, "created_at": "2026-01-31T14:05:00Z", "result": result}],
        }
    made[0]["annotations"][0] |= {"was_cancelled": True, "result": []}
    (home / "export.json").write_text(json.dumps(made), encoding="utf-8")
    said = done("answer", home / "export.json", *project, "--manifest", home / "m.json")
    assert said.out.startswith("read 6 annotations (Label Studio): 5 taken\n  dropped 1: cancelled")
    manifest = json.loads((home / "m.json").read_text(encoding="utf-8"))
    assert (manifest["format"], manifest["read"], manifest["taken"]) == ("Label Studio", 6, 5)
    assert manifest["dropped"][0]["first"] == ["task 1"]
    assert len(manifest["digest"]) == 32
    assert done("answer", home / "export.json", *project, "--json").json["answers"] == 0
    labels = done("label", home / "export.json", "--classes", "ham,spam", "--json", "--manifest", home / "m2.json").json
    assert labels["rows"] == 5
    assert json.loads((home / "m2.json").read_text(encoding="utf-8"))["taken"] == 5


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("answer", "{home}/none.csv"), "there is no file"),
        (("answer", "{home}/answers.csv", "--annotator", "eva"), "the file says who answered"),
        (("answer", "{home}/answers.csv", "--annotator", " "), "--annotator names nobody"),
        (("answer", "{home}/answers.csv", "--columns", "row_id,who,answer"), "no column 'who'"),
        (("answer", "{home}/answers.csv", "--columns", "row_id"), "--columns takes two or three names"),
        (("answer", "{home}/answers.csv", "--manifest", "{home}/answers.csv"), "never overwritten"),
        (("ask", "--format", "label-studio"), "-o tasks.json"),
        (("ask", "--format", "label-studo", "-o", "{home}/t.json"), "Did you mean 'label-studio'"),
        (("ask", "--each", "3"), "--each needs to know who is asked"),
        (("ask", "--people", "a,b,a"), "names somebody twice"),
        (("label", "--people"), "nobody has answered yet"),
    ],
)
def test_refusals_say_what_and_what_to_do(home: Path, arguments: tuple[str, ...], says: str) -> None:
    if arguments[0] == "label":
        done("answer", write(home / "empty.csv", [("row_id", "answer"), ("m001", "")]), "--dir", home / "p")
    result = tilth(*(one.replace("{home}", str(home)) for one in arguments), "--dir", home / "p")
    assert result.code == 2
    assert result.out == ""
    assert says in result.err
    assert "→" in result.err
