"""The bench: fits on edited train rows go by what was prepared of all of them where they can, and come to the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from loop_worlds import gaussian_world

from tilth.core.apply import apply
from tilth.core.edit import Edit, Verb
from tilth.core.errors import ContractError
from tilth.core.names import PARENTS, ROW_ID, TARGET, WEIGHT
from tilth.core.spec import Spec
from tilth.learning.boosting import Boosting
from tilth.loop import bench as bench_module
from tilth.loop.frames import target_of


@pytest.fixture(scope="module")
def bench():
    return gaussian_world(n_train=200, n_dev=100, noise=0.2, d=6, seed=1).bench


def edit(bench, name):
    ids = bench.train.column(ROW_ID).combine_chunks()
    some = ids.take(pa.array(np.arange(0, 60, 2)))
    common = {"operator": Spec(room="editing", name="by_hand"), "reason": "so it is", "author": "test"}
    if name == "drop":
        return Edit(verb=Verb.REMOVE, drop=some, **common)
    column, value = (WEIGHT, pa.array([0.5] * len(some))) if name == "weigh" else (TARGET, None)
    if value is None:
        value = pa.array([[0.3, 0.7]] * len(some), bench.train.schema.field(TARGET).type)
    return Edit(verb=Verb.RELABEL, set={column: pa.table({ROW_ID: some, "value": value})}, **common)


def coefficients(model):
    return np.vstack([model.coefficients, model.intercepts])


@pytest.mark.parametrize("name", ["drop", "weigh", "soften"])
def test_fits_on_prepared_rows_are_fits_on_their_copies(bench, name):
    change = edit(bench, name)
    train = apply(bench.train, change)
    copied = bench.fit(train, bench.features_of(train, (change,)), start=bench.baseline)
    found = bench.fit_edited(change)
    np.testing.assert_allclose(coefficients(found), coefficients(copied), atol=1e-10)


def test_rows_in_another_order_or_from_elsewhere_or_few_are_not_taken_for_prepared_ones(bench):
    n = bench.train.num_rows
    assert bench._places(bench.train).tolist() == list(range(n))
    assert bench._places(bench.train.slice(3)).tolist() == list(range(3, n))
    assert bench._places(bench.train.take(pa.array(np.arange(n)[::-1]))) is None
    assert bench._places(bench.table.slice(0, n + 1)) is None
    assert bench._places(bench.train.slice(0, n // bench_module.MOST_LEFT_OUT - 1)) is None
    assert bench._places(bench.train.slice(0, 0)) is None


def test_features_of_all_train_rows_stand_in_memory_once(bench):
    assert bench.features_at(bench.train_positions) is bench.train_features
    np.testing.assert_array_equal(bench.features_at(np.array([4, 2])), bench.features[[4, 2]])


def test_rough_fits_share_what_was_prepared_and_come_near(bench):
    rough, change = bench.rough, edit(bench, "drop")
    assert rough.prepared is bench.prepared
    assert rough.baseline is bench.baseline
    found, exact = rough.fit_edited(change), bench.fit_edited(change)
    assert found.is_rough
    np.testing.assert_allclose(coefficients(found), coefficients(exact), atol=1e-2)
    trees = replace(bench, learner=Boosting(), _memo={})
    assert trees.rough is trees


def test_predictions_of_many_rows_come_block_by_block(bench, monkeypatch):
    rows = np.arange(50)[::-1]
    whole = bench.predict(bench.baseline, rows)
    monkeypatch.setattr(bench_module, "BLOCK_ROWS", 7)
    np.testing.assert_allclose(bench.predict(bench.baseline, rows), whole, rtol=1e-12)
    assert bench.predict(bench.baseline, rows[:0]).shape == (0, 2)


def test_nothing_is_encoded_for_a_learner_that_reads_the_columns(bench):
    """Made rows would be encoded with all train rows beside them, for trees that never look at features."""

    def refused(table):
        raise AssertionError("encoded")

    trees = replace(bench, learner=Boosting(iterations=5), reencode=refused, _memo={})
    rows = bench.train.slice(0, 20)
    cells = {name: rows.column(name) for name in rows.column_names if name.startswith("x") or name == "label"}
    cells[PARENTS] = [[one] for one in rows.column(ROW_ID).to_pylist()]
    cells[TARGET] = rows.column(TARGET)
    made = Edit.synthesizing(
        pa.table(cells), np.zeros(20, dtype=np.intp), operator=Spec(room="editing", name="by_hand"), reason="twice"
    )
    train = apply(bench.train, made)
    assert trees.features_of(train, (made,)) is None
    predicted = trees.predict(trees.fit_edited(made), np.arange(50))
    alone = trees.learner.fit(trees.view(train, None), target_of(train, bench.schema))
    table = bench.table.slice(0, 50)
    np.testing.assert_array_equal(predicted, trees.learner.predict_proba(trees.view(table, None), alone))


def test_of_edited_rows_those_are_encoded_whose_cells_changed_or_that_were_added(bench):
    asked: list[list[str]] = []

    def reencode(table):
        asked.append(table.column(ROW_ID).to_pylist())
        return bench.reencode(table)

    spied = replace(bench, reencode=reencode, _memo={})
    ids = bench.train.column(ROW_ID).combine_chunks()
    said = {"operator": Spec(room="editing", name="by_hand"), "reason": "so it is"}
    moved = pa.table({ROW_ID: ids.take(pa.array([5, 9])), "value": pa.array([40.0, 50.0])})
    modified = Edit(verb=Verb.MODIFY, set={"x0": moved}, author="test", **said)
    rows = bench.train.slice(0, 3)
    cells = {name: rows.column(name) for name in rows.column_names if name.startswith("x") or name == "label"}
    cells |= {PARENTS: [[one] for one in rows.column(ROW_ID).to_pylist()], TARGET: rows.column(TARGET)}
    made = Edit.synthesizing(pa.table(cells), np.zeros(3, dtype=np.intp), **said)
    both = apply(apply(bench.train, edit(bench, "weigh")), modified)
    both = apply(both, made)
    found = spied.features_of(both, (edit(bench, "weigh"), modified, made))
    assert asked == [[*moved.column(ROW_ID).to_pylist(), *made.add.column(ROW_ID).to_pylist()]]
    np.testing.assert_array_equal(found, bench.reencode(both))
    nobody = bench.train.set_column(bench.train.column_names.index(ROW_ID), ROW_ID, pa.array(["nobody"] * len(ids)))
    with pytest.raises(ContractError, match="not in this version"):
        spied.features_of(nobody, ())
    asked.clear()
    spied.features_of(apply(bench.train, edit(bench, "soften")), (edit(bench, "soften"),))
    assert asked == []


def test_a_target_among_more_rows_keeps_its_rows():
    from tilth.core.target import Target

    soft = Target.soft(np.array([[0.2, 0.8], [1.0, 0.0]]), np.array([True, False]), np.array([2.0, 3.0]))
    wide = soft.among(5, np.array([1, 3]))
    assert wide.mask.tolist() == [False, True, False, False, False]
    assert wide.weights.tolist() == [0, 2, 0, 3, 0]
    assert wide.take(np.array([1, 3])).distribution.tolist() == soft.distribution.tolist()
    assert Target.values(np.array([7.0]), np.array([True])).among(2, np.array([1])).numbers.tolist() == [0, 7]
