"""normalise: canonical types, warnings with cells, refusals with rows."""

# ruff: noqa: DTZ001 - dates here carry no zone
from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from tilth.core.errors import DuplicateIdError, LabelError, SchemaChangedError, SourceError
from tilth.core.names import SPLIT
from tilth.core.schema import Column, ColumnType, Role, Schema, Task, TaskType
from tilth.sources import infer_schema, normalise, open_source


def schema(*columns, classes=("a", "b")):
    kind = TaskType.BINARY if classes else TaskType.REGRESSION
    label = Column(
        name="y", type=ColumnType.CATEGORY if classes else ColumnType.NUMBER, role=Role.LABEL, at_serving=False
    )
    made = [Column(name=name, type=ColumnType(kind), role=role) for name, kind, role in columns]
    task = Task(type=kind, label="y", classes=classes, metric="accuracy" if classes else "mae")
    return Schema(columns=(*made, label), tasks=(task,))


FEATURE, ID = Role.FEATURE, Role.ID


def test_canonical_types_by_hand():
    table = pa.table(
        {
            "n": ["1", "x"],
            "c": [1, 2],
            "t": ["a b", ""],
            "d": ["2020-01-02", None],
            "e": [[1, 2], [3, 4]],
            "i": [b"\x89PNG", None],
            "y": ["a", " b "],
            SPLIT: ["train", "dev"],
        }
    )
    columns = [(name, kind, FEATURE) for name, kind in
               zip("nctdei", ["number", "category", "text", "date", "embedding", "image"], strict=True)]  # fmt: skip
    found, warnings = normalise(table, schema(*columns))
    assert [str(field.type) for field in found.schema] == [
        "double",
        "string",
        "string",
        "timestamp[us]",
        "fixed_size_list<item: float>[2]",
        "binary",
        "string",
        "string",
    ]
    assert found.slice(0, 1).to_pylist() == [
        {
            "n": 1.0,
            "c": "1",
            "t": "a b",
            "d": datetime(2020, 1, 2),
            "e": [1.0, 2.0],
            "i": b"\x89PNG",
            "y": "a",
            SPLIT: "train",
        }
    ]
    assert found.slice(1, 1).to_pylist()[0] | {"e": 0} == {
        "n": None, "c": "2", "t": None, "d": None, "e": 0, "i": None, "y": "b", SPLIT: "dev",
    }  # fmt: skip
    assert warnings == ["column 'n': 1 of 2 cells are no number and are read as missing: 'x' in row 2"]


def test_words_that_mean_missing_are_said():
    table = pa.table({"c": ["NA", "de", "?", "NA"], "y": ["a", "b", "n/a", "a"]})
    found, warnings = normalise(table, schema(("c", "category", FEATURE)))
    assert found.column("c").to_pylist() == [None, "de", None, None]
    assert found.column("y").to_pylist() == ["a", "b", None, "a"]
    assert warnings == [
        "column 'c': 3 cells that say 'NA', '?' are read as missing",
        "column 'y': 1 cells that say 'n/a' are read as missing",
    ]


def test_unknown_columns_are_left_out_with_a_warning():
    found, warnings = normalise(pa.table({"n": [1], "new": [2], "y": ["a"]}), schema(("n", "number", FEATURE)))
    assert found.column_names == ["n", "y"]
    assert warnings == ["columns that tilth.yaml does not know are left out: new"]


def test_missing_columns():
    wanted = schema(("age", "number", FEATURE), ("k", "category", ID))
    with pytest.raises(SchemaChangedError, match=r"1 column is missing: 'age' Did you mean 'ages'"):
        normalise(pa.table({"ages": [1], "k": ["u"], "y": ["a"]}), wanted)
    found, _ = normalise(pa.table({"age": [1]}), wanted, serving=True)
    assert found.to_pylist() == [{"age": 1.0, "k": None, "y": None}]
    with pytest.raises(SchemaChangedError, match=r"'age'"):
        normalise(pa.table({"k": ["u"]}), wanted, serving=True)


def test_a_column_that_is_mostly_something_else_now():
    wanted = schema(("n", "number", FEATURE))
    table = pa.table({"n": ["x", "y", "1"] * 10, "y": ["a"] * 30})
    with pytest.raises(SchemaChangedError, match=r"column 'n': 20 of 30 cells are no number: 'x' in row 1"):
        normalise(table, wanted)
    _, warnings = normalise(table, wanted, serving=True)
    assert "20 of 30 cells" in warnings[0]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_nan_and_infinite_labels_name_their_rows(bad):
    wanted = schema(("n", "number", FEATURE), classes=())
    table = pa.table({"n": [1, 2, 3], "y": pa.array([1.0, bad, None])})
    with pytest.raises(LabelError, match=r"1 labels are NaN or infinite .column 'y', rows 2"):
        normalise(table, wanted)
    table = pa.table({"n": [1, 2, 3], "y": ["1", str(bad), ""]})
    with pytest.raises(LabelError, match=r"rows 2"):
        normalise(table, wanted)
    found, _ = normalise(pa.table({"n": [1, 2], "y": ["1.5", ""]}), wanted)
    assert found.column("y").to_pylist() == [1.5, None]


def test_unknown_classes_name_rows_by_the_users_ids():
    table = pa.table({"k": ["u", "v", "w"], "n": [1, 2, 3], "y": ["a", "bb", "c"]})
    with pytest.raises(LabelError, match=r"'bb', 'c' are no class of the task.*rows v, w"):
        normalise(table, schema(("k", "category", ID), ("n", "number", FEATURE)))


def test_ids_must_be_there_and_differ():
    wanted = schema(("k", "category", ID), ("n", "number", FEATURE))
    with pytest.raises(DuplicateIdError, match=r"1 ids occur more than once: '1'.*rows 1, 3"):
        normalise(pa.table({"k": [1, 2, 1], "n": [1, 2, 3], "y": ["a", "b", "a"]}), wanted)
    with pytest.raises(SourceError, match=r"1 rows have no id .column 'k', rows 2"):
        normalise(pa.table({"k": ["u", None], "n": [1, 2], "y": ["a", "b"]}), wanted)


def test_new_data_is_not_judged_by_its_labels_and_ids():
    wanted = schema(("k", "category", ID), ("n", "number", FEATURE))
    found, _ = normalise(pa.table({"k": [1, 1], "n": [1, 2], "y": ["z", None]}), wanted, serving=True)
    assert found.num_rows == 2


def test_dates_day_first_by_evidence_or_by_word():
    wanted = schema(("d", "date", FEATURE))
    table = pa.table({"d": ["5/6/2020", "31/12/2020"], "y": ["a", "b"]})
    assert normalise(table, wanted)[0].column("d")[0].as_py() == datetime(2020, 6, 5)
    one = table.slice(0, 1)
    assert normalise(one, wanted)[0].column("d")[0].as_py() == datetime(2020, 5, 6)
    assert normalise(one, wanted, day_first=["d"])[0].column("d")[0].as_py() == datetime(2020, 6, 5)


def test_a_label_column_may_be_missing_where_classes_are_known():
    found, _ = normalise(pa.table({"n": [1]}), schema(("n", "number", FEATURE)))
    assert found.column("y").to_pylist() == [None]


def test_pred_probs_have_one_number_per_class():
    columns = (("n", "number", FEATURE), ("p", "embedding", Role.PRED_PROBS))
    table = pa.table({"n": [1, 2], "p": [[0.5, 0.5], [1.0]], "y": ["a", "b"]})
    found, warnings = normalise(table, schema(*columns))
    assert found.column("p").to_pylist() == [[0.5, 0.5], None]
    assert "1 of 2 cells are no embedding" in warnings[0]


def test_twice_is_once_and_blocks_do_not_matter():
    rng = np.random.default_rng(0)
    raw = pa.table(
        {
            "n": [str(v) for v in rng.normal(size=60).round(3)],
            "c": rng.choice(["u", " v", "NA"], 60),
            "t": [f"some words of row number {k}" for k in range(60)],
            "d": [f"2020-02-{k % 28 + 1:02d}" for k in range(60)],
            "y": rng.choice(["a", "b"], 60),
        }
    )
    inferred = infer_schema(raw, label="y").schema
    whole, _ = normalise(raw, inferred)
    assert normalise(whole, inferred)[0].equals(whole)
    pieces = [normalise(raw.slice(start, 7), inferred)[0] for start in range(0, 60, 7)]
    assert pa.concat_tables(pieces).equals(whole)


@pytest.mark.parametrize("door", ["csv", "csv.gz", "json", "jsonl", "parquet", "feather", "pandas", "polars"])
def test_the_same_data_is_the_same_through_every_door(tmp_path, door):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "n": np.where(rng.random(80) < 0.1, np.nan, rng.normal(size=80).round(6)),
            "k": rng.integers(0, 4, 80),
            "some": [None, 1.0, 2.0, 3.0] * 20,
            "flag": rng.random(80) < 0.5,
            "c": rng.choice(["u", "v", None], 80),
            "t": [f'row {k} says ü, "quoted" and more words' for k in range(80)],
            "d": pd.date_range("2020-01-01", periods=80, freq="D"),
            "y": rng.choice([0, 1, 2], 80),
        }
    )
    expected_schema = infer_schema(open_source(frame).table, label="y").schema
    expected, _ = normalise(open_source(frame).table, expected_schema)
    raw = open_source(through(frame, door, tmp_path))
    assert infer_schema(raw.table, label="y").schema == expected_schema
    assert normalise(raw.table, expected_schema)[0].equals(expected)


def through(frame, door, folder):
    path = folder / f"t.{door}"
    if door.startswith("csv"):
        frame.to_csv(path, index=False)
    elif door.startswith("json"):
        frame.to_json(path, orient="records", lines=door == "jsonl", date_format="iso", double_precision=15)
    elif door == "parquet":
        frame.to_parquet(path)
    elif door == "feather":
        frame.to_feather(path)
    else:
        return frame if door == "pandas" else pl.from_pandas(frame)
    return path


def test_the_input_is_not_changed():
    raw = pa.table({"n": ["1", "x"], "y": ["a", "b"]})
    before = raw.to_pylist()
    normalise(raw, schema(("n", "number", FEATURE)))
    assert raw.to_pylist() == before
