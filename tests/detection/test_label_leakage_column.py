"""label_leakage_column: by hand, planted leaks in every type of column, honest columns, parity with a loop."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import NotApplicable
from tilth.core.schema import ColumnType
from tilth.detection.label_leakage_column import LabelLeakageColumn, class_score, number_score


def test_class_score_by_hand():
    # value 0 has classes 0, 0, 1, value 1 has 1, 1, 1; folds of one row. The rest of value 0 says:
    # rows 0, 1: {0, 1}, a tie -> 0, right; row 2: {0, 0} -> wrong. The majority (class 1) errs in 2 of 6 rows
    codes, labels = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 1, 1, 1])
    assert class_score(codes, labels, np.arange(6), 2) == pytest.approx(1 - 1 / 2)


def test_number_score_by_hand():
    # median 2.5; base |e| = 2 * 2.5 + 2 * 2.5 = 10 for 0, 0, 5, 5; each value's other row predicts it exactly
    assert number_score(np.array([0, 0, 1, 1]), np.array([0.0, 0.0, 5.0, 5.0]), np.arange(4) % 2) == 1.0


def test_class_score_parity_with_a_loop():
    rng = np.random.default_rng(0)
    codes, labels, folds = rng.integers(6, size=200), rng.integers(3, size=200), rng.integers(5, size=200)
    errors = 0
    for i in range(200):
        rest = (folds != folds[i]) & (codes == codes[i])
        pool = labels[rest] if rest.any() else labels[folds != folds[i]]
        errors += np.bincount(pool, minlength=3).argmax() != labels[i]
    base = 200 - np.bincount(labels).max()
    assert class_score(codes, labels, folds, 3) == pytest.approx(1 - errors / base)


def test_number_score_parity_with_a_loop():
    rng = np.random.default_rng(1)
    codes, numbers, folds = rng.integers(6, size=150), rng.normal(size=150), rng.integers(5, size=150)
    error = sum(abs(numbers[i] - np.median(numbers[(folds != folds[i]) & (codes == codes[i])])) for i in range(150))
    assert number_score(codes, numbers, folds) == pytest.approx(1 - error / np.abs(numbers - np.median(numbers)).sum())


def test_planted_leaks_of_all_kinds(view_of):
    rng = np.random.default_rng(2)
    labels = (rng.random(1000) < 0.3).astype(np.intp)
    hours = rng.integers(8784, size=1000) * 3_600_000_000
    paid = pa.array([1.0 if y else None for y in labels])
    columns = {
        "honest": ColumnType.NUMBER, "code": ColumnType.CATEGORY, "score": ColumnType.NUMBER, "closed": ColumnType.DATE,
        "paid": ColumnType.NUMBER, "note": ColumnType.TEXT, "name": ColumnType.CATEGORY,
    }  # fmt: skip
    table = pa.table({
        "honest": rng.normal(size=1000) + labels,
        "code": pa.array(["A" if y else "B" for y in labels]),
        "score": rng.normal(size=1000) + 20.0 * labels,
        "closed": pa.array(hours + 8784 * 3_600_000_000 * labels, pa.timestamp("us")),
        "paid": paid,
        "note": pa.array(["signed by hand" if y else None for y in labels]),
        "name": pa.array([f"n{i}" for i in range(1000)]),
    })  # fmt: skip
    detector = LabelLeakageColumn()
    (finding,) = detector.find(view_of(detector, columns=columns, table=table, labels=labels, n=1000))
    assert set(finding.columns) == {"code", "score", "paid", "note", "closed"}
    assert finding.level > 0.95
    assert "read off a single column" in finding.summary


def test_numeric_labels(view_of):
    rng = np.random.default_rng(3)
    numbers = rng.normal(size=2000) ** 3
    table = {"twice": 2 * numbers + 1, "related": numbers + rng.normal(size=2000), "noise": rng.normal(size=2000)}
    columns = dict.fromkeys(table, ColumnType.NUMBER)
    detector = LabelLeakageColumn(level=0.9)
    (finding,) = detector.find(view_of(detector, classes=(), columns=columns, table=table, numbers=numbers, n=2000))
    assert finding.columns == ("twice",)


def test_unlabelled_rows_are_left_out(view_of):
    rng = np.random.default_rng(4)
    labels = rng.integers(2, size=400)
    labelled = np.arange(400) < 300
    table = {"a": np.where(labelled, labels, 5).astype(float), "b": rng.normal(size=400)}
    columns = dict.fromkeys(table, ColumnType.NUMBER)
    detector = LabelLeakageColumn()
    view = view_of(detector, columns=columns, table=table, labels=labels, labelled=labelled, n=400)
    assert detector.find(view)[0].columns == ("a",)


def test_null_world(view_of):
    rng = np.random.default_rng(5)
    table = {f"c{i}": rng.normal(size=500) for i in range(20)}
    columns = dict.fromkeys(table, ColumnType.NUMBER)
    detector = LabelLeakageColumn()
    assert detector.find(view_of(detector, columns=columns, table=table, labels=rng.integers(2, size=500), n=500)) == []


def test_refusals(view_of):
    detector, labels = LabelLeakageColumn(), np.arange(200) % 2
    with pytest.raises(NotApplicable, match="its task"):
        detector.find(view_of(detector, columns={"a": ColumnType.NUMBER}, table={"a": labels}, labels=labels, n=200))
    with pytest.raises(NotApplicable, match="fewer"):
        detector.find(
            view_of(detector, columns={"a": ColumnType.NUMBER}, table={"a": labels[:9]}, labels=labels[:9], n=9)
        )
