"""column_quality: by hand, one planted column of each kind, honest columns left alone."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import NotApplicable
from tilth.core.schema import ColumnType, Role
from tilth.detection.column_quality import ColumnQuality, is_constant, is_id_like

N = 40
NONE = np.zeros(N, dtype=bool)


def column(values):
    return pa.chunked_array([pa.array(values)])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (list(range(100, 100 + N)), True),
        ([3 * i for i in range(N)], True),
        ([float(i) for i in range(N)][::-1], True),
        ([i * 1_000_003 % 9_999_991 for i in range(N)], False),
        ([i + 0.5 for i in range(N)], False),
        ([f"cust-{i:05d}" for i in range(N)], True),
        ([f"review number {i}" for i in range(N)], False),
        ([chr(65 + i % 26) + chr(97 + i) for i in range(N)], False),
        ([1] * N, False),
    ],
)
def test_is_id_like_by_hand(values, expected):
    assert is_id_like(column(values), NONE) is expected


def test_is_constant_by_hand():
    assert is_constant(column(["a"] * N), NONE)
    assert not is_constant(column(["a"] * (N - 1) + [None]), np.arange(N) == N - 1)
    assert not is_constant(column(["a"] * (N - 1) + ["b"]), NONE)


def test_one_of_each_kind(view_of):
    rng = np.random.default_rng(0)
    table = pa.table({
        "nothing": pa.array([None] * N, pa.float64()),
        "blank": pa.array([" "] * N),
        "nan": pa.array([float("nan")] * N),
        "same": pa.array(["x"] * N).dictionary_encode(),
        "row": pa.array(range(N)),
        "key": pa.array([f"k{i}" for i in range(N)]),
        "age": pa.array(rng.integers(18, 90, N)),
        "born": pa.array([date(2000, 1, 1) + timedelta(days=i) for i in range(N)]),
        "known": pa.array(range(N)),
    })  # fmt: skip
    types = [ColumnType.NUMBER, ColumnType.TEXT, ColumnType.NUMBER, ColumnType.CATEGORY, ColumnType.NUMBER]
    types += [ColumnType.CATEGORY, ColumnType.NUMBER, ColumnType.DATE, ColumnType.NUMBER]
    columns = dict(zip(table.column_names, types, strict=True))
    detector = ColumnQuality()
    found = detector.find(view_of(detector, columns=columns, roles={"known": Role.ID}, table=table, n=N))
    told = {finding.kind: finding.columns for finding in found}
    assert told == {
        "empty_column": ("nothing", "blank", "nan"),
        "constant_column": ("same",),
        "id_like_column": ("row", "key"),
    }
    assert all(finding.overall > 0 and finding.summary and finding.suggestion for finding in found)


def test_vectors_and_images_are_only_asked_whether_they_are_empty(view_of):
    table = pa.table({
        "vector": pa.FixedSizeListArray.from_arrays(pa.array(np.ones(2 * N)), 2),
        "image": pa.array([None] * N, pa.large_binary()),
    })  # fmt: skip
    columns = {"vector": ColumnType.EMBEDDING, "image": ColumnType.IMAGE}
    detector = ColumnQuality()
    (finding,) = detector.find(view_of(detector, columns=columns, table=table, n=N))
    assert finding.columns == ("image",)


def test_refusal(view_of):
    with pytest.raises(NotApplicable, match="fewer"):
        ColumnQuality().find(view_of(ColumnQuality(), table={"a": [1]}, columns={"a": ColumnType.NUMBER}, n=1))
