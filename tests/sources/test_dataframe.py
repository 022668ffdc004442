"""Dataframes of three libraries, indexes, mixed types."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from tilth.core.errors import SourceError
from tilth.sources.dataframe import Dataframe, parse_dataframe

COLUMNS = {"n": [1, 2], "t": ["a", None]}


@pytest.mark.parametrize(
    "frame",
    [pa.table(COLUMNS), pa.record_batch(COLUMNS), pl.DataFrame(COLUMNS), pd.DataFrame(COLUMNS)],
    ids=["table", "batch", "polars", "pandas"],
)
def test_all_libraries_give_the_same_table(frame):
    table = Dataframe(frame=frame).read()
    assert table.equals(pa.table(COLUMNS))


def test_pandas_indexes():
    frame = pd.DataFrame({"a": [1, 2, 3]})
    assert Dataframe(frame=frame[frame.a != 2]).read().column_names == ["a"]
    assert Dataframe(frame=frame.set_index(pd.Index(list("xyz")))).read().column_names == ["a", "index"]
    assert Dataframe(frame=frame.set_index(pd.Index(list("xyz"), name="k"))).read().column_names == ["a", "k"]


def test_categories_become_text():
    frame = pd.DataFrame({"c": pd.Categorical(["u", "v"])})
    assert Dataframe(frame=frame).read().column("c").type == pa.string()
    polars = pl.DataFrame({"c": pl.Series(["u", "v"], dtype=pl.Categorical)})
    assert Dataframe(frame=polars).read().column("c").to_pylist() == ["u", "v"]


def test_mixed_types_become_text_with_a_warning():
    rows = parse_dataframe(pd.DataFrame({"m": [1, "x", None, 2.5, np.nan], "n": range(5)}))
    assert rows.table.column("m").to_pylist() == ["1", "x", None, "2.5", None]
    assert rows.table.column("n").type == pa.int64()
    assert "column 'm' mixes types" in rows.warnings[0]


def test_the_frame_is_not_changed():
    frame = pd.DataFrame({"m": [1, "x"]})
    before = frame.copy(deep=True)
    parse_dataframe(frame)
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        (7, "a int is no dataframe"),
        (np.zeros((2, 2)), "a ndarray is no dataframe"),
        (pl.LazyFrame(COLUMNS), "call .collect\\(\\) first"),
        (pd.Series([1, 2]), "cannot be read as a table"),
        (pa.table({"a": pa.array([], pa.int64())}), "holds no rows"),
        (pa.table([[1], [2]], names=["a", "a"]), "two columns are called 'a'"),
        (pd.DataFrame([[1, "x"]], columns=["a", "a"]), "columns are called|cannot be read"),
    ],
)
def test_refused(thing, said):
    with pytest.raises(SourceError, match=said):
        parse_dataframe(thing)


def test_example_reads():
    assert Dataframe.example().read().num_rows == 2
