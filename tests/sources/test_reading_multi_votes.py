"""Votes that name several classes, in every form, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tilth.core.errors import LabelError, SourceError, TilthError, UsageError
from tilth.sources._multi_votes import read_multi_votes
from tilth.sources._votes import VoteReading

READING = VoteReading(separator="|")
CELLS = {"row_id": ["r0", "r1", "r2"], "ann": ["a|b", "|", None], "bob": ["b", "c | a", "-1"]}
LINES = "row,worker,answer\nr0,ann,a\nr0,ann,b\nr1,ann,|\nr0,bob,b\nr1,bob,c\nr1,bob,a\nr1,bob,a\n"


def triples(read):
    """What is named: {(row, labeler): classes}."""
    votes = read.votes
    ids = votes.row_ids.to_pylist()
    names = np.array(votes.classes)
    return {
        (ids[row], votes.labelers[source]): set(names[yes].tolist())
        for row, source, yes in zip(votes.rows, votes.sources, votes.yes, strict=True)
    }


WANTED = {("r0", "ann"): {"a", "b"}, ("r1", "ann"): set(), ("r0", "bob"): {"b"}, ("r1", "bob"): {"a", "c"}}


def test_cells():
    read = read_multi_votes(pa.table(CELLS), reading=READING)
    assert read.votes.classes == ("a", "b", "c")
    assert triples(read) == WANTED
    assert len(read.votes) == 3
    assert not read.says_no


def test_lines_of_one_labeler(tmp_path):
    (tmp_path / "long.csv").write_text(LINES)
    read = read_multi_votes(str(tmp_path / "long.csv"), reading=READING)
    assert triples(read) == WANTED
    assert not any("counted as a vote" in said for said in read.warnings)


def test_lists(tmp_path):
    ids = pa.array(["r0", "r1", "r2"])
    lists = {"ann": [["a", "b"], [], None], "bob": [["b"], ["c", "a"], None]}
    table = pa.table({"row_id": ids} | {name: pa.array(one, pa.list_(pa.string())) for name, one in lists.items()})
    pq.write_table(table, tmp_path / "v.parquet")
    assert triples(read_multi_votes(str(tmp_path / "v.parquet"), reading=READING)) == WANTED
    rows = [{"row_id": one["row_id"], "ann": one["ann"], "bob": one["bob"]} for one in table.to_pylist()]
    (tmp_path / "v.json").write_text(json.dumps(rows))
    assert triples(read_multi_votes(str(tmp_path / "v.json"), reading=READING)) == WANTED


def test_columns_of_yes_and_no(tmp_path):
    (tmp_path / "v.csv").write_text("row_id,ann|a,ann|b,bob|a,bob|c\nr0,1,1,0,\nr1,0,0,1,1\nr2,,,-1,0\n")
    read = read_multi_votes(str(tmp_path / "v.csv"), reading=READING)
    assert read.says_no
    assert read.votes.classes == ("a", "b", "c")
    assert triples(read) == {
        ("r0", "ann"): {"a", "b"},
        ("r1", "ann"): set(),
        ("r0", "bob"): set(),
        ("r1", "bob"): {"a", "c"},
        ("r2", "bob"): set(),
    }
    spoken = {
        (row, source): one.tolist()
        for row, source, one in zip(
            read.votes.rows.tolist(), read.votes.sources.tolist(), read.votes.spoken, strict=True
        )
    }
    assert spoken == {
        (0, 0): [True, True, False],
        (0, 1): [True, False, False],
        (1, 0): [True, True, False],
        (1, 1): [True, False, True],
        (2, 1): [False, False, True],
    }


def test_a_block_of_yes_and_no(tmp_path):
    block = np.array([[[1, 0], [-1, 1]], [[0, 0], [-1, -1]]])
    np.save(tmp_path / "v.npy", block)
    for source in (block, block.astype(float), str(tmp_path / "v.npy")):
        read = read_multi_votes(source, reading=VoteReading(separator="|", classes=("x", "y")))
        assert triples(read) == {("0", "labeler0"): {"x"}, ("0", "labeler1"): {"y"}, ("1", "labeler0"): set()}


def test_classes_by_number():
    votes = pa.table({"row_id": ["r0", "r1"], "ann": ["0|2", "1"], "bob": ["2", "0"]})
    read = read_multi_votes(votes, reading=VoteReading(separator="|", classes=("x", "y", "z", "w")))
    assert triples(read)[("r0", "ann")] == {"x", "z"}
    assert read.votes.classes == ("x", "y", "z", "w")


@pytest.mark.parametrize(
    "truth",
    [
        {"r0": ["a"], "r1": []},
        {"r0": "a", "r1": "|", "r2": "-1"},
        [["a"], [], None],
        ["a", "|", None],
        pa.table({"row_id": ["r1", "r0"], "truth": ["|", "a"]}),
        pa.table({"row_id": ["r0", "r1", "r2"], "a": [1, 0, None], "b": [0, 0, None], "c": [0, 0, None]}),
    ],
)
def test_the_truth(truth):
    read = read_multi_votes(pa.table(CELLS), truth=truth, reading=READING)
    assert read.truth.known.tolist() == [True, True, False]
    assert read.truth.named[:2].tolist() == [[True, False, False], [False, False, False]]


def test_the_truth_as_a_matrix_a_file_and_a_column(tmp_path):
    flags = np.array([[1, 0, 0], [0, 0, 0], [0, 1, 1]])
    np.save(tmp_path / "y.npy", flags)
    (tmp_path / "y.csv").write_text("row_id,a,b,c\nr0,1,0,0\nr1,0,0,0\nr2,0,1,1\n")
    (tmp_path / "z.csv").write_text("row_id,truth\nr0,a\nr1,|\nr2,b|c\n")
    table = pa.table(CELLS | {"truth": ["a", "|", "b|c"]})
    for truth in (flags, str(tmp_path / "y.npy"), str(tmp_path / "y.csv"), str(tmp_path / "z.csv"), "truth"):
        source = table if isinstance(truth, str) and truth == "truth" else pa.table(CELLS)
        read = read_multi_votes(source, truth=truth, reading=READING)
        assert read.truth.named.astype(int).tolist() == flags.tolist()


def test_one_class_is_enough_where_somebody_says_no():
    read = read_multi_votes(pa.table({"row_id": ["a", "b"], "x": ["spam", "|"], "y": ["|", None]}), reading=READING)
    assert read.votes.classes == ("spam",)


@pytest.mark.parametrize(
    ("votes", "changes", "error", "words"),
    [
        ({"x": ["a;b", "a", "b"]}, {}, LabelError, "parted by ';'"),
        ({"x": ["a", "a", None]}, {}, LabelError, "all votes are for one class"),
        ({"x": ["a|b", "c", "a"]}, {"classes": ("a", "b")}, LabelError, "'c'"),
        ({"x": ["a|-1", "b", "a"]}, {}, LabelError, "abstains at once"),
        ({"x": [None, "-1", None]}, {}, LabelError, "every cell abstains"),
        ({"x": ["a|b", "c", "a"]}, {"separator": " "}, UsageError, "parts nothing"),
        ({"x": ["a|b", "c", "a"]}, {"separator": "1"}, UsageError, "part of a class name"),
        ({"x|a": ["1", "0", "2"], "x|b": ["1", "0", "1"]}, {}, LabelError, "neither 0 nor 1"),
        ({"x|a": ["1", "0", "1"], "x |a": ["1", "0", "1"]}, {}, LabelError, "one labeler and class"),
    ],
)
def test_what_cannot_be_read(votes, changes, error, words):
    table = pa.table({"row_id": ["r0", "r1", "r2"], **votes})
    reading = VoteReading(**{"separator": "|"} | changes)
    with pytest.raises(error) as caught:
        read_multi_votes(table, reading=reading)
    assert words in str(caught.value)
    assert caught.value.next_step


def test_a_class_that_no_truth_may_name():
    with pytest.raises(LabelError, match="nope"):
        read_multi_votes(pa.table(CELLS), truth={"r0": ["nope"]}, reading=READING)


@pytest.mark.parametrize("block", [np.full((2, 2, 2), 3), np.zeros((0, 2, 2)), np.zeros((2, 2, 2))])
def test_a_block_that_cannot_be_read(block):
    with pytest.raises((SourceError, TilthError)):
        read_multi_votes(block, reading=VoteReading(separator="|", classes=("a", "b", "c") if not block.any() else ()))


def test_votes_that_never_name_two_classes_are_told_of():
    read = read_multi_votes(pa.table({"row_id": ["a", "b"], "x": ["p", "q"], "y": ["p", "p"]}), reading=READING)
    assert any("without --multilabel" in said for said in read.warnings)
