"""Views, batches and strategies of the kit."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.core.errors import MissingExtraError, UndeclaredNeedError
from tilth.core.names import SPLIT, SYSTEM_COLUMNS, Split
from tilth.core.schema import ColumnType, TaskType
from tilth.operators.needs import NEEDS
from tilth.operators.view import Scope
from tilth.testing import strategies
from tilth.testing.plants import busy_world, split_groups
from tilth.testing.strategies import edits, labels_and_probs, tables
from tilth.testing.views import evidence_of, rows_of, schema_of, target_of, view_of, watched_view, world_view
from tilth.testing.worlds import classification_world, regression_world

LAW = settings(max_examples=30, deadline=None)


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Declares a few needs."""

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "table", "embeddings"})
    scope: ClassVar[Scope] = "all"


def test_a_view_of_arrays():
    view = view_of(Reader(), labels=[0, 1], table={"x": [1.5, None], "word": ["a", "b"]})
    assert view.labels.tolist() == [0, 1]
    assert view.table.column("x").to_pylist() == [1.5, None]
    assert [column.type for column in view.schema.columns] == [ColumnType.NUMBER, ColumnType.CATEGORY]
    assert view.ids.to_pylist() == ["r0", "r1"]
    assert len(view_of(Reader())) == 0


def test_schemas_follow_classes_and_columns():
    assert schema_of(classes=("a", "b", "c")).task.type is TaskType.MULTICLASS
    assert schema_of(classes=()).task.is_regression
    table = pa.table(
        {
            "day": pa.array([0], pa.timestamp("s")),
            "photo": pa.array([b""]),
            "vector": pa.array([[0.0]], pa.list_(pa.float32(), 1)),
            "essay": pa.array([""], pa.large_string()),
        }
    )
    expected = [ColumnType.DATE, ColumnType.IMAGE, ColumnType.EMBEDDING, ColumnType.TEXT]
    assert [column.type for column in schema_of(table).columns] == expected


def test_labels_of_rows_that_judge_are_in_no_view():
    world = classification_world()
    view = world_view(Reader(), world)
    assert len(view) == len(world)
    assert np.array_equal(view.labelled, world.mask(Split.TRAIN))
    assert (view.labels[world.mask(Split.DEV, Split.TEST)] == 0).all()
    train = rows_of(world, "train")
    assert np.array_equal(train, np.flatnonzero(world.mask(Split.TRAIN)))
    assert target_of(world).mask.sum() == len(train)


RARE = {"augment", "generated"}
"""What only a learner in training has, or a project that declares generators."""


def test_every_need_is_supplied_somewhere():
    worlds = [split_groups(busy_world()), regression_world()]
    assert {need for world in worlds for need in evidence_of(world, "train")} >= set(NEEDS) - RARE
    everything = evidence_of(worlds[0], "all")
    assert not {"pred_probs", "predictions"} & everything.keys()  # dev and test rows have no out-of-sample predictions
    assert set(evidence_of(worlds[0], "train")["findings"]) >= {"label_error", "outlier", "leakage"}


def test_a_watched_view_knows_what_was_read_and_changed():
    watched = watched_view(Reader(), classification_world(), scope="train")
    assert watched.view.has("table")
    assert watched.reads.names == set()
    _ = watched.view.embeddings
    assert watched.reads.names == {"embeddings"}
    assert watched.changed() == []
    watched.reads.evidence["neighbours"].distances[0, 0] += 1
    assert watched.changed() == ["neighbours"]
    with pytest.raises(UndeclaredNeedError):
        _ = watched.view.weights


@LAW
@given(data=st.data(), table=tables())
def test_law_strategies_keep_the_rules(data, table):
    assert set(SYSTEM_COLUMNS) <= set(table.column_names)
    edit = data.draw(edits(table))
    splits = dict(zip(table.column("_tilth_id").to_pylist(), table.column(SPLIT).to_pylist(), strict=True))
    assert {splits.get(row, "train") for row in edit.touched.to_pylist()} <= {"train", "pool"}


@LAW
@given(pair=labels_and_probs())
def test_law_labels_fit_their_predictions(pair):
    labels, probs = pair
    assert len(labels) == len(probs) >= 1
    assert labels.max(initial=0) < probs.shape[1]
    assert np.allclose(probs.sum(axis=1), 1.0)


def test_without_hypothesis_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "hypothesis.strategies", None)
    with pytest.raises(MissingExtraError, match="pip install hypothesis"):
        strategies.tables()
