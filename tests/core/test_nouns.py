"""The smaller nouns: dataset, target, slice, votes, blocks of rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.arrays import read_only
from tilth.core.dataset import Dataset
from tilth.core.names import ROW_ID, SYSTEM_COLUMNS, Split
from tilth.core.partitions import TableRows
from tilth.core.schema import Column, ColumnType, Role, Schema, Task, TaskType
from tilth.core.slice import Slice
from tilth.core.target import Target, TargetKind
from tilth.core.votes import Votes

SCHEMA = Schema(
    columns=(Column(name="label", type=ColumnType.CATEGORY, role=Role.LABEL),),
    tasks=(Task(type=TaskType.BINARY, label="label", classes=("no", "yes")),),
)


def test_a_dataset_is_named_by_its_content(table_of):
    table = table_of("abc", label=pa.array(["no", "yes", None]))
    one, other = Dataset.of(table, SCHEMA), Dataset.of(table.take([2, 0, 1]), SCHEMA, "v-2")
    assert one.content_id == other.content_id
    assert Dataset.of(table_of("abc"), SCHEMA).content_id != one.content_id
    renamed = SCHEMA.with_task(Task(type=TaskType.BINARY, label="label", classes=("yes", "no")))
    assert Dataset.of(table, renamed).content_id != one.content_id


def test_evidence_is_keyed_by_the_columns_that_it_read(table_of):
    one = Dataset.of(table_of("ab", x=pa.array([1, 2]), y=pa.array([1, 2])), SCHEMA)
    other = Dataset.of(table_of("ab", x=pa.array([1, 2]), y=pa.array([1, 3])), SCHEMA)
    assert one.content_of(["x"]) == other.content_of(["x"])
    assert one.content_of(["x", "y"]) == one.content_of(["y", "x", ROW_ID])
    assert one.content_of(["y"]) != other.content_of(["y"])
    assert one.content_of(["x"]) != one.content_of(["y"])  # equal cells in another column


def test_a_dataset_finds_rows_by_id_and_split(table_of):
    data = Dataset.of(table_of("abc", splits=["train", "test", "pool"]), SCHEMA)
    assert data.column_names == ("label", *SYSTEM_COLUMNS)
    assert (data.n_rows, data.row_ids.to_pylist()) == (3, ["a", "b", "c"])
    assert data.mask(Split.TRAIN, Split.POOL).tolist() == [True, False, True]
    assert data.splits.tolist() == ["train", "test", "pool"]
    assert data.positions(pa.array(["c", "a"])).tolist() == [2, 0]
    with pytest.raises(KeyError, match="x"):
        data.positions(pa.array(["a", "x"]))


def test_rows_of_a_split_share_its_name(table_of):
    data = Dataset.of(table_of("abcd", splits=["train", "test", "train", "test"]), SCHEMA)
    assert data.splits[0] is data.splits[2]
    assert Dataset.of(table_of("", splits=[]), SCHEMA).splits.tolist() == []
    assert Dataset.of(table_of("", splits=[]), SCHEMA).mask(Split.DEV).tolist() == []


def test_rows_come_in_blocks(table_of):
    rows = TableRows(table_of("abcde"))
    assert [block.column(0).to_pylist() for block in rows.blocks([ROW_ID], 2)] == [["a", "b"], ["c", "d"], ["e"]]
    assert [block.num_rows for block in TableRows(table_of("")).blocks([ROW_ID])] == [0]


def test_targets_are_one_hot_soft_or_numbers():
    mask = np.array([True, False, True])
    hard = Target.classes(np.array([1, 0, 0]), mask, 2)
    assert hard.kind is TargetKind.CLASS
    assert np.array_equal(hard.distribution, [[0, 1], [0, 0], [1, 0]])
    assert hard.weights.tolist() == [1, 1, 1]
    part = hard.take(np.array([2, 0]))
    assert (len(part), part.mask.tolist()) == (2, [True, True])
    assert np.array_equal(part.distribution, [[1, 0], [0, 1]])
    assert Target.soft(np.full((3, 2), 0.5), mask, np.arange(3.0)).weights.tolist() == [0, 1, 2]
    numbers = Target.values(np.array([1.5, 0, 2]), mask).take(mask)
    assert numbers.numbers is not None
    assert (numbers.kind, numbers.numbers.tolist()) == (TargetKind.NUMBER, [1.5, 2.0])


def test_a_slice_has_exactly_one_rule():
    assert Slice(name="young", where="age < 25").rule == "age < 25"
    assert Slice(name="short", function="short").rule == "short(row)"
    for rules in ({}, {"where": "age < 25", "function": "short"}):
        with pytest.raises(ValueError, match="one rule"):
            Slice(name="s", **rules)


def test_votes_are_sparse_and_abstain_by_mask():
    votes = Votes(
        row_ids=pa.array(["a", "b", "c"]),
        labelers=("x", "y", "z"),
        classes=("no", "yes"),
        rows=np.array([0, 1, 1]),
        sources=np.array([2, 0, 1]),
        said=np.array([1, 0, 1]),
    )
    matrix, abstained = votes.dense()
    assert matrix.tolist() == [[0, 0, 1], [0, 1, 0], [0, 0, 0]]
    assert abstained.tolist() == [[True, True, False], [False, False, True], [True, True, True]]
    assert (len(votes), votes.n_classes, votes.covered.tolist()) == (3, 2, [True, True, False])
    again = Votes.of_matrix(np.where(abstained, -1, matrix), classes=votes.classes)
    assert [again.rows.tolist(), again.sources.tolist(), again.said.tolist()] == [[0, 1, 1], [2, 0, 1], [1, 0, 1]]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"said": np.array([2])}, "not there"),
        ({"rows": np.array([-1])}, "not there"),
        ({"said": np.array([0, 1])}, "one length"),
        ({"labelers": ("x", "x")}, "different names"),
        ({"rows": np.array([1, 0]), "sources": np.array([0, 0]), "said": np.array([0, 0])}, "order of their rows"),
    ],
)
def test_votes_that_do_not_fit_together_are_refused(wrong, message):
    sound = {
        "row_ids": pa.array(["a", "b"]),
        "labelers": ("x", "y"),
        "classes": ("no", "yes"),
        "rows": np.array([0]),
        "sources": np.array([1]),
        "said": np.array([1]),
    }
    with pytest.raises(ValueError, match=message):
        Votes(**(sound | wrong))


def test_read_only_arrays_refuse_writes_and_share_memory():
    array = np.arange(3)
    view = read_only(array)
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1
    array[0] = 7
    assert view[0] == 7
