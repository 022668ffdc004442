"""Open labels: typical rows in doubt are asked first."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import NotApplicable
from tilth.selection.open_labels import OpenLabels, middles
from tilth.testing.views import view_of


def test_one_row_from_the_middle_of_each_group_the_heaviest_first():
    features = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [9.0]], dtype=np.float32)
    chosen = middles(features, np.array([1.0, 1.0, 1.0, 0.3, 0.3, 2.0]), 3, seed=0)
    assert chosen[0] == 1
    assert chosen[1] == 5
    assert chosen[2] in (3, 4)


def test_as_many_groups_as_there_are_rows_at_most():
    assert len(middles(np.eye(3, dtype=np.float32), np.ones(3), 10, seed=0)) == 3


def planted(sets=None, known=0, never=None):
    """300 rows of three kinds; the first `known` train rows have a label, but those of the kind `never`."""
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 3, 300)
    features = (4 * np.eye(3)[kind] + rng.normal(0, 0.3, (300, 3))).astype(np.float32)
    splits = np.where(np.arange(300) < 250, "train", "dev")
    labelled = (np.arange(300) < known) & (kind != never)
    open_sets = np.zeros((300, 3), dtype=bool) if sets is None else np.tile(sets, (300, 1))
    open_sets[labelled] = False
    operator = OpenLabels()
    view = view_of(
        operator,
        classes=("a", "b", "c"),
        labels=np.where(labelled, kind, 0),
        labelled=labelled,
        label_sets=open_sets,
        splits=splits,
        embeddings=features,
    )
    return operator, view, kind


def test_with_nothing_known_every_kind_is_asked():
    operator, view, kind = planted(sets=[True, True, True])
    found = operator.select(view, 3)
    rows = [int(name[1:]) for name in found.ids.to_pylist()]
    assert sorted(kind[rows]) == [0, 1, 2]
    assert max(rows) < 250


def test_what_the_known_rows_settle_is_asked_last():
    operator, view, kind = planted(sets=[True, True, True], known=60, never=2)
    first = int(operator.select(view, 4).ids[0].as_py()[1:])
    assert kind[first] == 2


def test_the_same_seed_asks_the_same_rows():
    operator, view, _ = planted(sets=[True, True, False])
    assert operator.select(view, 7).ids.equals(operator.select(view, 7).ids)


def test_nothing_open_is_refused():
    operator, view, _ = planted()
    with pytest.raises(NotApplicable, match="no label of a train row is open"):
        operator.select(view, 3)
