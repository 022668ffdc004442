"""leakage: by hand, planted copies over splits, groups on two sides, labels of dev and test never read."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import NotApplicable
from tilth.core.schema import ColumnType, Role
from tilth.detection.leakage import Leakage, across_groups, across_splits
from tilth.numerics.neighbours import k_nearest

TEXT = {"text": ColumnType.TEXT}
LONG = "the parcel has not arrived although it was sent a week ago, please look into it and tell me where it is"


def test_across_splits_by_hand():
    # rows 0 train, 1 test equal; 2 train near 3 dev; 4 train equal to 2; 5 train near 4's group only
    train = np.array([True, False, True, False, True, True])
    leader = np.array([0, 0, 2, 3, 2, 5])
    pairs, alike = np.array([[2, 3], [2, 5]]), np.array([0.9, 0.95])
    similarity, partner = across_splits(leader, np.zeros(6), pairs, alike, train, ~train)
    assert similarity.tolist() == [1.0, 0.0, 0.9, 0.0, 0.9, 0.0]
    assert partner.tolist() == [1, 1, 3, 3, 3, 5]


def test_the_likest_judging_row_is_named():
    train = np.array([True, False, False])
    pairs = np.array([[0, 1], [0, 2]])
    similarity, partner = across_splits(np.arange(3), np.zeros(3), pairs, np.array([0.8, 0.9]), train, ~train)
    assert (similarity[0], partner[0]) == (0.9, 2)


def test_texts(view_of):
    texts = [LONG, LONG, LONG.upper(), "quite another thing that only train holds", LONG[:-4] + "gone"]
    splits = np.array(["train", "test", "train", "train", "dev"], dtype=object)
    detector = Leakage()
    (finding,) = detector.find(view_of(detector, columns=TEXT, table={"text": texts}, splits=splits, n=5))
    assert finding.kind == "leakage"
    assert finding.flagged.tolist() == [True, False, True, False, False]
    assert finding.evidence["copy_of"][:3] == ["r1", "", "r1"]
    assert finding.evidence["equal"].tolist() == [True, False, False, False, False]
    assert "2 of 3 train rows" in finding.summary
    assert "1 equal, 1 nearly equal" in finding.summary


def test_only_train_rows_are_flagged_and_pool_does_not_judge(view_of):
    splits = np.array(["train", "pool", "test", "unused"], dtype=object)
    detector = Leakage()
    assert (
        detector.find(view_of(detector, columns=TEXT, table={"text": ["a b", "a b", "c", "a b"]}, splits=splits, n=4))
        == []
    )


def test_planted_leaks_in_a_table(view_of):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(1200, 5))
    values[1000:1050] = values[:50]
    values[1050:1080] = values[50:80] + rng.normal(size=(30, 5)) * 0.001
    splits = np.array(["train"] * 1000 + ["test"] * 200, dtype=object)
    columns = {f"c{i}": ColumnType.NUMBER for i in range(5)}
    near = k_nearest(values, 10, metric="euclidean", exclude_self=True)
    detector = Leakage()
    table = {f"c{i}": values[:, i] for i in range(5)}
    (finding,) = detector.find(view_of(detector, columns=columns, table=table, splits=splits, neighbours=near, n=1200))
    assert finding.flagged[:80].all()
    assert finding.flagged[80:].sum() <= 1
    assert finding.evidence["copy_of"][60] == "r1060"


def test_a_small_table_of_categories_does_not_leak(view_of):
    rng = np.random.default_rng(1)
    columns = dict.fromkeys("abc", ColumnType.CATEGORY)
    table = {name: rng.choice(list("xyz"), 600) for name in "abc"}
    splits = np.array(["train"] * 400 + ["test"] * 200, dtype=object)
    detector = Leakage()
    near = k_nearest(rng.normal(size=(600, 3)), 10, metric="euclidean", exclude_self=True)
    found = detector.find(view_of(detector, columns=columns, table=table, splits=splits, neighbours=near, n=600))
    assert sum(finding.n_flagged for finding in found) == 0


def test_groups_on_two_sides(view_of):
    splits = np.array(["train", "train", "test", "dev"], dtype=object)
    detector = Leakage()
    texts = ["one thing", "a second matter", "the third of them", "number four at last"]
    view = view_of(
        detector, columns=TEXT | {"person": ColumnType.CATEGORY}, roles={"person": Role.GROUP}, splits=splits, n=4,
        table={"text": texts, "person": ["p", "q", "p", "r"]}, groups=np.array([0, 1, 0, 2]),
    )  # fmt: skip
    (finding,) = detector.find(view)
    assert finding.kind == "group_leakage"
    assert finding.flagged.tolist() == [True, False, False, False]
    assert finding.evidence["group"] == ["p", "q", "p", "r"]


def test_groups_are_looked_at_where_rows_cannot_be_compared(view_of):
    splits = np.array(["train", "test"], dtype=object)
    detector = Leakage()
    (finding,) = detector.find(view_of(detector, columns={}, table={}, splits=splits, groups=np.zeros(2, int), n=2))
    assert finding.kind == "group_leakage"


def test_across_groups_parity_with_a_loop():
    rng = np.random.default_rng(2)
    groups, train = rng.integers(20, size=60), rng.random(60) < 0.7
    expected = [bool(train[i] and (groups[~train] == groups[i]).any()) for i in range(60)]
    assert across_groups(groups, train, ~train).tolist() == expected


def test_labels_cannot_be_read():
    assert not {"labels", "numbers", "pred_probs"} & Leakage.needs


def test_refusals(view_of):
    detector = Leakage()
    splits = np.array(["train", "train"], dtype=object)
    with pytest.raises(NotApplicable, match="both sides"):
        detector.find(view_of(detector, columns=TEXT, table={"text": ["a", "b"]}, splits=splits, n=2))
    splits = np.array(["train", "test"], dtype=object)
    with pytest.raises(NotApplicable, match="no feature columns"):
        detector.find(view_of(detector, columns={}, table={}, splits=splits, n=2))
