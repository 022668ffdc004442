from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from tilth.core.errors import InputError, LabelError, NotApplicable
from tilth.core.schema import Column, ColumnType, Schema, Task, TaskType
from tilth.core.target import Target
from tilth.learning.boosting import Boosting
from tilth.operators.view import View
from tilth.testing.views import view_of

SMALL = Boosting(iterations=8, leaves=4)
N = 150
RNG = np.random.default_rng(0)
ALL = np.ones(N, dtype=bool)
CELLS = {
    "age": pa.array(RNG.standard_normal(N), mask=np.arange(N) % 9 == 0),
    "kind": pa.array(RNG.choice(["a", "b", "c"], N).astype(object), pa.string()),
    "day": pa.array(RNG.integers(0, 2**50, N), pa.timestamp("us")),
    "text": pa.array(["not read"] * N),
}
TYPES = {"age": "number", "kind": "category", "day": "date", "text": "text"}


def view(cells: dict[str, pa.Array] | None = None, classes: tuple[str, ...] = ("x", "y", "z"), seed: int = 0) -> View:
    cells = CELLS if cells is None else cells
    schema = Schema(
        columns=tuple(Column(name=name, type=ColumnType(TYPES[name])) for name in cells),
        tasks=(Task(type=TaskType.MULTICLASS, label="label", classes=classes),),
    )
    return view_of(
        SMALL, schema=schema, table=pa.table(cells), seed=seed, ids=[f"r{i}" for i in range(len(cells["age"]))]
    )


LABELS = (np.asarray(CELLS["kind"].to_pylist()) == "a").astype(np.intp) + (np.asarray(CELLS["age"].fill_null(0)) > 1)


def predicted(target: Target, learner: Boosting = SMALL, at: View | None = None) -> np.ndarray:
    return learner.predict_proba(at or view(), learner.fit(view(), target))


def test_parity_with_sklearn_on_numbers() -> None:
    cells = {"age": CELLS["age"]}
    ours = SMALL.predict_proba(view(cells), SMALL.fit(view(cells), Target.classes(LABELS, ALL, 3)))
    matrix = np.asarray(CELLS["age"].fill_null(np.nan))[:, None]
    theirs = HistGradientBoostingClassifier(max_iter=8, max_leaf_nodes=4, early_stopping=False).fit(matrix, LABELS)
    np.testing.assert_allclose(ours, theirs.predict_proba(matrix))


def test_a_soft_target_that_is_a_class_is_that_class() -> None:
    hard = Target.classes(LABELS, ALL, 3)
    np.testing.assert_array_equal(predicted(Target.soft(np.eye(3)[LABELS], ALL)), predicted(hard))


def test_soft_targets_are_weighted_rows() -> None:
    """Rows of one category with targets 0.7 / 0.3 get these probabilities."""
    kinds = np.asarray(CELLS["kind"].to_pylist()) == "a"
    soft = np.where(kinds[:, None], [0.7, 0.3, 0.0], [0.1, 0.9, 0.0])
    found = predicted(Target.soft(soft, ALL), Boosting(iterations=60, leaves=4))
    np.testing.assert_allclose(found, soft, atol=0.02)


def test_classes_without_rows_get_nothing() -> None:
    found = predicted(Target.classes(LABELS, LABELS != 1, 3))
    assert found.shape == (N, 3) and not found[:, 1].any()
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    alone = predicted(Target.classes(LABELS, LABELS == 2, 3))
    assert (alone == [0, 0, 1]).all()


def test_the_seed_decides_everything() -> None:
    target = Target.classes(LABELS, ALL, 3)
    np.testing.assert_array_equal(predicted(target), predicted(target))


def test_rows_without_a_target_or_weight_are_not_learnt_from() -> None:
    mask = np.arange(N) % 3 > 0
    wrong = np.where(mask, LABELS, 0)
    one, other = Target.classes(LABELS, mask, 3), Target.classes(wrong, ALL, 3, mask.astype(float))
    np.testing.assert_array_equal(predicted(one), predicted(other))


def test_new_cells_unseen_missing_and_of_another_type() -> None:
    model = SMALL.fit(view(), Target.classes(LABELS, ALL, 3))
    new = {
        "age": pa.array([None, 1, 2]),
        "kind": pa.array(["never seen", None, "a"]).dictionary_encode(),
        "day": pa.array([None, 0, 10**12], pa.timestamp("ns")),
        "text": pa.nulls(3, pa.string()),
    }
    assert np.isfinite(SMALL.predict_proba(view(new), model)).all()
    numbers = {"age": pa.array([1.0] * 4), "kind": pa.array([1, 2, 2, 1])}
    learnt = SMALL.prepare(view(numbers))
    again = learnt.matrix(pa.table(numbers | {"kind": pa.array([1.0, 2.0, None, 7.0])}))
    np.testing.assert_array_equal(again[:, 1], [0, 1, np.nan, 254])


def test_columns_without_a_value_and_no_rows() -> None:
    empty = CELLS | {"age": pa.nulls(N, pa.float64()), "kind": pa.nulls(N, pa.string())}
    model = SMALL.fit(view(empty), Target.classes(LABELS, ALL, 3))
    assert np.isfinite(SMALL.predict_proba(view(), model)).all()
    assert SMALL.predict_proba(view({name: cells.slice(0, 0) for name, cells in CELLS.items()}), model).shape == (0, 3)


def test_refusals() -> None:
    with pytest.raises(LabelError, match="no row"):
        predicted(Target.classes(LABELS, ~ALL, 3))
    with pytest.raises(NotApplicable, match="no such column"):
        SMALL.prepare(view_of(SMALL, table={"text": ["a b"]}, schema=Schema(columns=(), tasks=view().schema.tasks)))
    with pytest.raises(InputError, match="column 'age'"):
        SMALL.fit(view(CELLS | {"age": pa.array(["old"] * N)}), Target.classes(LABELS, ALL, 3))
