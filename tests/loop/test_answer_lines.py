"""Lines of answers in the files that hold them: which columns say what, and what is left as it was written."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tilth.core.errors import AnswerError, TilthError, UsageError
from tilth.loop.answer_lines import read_lines


def lines_of(path, **options):
    return [(one.row_id, one.annotator, one.answer) for one in read_lines(path, **options).lines]


def test_csv_keeps_ids_and_answers_as_they_are_written(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("row_id;rater_id;answer;note\n7.0;3.0;1.0;x\n007;3; nan ;\nr;4;;\n", encoding="utf-8")
    read = read_lines(path)
    assert lines_of(path) == [("7.0", "3", "1.0"), ("007", "3", "nan")]
    assert (read.names_people, read.manifest.read, read.manifest.taken) == (True, 3, 2)
    assert [(one.why, one.first) for one in read.manifest.dropped] == [("the answer is empty", ("3",))]


@pytest.mark.parametrize("suffix", ["json", "jsonl", "parquet"])
def test_tables_with_numbers_are_read_as_their_words(tmp_path, suffix):
    rows = [
        {"row_id": 7, "worker": 3, "answer": "a", "extra": None},
        {"row_id": 8, "worker": 4, "answer": None, "extra": None},
    ]
    path = tmp_path / f"a.{suffix}"
    if suffix == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        lines = [json.dumps(row) for row in rows]
        path.write_text("\n".join(lines) if suffix == "jsonl" else f"[{','.join(lines)}]")
    assert lines_of(path) == [("7", "3", "a")]


def test_tilths_own_names_win_over_columns_of_the_project(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("row_id,user,annotator,answer,created_at\nr,u,anna,a,2020-01-01\n", encoding="utf-8")
    taken = ("user", "annotator", "created_at")
    assert lines_of(path, taken=taken) == [("r", "anna", "a")]
    assert read_lines(path, taken=taken).lines[0].answered == ""
    assert read_lines(path).lines[0].answered == "2020-01-01"


def test_columns_are_named_in_their_order(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("q,who,said\nr,anna,a\n", encoding="utf-8")
    assert lines_of(path, columns=("q", "said")) == [("r", "", "a")]
    assert lines_of(path, columns=("q", "who", "said")) == [("r", "anna", "a")]
    with pytest.raises(UsageError, match="two or three"):
        read_lines(path, columns=("q",))
    with pytest.raises(AnswerError, match="no column 'sad'"):
        read_lines(path, columns=("q", "sad"))


@pytest.mark.parametrize("text", ["", "[", '[{"row_id": 1}]', "[1]"])
def test_json_that_holds_no_answers_is_refused(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(TilthError):
        read_lines(path)


def test_the_same_bytes_have_the_same_digest(tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("row_id,answer\nr,a\n")
    first, second = (read_lines(tmp_path / name).manifest for name in ("a.csv", "b.csv"))
    assert first.digest == second.digest
    assert first.file != second.file
