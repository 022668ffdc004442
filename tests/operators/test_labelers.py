"""A function becomes a labeler: by row and by block; what it raises is an abstention with its traceback; what it may not return."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import tilth
from tilth.core.errors import ContractError, UndeclaredNeedError, UsageError
from tilth.operators.batch import Batch
from tilth.operators.labelers import FunctionLabeler
from tilth.operators.protocols import Labeler
from tilth.operators.row_function import functions_made
from tilth.operators.voting import MOST_CALLS, in_parts


class Name(StrEnum):
    SPAM = "spam"


def block(n: int = 6, /, **columns: pa.Array) -> Batch:
    usual = {"text": pa.array(["free", None, "x", "free x", "", "y"] * (n // 6 + 1)).slice(0, n)}
    return Batch(ids=pa.array([f"r{i}" for i in range(n)]), columns=columns or usual)


@tilth.labeler(columns=["text"])
def begs(row):
    """Return spam where something is free."""
    return "spam" if "free" in row.text else None


def test_by_row():
    assert isinstance(begs, Labeler)
    assert (begs.name, begs.columns, begs.__doc__[:11]) == ("begs", ("text",), "Return spam")
    said = begs.vote(block())
    assert said.names.to_pylist() == ["spam", None, None, "spam", None, None]
    (failure,) = said.failures
    assert failure.row_id == "r1"
    assert failure.error.startswith("TypeError: argument of type 'NoneType'")
    assert 'return "spam" if "free" in row.text' in failure.traceback
    assert "labelers.py" not in failure.traceback.replace("test_labelers.py", ""), "only people's own frames"


def test_it_stays_callable():
    assert begs({"text": "free"}) == "spam"
    assert begs({"text": "no"}) is None


def test_bare_and_named():
    @tilth.labeler
    def bare(row):
        return row["text"]

    other = tilth.labeler(name="other")(lambda row: None)
    assert (bare.name, bare.columns, other.name) == ("bare", (), "other")
    with pytest.raises(UsageError, match="no name"):
        tilth.labeler(lambda row: None)
    with pytest.raises(UsageError, match="is no function"):
        tilth.labeler(bare)


def test_rows_are_read_by_attribute_and_by_name():
    @tilth.labeler
    def reads(row):
        assert row.text == row["text"] == row.get("text") == dict(row)["text"]
        assert list(row) == ["text", "a b", "count"] and row.values() == ("x", 1, 2) and "'a b': 1" in repr(row)
        assert row["a b"] == 1 and row.count == 2 and row.get("no", 3) == 3 and "text" in row and "no" not in row

    columns = {"text": pa.array(["x"]), "a b": pa.array([1]), "count": pa.array([2])}
    assert reads.vote(block(1, **columns)).failures == ()


def test_an_undeclared_column_is_told():
    @tilth.labeler(columns=["text"])
    def reads(row):
        return row.txt

    said = reads.vote(block(1))
    assert "'txt', which it did not declare; it may read 'text'. Did you mean 'text'?" in said.failures[0].error
    with pytest.raises(UndeclaredNeedError):
        reads({"text": "a"})


def test_by_block():
    @tilth.labeler(columns=["text"], batch=True)
    def begs_too(columns):
        hits = pc.fill_null(pc.match_substring(columns.text, "free"), False)
        return np.where(np.asarray(hits), "spam", None)

    assert begs_too.vote(block()).names.to_pylist() == ["spam", None, None, "spam", None, None]
    assert begs_too({"text": ["free", "x"]}).tolist() == ["spam", None]


@pytest.mark.parametrize(
    "answers",
    [
        ["1", None, "1"],
        np.array(["1", None, "1"], dtype=object),
        pa.array(["1", None, "1"]),
        pa.chunked_array([["1"], [None, "1"]]),
        pa.array(["1", None, "1"]).dictionary_encode(),
        pa.array(["1", None, "1"], pa.large_string()),
        pd.Series(["1", None, "1"]),
        [1, None, np.int64(1)],
        pa.array([1, None, 1]),
    ],
)
def test_answers_of_many_kinds(answers):
    labeler = tilth.labeler(name="kinds", batch=True)(lambda columns: answers)
    assert labeler.vote(block(3)).names.to_pylist() == ["1", None, "1"]


def test_enumerations_are_names():
    labeler = tilth.labeler(name="enum")(lambda row: Name.SPAM)
    assert labeler.vote(block(2)).names.to_pylist() == ["spam", "spam"]


@pytest.mark.parametrize("answer", [float("nan"), 0.5, True, b"spam", ["spam"]])
@pytest.mark.parametrize("batch", [False, True])
def test_what_is_no_name_is_refused_with_its_rows(answer, batch):
    def function(given):
        return [None, *[answer] * 4] if batch else (None if given.text == "free" else answer)

    labeler = tilth.labeler(name="odd", batch=batch)(function)
    with pytest.raises(ContractError, match=r"'odd' answered .* no class name \[rows r1, r2, r3.*None to abstain"):
        labeler.vote(block(5, text=pa.array(["free", "a", "a", "a", "a"])))


@pytest.mark.parametrize("answers", [["spam"], [], "spam", None, ["spam"] * 4])
def test_a_wrong_number_of_answers_is_refused(answers):
    labeler = tilth.labeler(name="short", batch=True)(lambda columns: answers)
    with pytest.raises(ContractError, match=r"'short' answered \d times for 3 rows \[a block that begins with rows r0"):
        labeler.vote(block(3))


def test_a_block_that_raises_is_halved_down_to_its_rows():
    calls = []

    @tilth.labeler(columns=["n"], batch=True)
    def divides(columns):
        calls.append(len(columns.n))
        return ["a" if 1 / n > 0 else "b" for n in columns.n.to_pylist()]

    n = 200
    said = divides.vote(block(n, n=pa.array([0 if i in (3, 150) else 1 for i in range(n)])))
    assert [failure.row_id for failure in said.failures] == ["r3", "r150"]
    assert said.names.null_count == 2
    assert len(calls) < 6 * np.log2(n)


def test_a_block_that_always_raises_costs_a_bounded_number_of_calls():
    calls = []

    def vote(part: Batch) -> pa.Array:
        calls.append(len(part))
        raise ValueError("no")

    said = in_parts(vote, block(5_000))
    assert len(said.failures) == 5_000 and said.names.null_count == 5_000
    assert len(calls) <= 2 * MOST_CALLS
    assert {failure.error for failure in said.failures} == {"ValueError: no"}


def test_labelers_are_seen_when_they_are_made():
    with functions_made() as made:
        one = tilth.labeler(name="one")(lambda row: None)
    tilth.labeler(name="later")(lambda row: None)
    assert made == [one]
    assert isinstance(one, FunctionLabeler) and one.line > 0
