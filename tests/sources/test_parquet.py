"""Parquet: types as declared, leftovers of writers removed."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tilth.core.errors import SourceError
from tilth.sources.parquet import Parquet


def test_types_stay_and_dictionaries_become_plain(tmp_path):
    table = pa.table(
        {
            "n": [1, 2],
            "c": pa.array(["a", "b"]).dictionary_encode(),
            "l": pa.array(["x", "y"], "large_string"),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    read = Parquet(path=str(tmp_path / "t.parquet")).read()
    assert [str(field.type) for field in read.schema] == ["int64", "string", "string"]
    assert read.schema.metadata is None


def test_a_leftover_index_goes_and_a_named_one_stays(tmp_path):
    frame = pd.DataFrame({"a": [1, 2, 3]})
    frame[frame.a > 1].to_parquet(tmp_path / "left.parquet")
    frame.set_index(pd.Index(["x", "y", "z"], name="key")).to_parquet(tmp_path / "named.parquet")
    assert Parquet(path=str(tmp_path / "left.parquet")).read().column_names == ["a"]
    assert Parquet(path=str(tmp_path / "named.parquet")).read().column_names == ["a", "key"]


def test_folders_with_an_equals_sign_are_no_columns(tmp_path):
    (tmp_path / "day=1").mkdir()
    pq.write_table(pa.table({"a": [1]}), tmp_path / "day=1" / "t.parquet")
    assert Parquet(path=str(tmp_path / "day=1" / "t.parquet")).read().column_names == ["a"]


def test_no_parquet_and_no_rows_are_refused(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"nonsense")
    with pytest.raises(SourceError, match=r"cannot be read as Parquet"):
        Parquet(path=str(tmp_path / "t.parquet")).read()
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), tmp_path / "t.parquet")
    with pytest.raises(SourceError, match=r"holds no rows"):
        Parquet(path=str(tmp_path / "t.parquet")).read()
