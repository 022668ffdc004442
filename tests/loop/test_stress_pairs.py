"""Which rows are pairs: by a column of equal values, by the partner's row id, by a file."""

from __future__ import annotations

import pyarrow as pa
import pytest
from loop_worlds import schema_of, table_of

from tilth.core.dataset import Dataset
from tilth.core.errors import SourceError, UnknownColumnError
from tilth.core.schema import Column, ColumnType, Role, Schema
from tilth.loop.stress_pairs import pairs_in


def dataset_of(cells, splits=None) -> Dataset:
    import numpy as np

    n = len(cells)
    plain = schema_of(1, 2)
    schema = Schema(
        columns=(*plain.columns, Column(name="p", type=ColumnType.CATEGORY, role=Role.IGNORE)), tasks=plain.tasks
    )
    table = table_of(np.zeros((n, 1)), [0] * n, splits or ["dev"] * n, plain)
    return Dataset.of(table.append_column("p", pa.array(cells, pa.string())), schema)


def test_equal_values(tmp_path):
    pairs, left_out = pairs_in(dataset_of(["a", "b", "a", None, "b", "c", "d", "d", "d"]), "p", tmp_path)
    assert pairs.tolist() == [[0, 2], [1, 4]]
    assert left_out == 4, "alone, and three of one"


def test_equal_values_on_two_splits_are_no_pair(tmp_path):
    pairs, left_out = pairs_in(dataset_of(["a", "a", "b", "b"], ["dev", "train", "dev", "dev"]), "p", tmp_path)
    assert pairs.tolist() == [[2, 3]]
    assert left_out == 2


def test_the_partners_row_id(tmp_path):
    pairs, left_out = pairs_in(dataset_of([None, "r00000", "r00003", None, "r99999"]), "p", tmp_path)
    assert pairs.tolist() == [[0, 1], [3, 2]], "the one that is named stands in front"
    assert left_out == 1


def test_a_file(tmp_path):
    (tmp_path / "pairs.csv").write_text("row,partner\nr00001,r00000\nr00002,r00009\nr00002,r00002\n")
    pairs, left_out = pairs_in(dataset_of([None] * 4), "pairs.csv", tmp_path)
    assert pairs.tolist() == [[0, 1]]
    assert left_out == 2
    (tmp_path / "one.csv").write_text("row\nr00001\n")
    with pytest.raises(SourceError, match="two columns"):
        pairs_in(dataset_of([None] * 4), "one.csv", tmp_path)
    with pytest.raises(UnknownColumnError, match="nor is there a file"):
        pairs_in(dataset_of([None] * 4), "none.csv", tmp_path)
