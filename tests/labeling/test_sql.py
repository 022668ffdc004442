"""SQL predicates: nulls abstain, names are taken as written, wrong SQL names its place, rows that cannot be computed fail."""

from __future__ import annotations

import sqlite3

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import ConfigError
from tilth.labeling.sql import Sql
from tilth.operators.batch import Batch

DAYS = np.array(["2020-01-01", "2021-01-01", "NaT"], dtype="datetime64[us]")
COLUMNS = {
    "text": pa.array(["free money", None, "12"]),
    "Likes": pa.array([1.0, 5.0, None]),
    "a b": pa.array([1, 2, 3]),
    "date": pa.array(DAYS),
}


def voted(where: str, columns: dict[str, pa.Array] | None = None):
    labeler = Sql(where=where, says="x")
    cells = COLUMNS if columns is None else columns
    chosen = {name: cells[name] for name in labeler.columns}
    n = len(next(iter(chosen.values())))
    return labeler.vote(Batch(ids=pa.array([f"r{i}" for i in range(n)]), columns=chosen))


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("text LIKE 'free%'", [1, 0, 0]),
        ("Likes > 2", [0, 1, 0]),
        ("NOT (Likes > 2)", [1, 0, 0]),
        ("Likes IS NULL OR text IS NULL", [0, 1, 1]),
        ('"a b" = 2', [0, 1, 0]),
        ("`a b` = 2", [0, 1, 0]),
        ("date < '2020-06-01'", [1, 0, 0]),
        ("date < DATE '2020-06-01' -- (old", [1, 0, 0]),
        ("extract(year FROM date) = 2021", [0, 1, 0]),
        ("length(text) = 2", [0, 0, 1]),
        ("Likes::INT = 5", [0, 1, 0]),
        ("CAST(Likes AS DOUBLE PRECISION) = 5 AND date < current_date", [0, 1, 0]),
        ("text = 'it''s' OR\n  Likes = 5", [0, 1, 0]),
    ],
)
def test_by_hand(where, expected):
    assert [name == "x" for name in voted(where).names.to_pylist()] == [bool(one) for one in expected]


def test_parity_with_sqlite():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 9, 200).tolist(), rng.integers(0, 9, 200).tolist()
    base = sqlite3.connect(":memory:")
    base.execute("CREATE TABLE t (a, b)")
    base.executemany("INSERT INTO t VALUES (?, ?)", zip(a, b, strict=True))
    for where in (
        "a > b AND a < 7",
        "a IN (1, 2) OR b BETWEEN 3 AND 5",
        "NOT a = b",
        "CASE WHEN a > 4 THEN b ELSE a END > 2",
    ):
        expected = [bool(one) for (one,) in base.execute(f"SELECT ({where}) FROM t ORDER BY rowid")]
        names = voted(where, {"a": pa.array(a), "b": pa.array(b)}).names.to_pylist()
        assert [name == "x" for name in names] == expected
    base.close()


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("text LIKE 'a' AN Likes > 3", "text LIKE 'a' ⟨here⟩AN Likes > 3"),
        ("text LIKE", "text LIKE⟨here⟩"),
        ("Likes >\n  AND text = 'a'", "AND ⟨here⟩text"),
        ("(Likes > 2", "(Likes > 2⟨here⟩"),
        ("Likes > 2) OR (1 = 1", "Likes > 2⟨here⟩) OR"),
        ("Likes > 2; DELETE", "Likes > 2⟨here⟩; DELETE"),
        ("text = 'abc", "⟨here⟩'abc"),
    ],
)
def test_wrong_sql_names_its_place(where, place):
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        Sql(where=where, says="x")
    assert place.replace("\n", "\\n") in caught.value.where.replace('\\"', '"')


@pytest.mark.parametrize("where", ["length(text)", "nofunction(text) = 1", "count(text) > 1", 'text = "free"'])
def test_what_is_no_predicate_is_refused(where):
    labeler = Sql(where=where, says="x")
    with pytest.raises(ConfigError, match="cannot be used"):
        labeler.vote(Batch(ids=pa.array(["r0"]), columns={"text": pa.array(["a"])}))


def test_a_predicate_names_a_column():
    with pytest.raises(ConfigError, match="names no column"):
        Sql(where="1 = 1", says="x")


def test_rows_that_cannot_be_computed_fail_alone():
    said = voted("CAST(text AS INT) > 3", {"text": pa.array(["1", "7", "x", None, "9"])})
    assert said.names.to_pylist() == [None, "x", None, None, "x"]
    assert [failure.row_id for failure in said.failures] == ["r2"]
    assert "Cannot cast string 'x'" in said.failures[0].error
