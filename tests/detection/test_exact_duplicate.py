"""exact_duplicate: by hand, planted copies, natural equality, parity with brute force."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.core.errors import NotApplicable
from tilth.core.schema import ColumnType, Role
from tilth.detection._shared import chance_size, first_of_group
from tilth.detection.exact_duplicate import ExactDuplicate, copy_severity

TEXT = {"text": ColumnType.TEXT}


def test_by_hand(view_of):
    table = {"text": ["hi", "you", "hi", "hi", "me"]}
    labels = np.array([0, 0, 1, 0, 1])
    (finding,) = ExactDuplicate().find(
        view_of(ExactDuplicate(), ids=["c", "d", "a", "b", "e"], columns=TEXT, table=table, labels=labels)
    )
    assert finding.flagged.tolist() == [True, False, False, True, False], "row a leads: it is first by id"
    assert finding.severity.tolist() == [1.0, 0.0, 0.0, 1.0, 0.0]
    assert finding.evidence["copy_of"] == ["a", "", "", "a", ""]
    assert finding.evidence["labels_differ"].tolist() == [True, False, True, True, False]
    assert "2 of 5 rows (40 %)" in finding.summary
    assert "in 1 of these the labels differ" in finding.summary


def test_copies_with_one_label_count_half():
    leader, differ = np.array([0, 0, 2]), np.zeros(3, bool)
    assert copy_severity(leader, np.array([0.2, 0.2, 0.0]), differ).tolist() == [0.0, 0.4, 0.0]


def test_numbers_are_ordered_as_numbers(view_of):
    view = view_of(ExactDuplicate(), ids=["10", "9"], columns=TEXT, table={"text": ["a", "a"]}, labels=np.zeros(2, int))
    assert ExactDuplicate().find(view)[0].flagged.tolist() == [True, False]


def test_a_trusted_row_leads(view_of):
    view = view_of(
        ExactDuplicate(), ids=["a", "b"], columns=TEXT, table={"text": ["x", "x"]}, labels=np.zeros(2, int),
        trusted=np.array([False, True]),
    )  # fmt: skip
    assert ExactDuplicate().find(view)[0].flagged.tolist() == [True, False]


def test_chance_by_hand():
    # rows (1,1) (1,1) (1,2) (2,1); equal to (1,1) but for column 0: one row, and 3/4 hold its value, odds 3;
    # but for column 1: one row, odds 3. So chance would bring 3 rows
    terms = np.array([[10, 10, 10, 20], [100, 100, 200, 100]], dtype=np.uint64)
    assert chance_size(terms, np.array([True, True]), np.array([0, 1])).tolist() == [3.0, 3.0]
    assert chance_size(terms, np.array([False, False]), np.array([0])).tolist() == [0.0]


def test_equal_rows_of_a_small_table_of_categories_are_no_copies(view_of):
    rng = np.random.default_rng(0)
    columns = dict.fromkeys("abc", ColumnType.CATEGORY)
    table = {name: rng.choice(list("xyz"), 2000, p=[0.6, 0.3, 0.1]) for name in "abc"}
    (finding,) = ExactDuplicate().find(
        view_of(ExactDuplicate(), columns=columns, table=table, labels=rng.integers(2, size=2000), n=2000)
    )
    assert finding.n_flagged == 0
    assert "as many as chance would bring" in finding.summary


def test_copies_planted_among_measurements_are_found(view_of):
    rng = np.random.default_rng(1)
    values = rng.normal(size=(1000, 3))
    values[900:] = values[:100]
    columns = dict.fromkeys("abc", ColumnType.NUMBER) | {"kind": ColumnType.CATEGORY}
    table = {name: values[:, i] for i, name in enumerate("abc")} | {"kind": ["k"] * 1000}
    (finding,) = ExactDuplicate().find(
        view_of(ExactDuplicate(), columns=columns, table=table, labels=np.zeros(1000, int), n=1000)
    )
    assert finding.n_flagged == 100
    assert (finding.severity[finding.flagged] == 0.5).all()


def test_missing_cells_are_equal_to_each_other(view_of):
    table = pa.table({"a": pa.array([1.5, 1.5, None]), "text": ["x", "x", "x"]})
    view = view_of(
        ExactDuplicate(), columns={"a": ColumnType.NUMBER, **TEXT}, table=table, labels=np.zeros(3, int), n=3
    )
    assert ExactDuplicate().find(view)[0].n_flagged == 1


def test_only_features_count(view_of):
    table = {"text": ["x", "x"], "key": ["1", "2"]}
    columns = TEXT | {"key": ColumnType.CATEGORY}
    view = view_of(ExactDuplicate(), columns=columns, roles={"key": Role.ID}, table=table, labels=np.zeros(2, int), n=2)
    assert ExactDuplicate().find(view)[0].n_flagged == 1


def test_numeric_labels_differ_too(view_of):
    view = view_of(
        ExactDuplicate(), classes=(), columns=TEXT, table={"text": ["x", "x"]}, numbers=np.array([1.0, 2.0]), n=2
    )
    assert ExactDuplicate().find(view)[0].evidence["labels_differ"].all()


def test_refusals(view_of):
    labels = np.zeros(3, int)
    with pytest.raises(NotApplicable, match="equal by nature"):
        ExactDuplicate().find(
            view_of(ExactDuplicate(), columns={"a": ColumnType.CATEGORY}, table={"a": ["x"] * 3}, labels=labels, n=3)
        )
    with pytest.raises(NotApplicable, match="no feature columns"):
        ExactDuplicate().find(view_of(ExactDuplicate(), columns={}, table={}, labels=labels, n=3))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=30), st.randoms())
def test_parity_with_brute_force(keys, random):
    keys = np.array(keys, dtype=np.uint64)
    rank = np.array(random.sample(range(len(keys)), len(keys)))
    expected = [min((j for j in range(len(keys)) if (keys[j] == row).all()), key=lambda j: rank[j]) for row in keys]
    assert first_of_group(keys, rank).tolist() == expected


def test_sms_spam(view_of, shared):
    rows = pq.read_table(shared / "sms_spam" / "sms_spam.parquet")
    labels = np.asarray(rows.column("label").combine_chunks().dictionary_encode().indices, dtype=np.intp)
    view = view_of(ExactDuplicate(), columns=TEXT, table=rows.select(["text"]), labels=labels, n=rows.num_rows)
    (finding,) = ExactDuplicate().find(view)
    assert finding.n_flagged == 403
