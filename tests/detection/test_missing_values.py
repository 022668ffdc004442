"""missing_values: by hand, planted dependence on label and split, parity with scipy, test rows never looked at."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from tilth.core.errors import NotApplicable
from tilth.core.schema import ColumnType
from tilth.detection._shared import average_ranks, class_dependence, holm, missing_cells, number_dependence
from tilth.detection.missing_values import MissingValues, co_missing


def by_kind(found):
    return {finding.kind: finding for finding in found}


def gaps(values, missing):
    return pa.array([None if gap else float(value) for value, gap in zip(values, missing, strict=True)])


def test_missing_cells_of_every_type():
    column = pa.chunked_array([pa.array([1.0, None, float("nan")])])
    assert missing_cells(column).tolist() == [False, True, True]
    column = pa.chunked_array([pa.array(["a", None, "  "]).dictionary_encode()])
    assert missing_cells(column).tolist() == [False, True, True]


def test_holm_by_hand():
    assert np.allclose(holm(np.array([0.04, 0.01, 0.03])), [0.06, 0.03, 0.06])


def test_class_dependence_parity():
    rng = np.random.default_rng(0)
    codes = rng.integers(3, size=500)
    missing = rng.random(500) < np.array([0.1, 0.3, 0.6])[codes]
    table = np.stack([np.bincount(codes, missing), np.bincount(codes, ~missing)])
    expected = stats.chi2_contingency(table, correction=False)
    p, effect = class_dependence(missing, codes)
    assert p == pytest.approx(expected.pvalue)
    assert effect == pytest.approx(np.sqrt(expected.statistic / 500))


def test_rare_classes_are_put_together():
    codes = np.append(np.arange(40) % 2, np.arange(2, 12))
    assert class_dependence(np.arange(50) % 2 == 0, codes)[0] <= 1.0
    assert class_dependence(np.zeros(50, bool), codes) == (1.0, 0.0)


def test_number_dependence_by_hand():
    missing = np.repeat([True, False], 10)
    assert number_dependence(missing, np.arange(20.0)) == (
        pytest.approx(stats.mannwhitneyu(np.arange(10), np.arange(10, 20), method="asymptotic").pvalue),
        1.0,
    )


@pytest.mark.parametrize("values", [2, 7, 1000])
def test_number_dependence_parity_with_ties(values):
    rng = np.random.default_rng(values)
    for n in (18, 60, 501):
        numbers, missing = rng.integers(values, size=n).astype(float), np.arange(n) % 3 == 0
        numbers[missing] += values * 0.1 * rng.integers(2)
        expected = stats.mannwhitneyu(numbers[missing], numbers[~missing], method="asymptotic")
        p, effect = number_dependence(missing, numbers)
        assert p == pytest.approx(expected.pvalue, rel=1e-12)
        pairs = missing.sum() * (~missing).sum()
        assert effect == pytest.approx(abs(2 * expected.statistic / pairs - 1), abs=1e-12)
        assert np.array_equal(average_ranks(numbers), stats.rankdata(numbers))
    assert number_dependence(np.arange(40) % 2 == 0, np.full(40, 3.0)) == (1.0, 0.0)


def test_co_missing_by_hand():
    missing = np.zeros((20, 4), dtype=bool)
    missing[:10, 0] = missing[:10, 1] = missing[:9, 2] = missing[12:18, 3] = True
    (group,) = co_missing(missing)
    assert group.tolist() == [0, 1, 2]


def test_rows_and_columns(view_of):
    table = pa.table(
        {"a": gaps([1, 2, 3, 4], [1, 1, 0, 1]), "b": gaps([1, 2, 3, 4], [1, 0, 0, 1]), "c": gaps([1] * 4, [0, 0, 0, 1])}
    )
    columns = dict.fromkeys("abc", ColumnType.NUMBER)
    splits = np.array(["train", "train", "train", "test"], dtype=object)
    detector = MissingValues()
    found = by_kind(
        detector.find(view_of(detector, columns=columns, table=table, splits=splits, labels=np.zeros(4, int), n=4))
    )
    rows = found["missing_values"]
    assert rows.flagged.tolist() == [True, False, False, False], "the test row misses all, and is not looked at"
    assert np.allclose(rows.severity, [2 / 3, 1 / 3, 0, 0])
    assert found["missing_cells"].columns == ("a", "b")
    assert found["missing_cells"].level == pytest.approx(2 / 3)


def test_planted_dependence(view_of):
    rng = np.random.default_rng(1)
    n = 1200
    labels = rng.integers(2, size=n)
    splits = np.array(["train"] * 800 + ["dev"] * 200 + ["test"] * 200, dtype=object)
    by_label = rng.random(n) < np.where(labels == 1, 0.5, 0.1)
    by_split = rng.random(n) < np.where(splits == "dev", 0.6, 0.1)
    at_random = rng.random(n) < 0.3
    table = pa.table(
        {
            "l": gaps(labels, by_label),
            "s": gaps(labels, by_split),
            "r": gaps(labels, at_random),
            "r2": gaps(labels, at_random),
        }
    )
    columns = dict.fromkeys(table.column_names, ColumnType.NUMBER)
    detector = MissingValues()
    view = view_of(
        detector, columns=columns, table=table, splits=splits, labels=labels, labelled=splits == "train", n=n
    )
    found = by_kind(detector.find(view))
    assert found["missing_by_label"].columns == ("l",)
    assert found["missing_by_split"].columns == ("s",)
    assert found["missing_together"].columns == ("r", "r2")
    assert "'r', 'r2'" in found["missing_together"].summary


def test_numeric_labels(view_of):
    rng = np.random.default_rng(2)
    numbers = rng.normal(size=400)
    table = pa.table({"a": gaps(numbers, numbers > 0.5), "b": gaps(numbers, rng.random(400) < 0.3)})
    detector = MissingValues()
    view = view_of(
        detector, classes=(), columns={"a": ColumnType.NUMBER, "b": ColumnType.NUMBER}, table=table, n=400,
        splits=np.array(["train"] * 400, dtype=object), numbers=numbers,
    )  # fmt: skip
    assert by_kind(detector.find(view))["missing_by_label"].columns == ("a",)


def test_complete_tables_have_no_finding(view_of):
    detector = MissingValues()
    view = view_of(
        detector, columns={"a": ColumnType.NUMBER}, table={"a": [1.0, 2.0]}, labels=np.zeros(2, int), n=2,
        splits=np.array(["train", "train"], dtype=object),
    )  # fmt: skip
    assert list(detector.find(view)) == []


def test_refusals(view_of):
    detector = MissingValues()
    splits = np.array(["test"], dtype=object)
    with pytest.raises(NotApplicable, match="no feature columns"):
        detector.find(view_of(detector, table={}, splits=splits, labels=np.zeros(1, int), n=1))
    with pytest.raises(NotApplicable, match="fewer"):
        detector.find(
            view_of(
                detector,
                columns={"a": ColumnType.NUMBER},
                table={"a": [1]},
                splits=splits,
                labels=np.zeros(1, int),
                n=1,
            )
        )
