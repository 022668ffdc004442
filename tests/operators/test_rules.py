"""tilth.slice and tilth.check: yes or no of each row, failures told, slips refused."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import tilth
from tilth.core.errors import ContractError, UsageError
from tilth.operators.batch import Batch
from tilth.operators.row_function import functions_made
from tilth.operators.rules import FunctionCheck, FunctionSlice

BATCH = Batch(ids=pa.array(["a", "b", "c"]), columns={"age": pa.array([10, 40, None])})


def test_a_slice_is_the_rows_for_which_its_function_is_true():
    @tilth.slice(columns=["age"])
    def young(row):
        return None if row.age is None else row.age < 25

    assert young.ruled(BATCH).holds.tolist() == [True, False, False]
    assert young({"age": 3}) is True
    assert (young.name, young.columns, young.kind) == ("young", ("age",), "slice")


def test_where_a_function_raises_the_row_is_outside_and_told():
    @tilth.check
    def human(row):
        return 0 <= row.age <= 120

    ruled = human.ruled(BATCH)
    assert ruled.holds.tolist() == [True, True, False]
    assert [failure.row_id for failure in ruled.failures] == ["c"]
    assert "TypeError" in ruled.failures[0].error


@pytest.mark.parametrize(
    "answers",
    [
        lambda columns: np.array([True, False, True]),
        lambda columns: [True, False, True],
        lambda columns: pa.array([True, None, True]),
        lambda columns: pa.chunked_array([[True], [False, True]]),
    ],
)
def test_a_block_may_be_answered_at_once(answers):
    one = tilth.slice(name="s", batch=True)(answers)
    assert one.ruled(BATCH).holds.tolist() == [True, False, True]


def test_what_is_no_truth_value_is_refused_with_the_row():
    one = tilth.slice(name="s")(lambda row: 1)
    with pytest.raises(ContractError, match=r"neither true nor false.*'a'"):
        one.ruled(BATCH)
    short = tilth.slice(name="s", batch=True)(lambda columns: [True])
    with pytest.raises(ContractError, match="answered 1 times for 3 rows"):
        short.ruled(BATCH)


def test_what_has_no_name_or_is_no_function_is_refused():
    with pytest.raises(UsageError, match="this check has no name"):
        tilth.check(lambda row: True)
    with pytest.raises(UsageError, match="is no function"):
        tilth.slice(tilth.slice(name="s")(lambda row: True))


def test_all_kinds_of_functions_are_noticed_when_they_are_made():
    with functions_made() as made:
        tilth.slice(name="s")(lambda row: True)
        tilth.check(name="c")(lambda row: True)
        tilth.labeler(name="l")(lambda row: None)
    assert [one.kind for one in made] == ["slice", "check", "labeler"]
    assert isinstance(made[0], FunctionSlice)
    assert isinstance(made[1], FunctionCheck)
