"""Guards: slices that no edit may harm, on paper."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from loop_worlds import gaussian_world, schema_of, table_of, world_of

from tilth.core.estimate import Estimate
from tilth.core.names import Split
from tilth.core.schema import Column, ColumnType, Role, Visibility
from tilth.core.trial import Guard
from tilth.loop.guards import GuardedSlice, Standing, check_guards, guarded_slices, worse_guards


@pytest.fixture(scope="module")
def bench():
    return gaussian_world(n_train=20, n_dev=400, n_test=0).bench


def standing(scores):
    return Standing(scores=np.asarray(scores, dtype=float), decided=np.zeros(len(scores)))


def checked(bench, falls, *, rows=200, n=400):
    """One slice of `rows` rows of which `falls` turn from right to wrong."""
    judged = bench.judged(Split.DEV)
    before, after = np.ones(n), np.ones(n)
    after[:falls] = 0
    inside = np.arange(n) < rows
    return check_guards(bench, judged, [GuardedSlice(name="s", rows=inside)], standing(before), standing(after))[0]


def test_a_large_slice_may_fall_by_two_points_and_no_more(bench):
    # 4 of 200 rows: .02; p = 1/16, not significant
    at_limit, beyond = checked(bench, 4), checked(bench, 5)
    assert at_limit.change.value == pytest.approx(-0.02)
    assert at_limit.p_worse == pytest.approx(1 / 16)
    assert not at_limit.violated
    assert beyond.violated


def test_a_small_slice_is_guarded_by_significance_alone(bench):
    # 4 of 50 rows fall by 8 points: p = 1/16; 5 of 50: p = 1/32
    assert not checked(bench, 4, rows=50).violated
    assert checked(bench, 5, rows=50).violated
    assert checked(bench, 3, rows=99).violated is False
    assert checked(bench, 3, rows=100).violated


def test_holm_over_slices(bench):
    judged = bench.judged(Split.DEV)
    before, after = np.ones(400), np.ones(400)
    after[:5] = 0  # p = 1/32 in the first slice alone; times 3 it is .094
    slices = [GuardedSlice(name=f"s{i}", rows=(np.arange(400) // 50) == i) for i in range(3)]
    guards = check_guards(bench, judged, slices, standing(before), standing(after))
    assert [round(guard.p_worse, 4) for guard in guards] == [0.0938, 1.0, 1.0]
    assert not any(guard.violated for guard in guards)


def test_a_slice_that_gains_is_not_violated(bench):
    judged = bench.judged(Split.DEV)
    every = [GuardedSlice(name="s", rows=np.ones(400, dtype=bool))]
    guards = check_guards(bench, judged, every, standing(np.zeros(400)), standing(np.ones(400)))
    assert guards[0].change.value == 1.0
    assert not guards[0].violated


def classes_after(bench, *, no_lost, yes_found):
    """Guards of both classes: a model that calls nearly all rows `no` comes to find more of `yes`, and loses some of `no`."""
    judged = bench.judged(Split.DEV)
    truth = judged.labels
    before = np.where((truth == 1) & (np.cumsum(truth == 1) <= 40), 1, 0)
    after = before.copy()
    after[np.flatnonzero((truth == 1) & (before == 0))[:yes_found]] = 1
    after[np.flatnonzero((truth == 0) & (before == 0))[:no_lost]] = 1
    then, now = (Standing(scores=(said == truth).astype(float), decided=said) for said in (before, after))
    return check_guards(bench, judged, guarded_slices(bench, judged, pa.table({})), then, now)


def test_a_class_that_gives_back_what_was_never_its_own_is_not_harmed(bench):
    # of about 200 rows `no` loses 10, five points of its recall, and all that it loses otherwise belonged to `yes`
    no, yes = classes_after(bench, no_lost=10, yes_found=120)
    assert no.slice == "F1 of label = no"
    assert no.change.value > 0.1
    assert yes.change.value > 0.3
    assert not (no.violated or yes.violated)


def test_a_class_that_is_found_less_is_harmed(bench):
    no, yes = classes_after(bench, no_lost=60, yes_found=0)
    assert no.violated
    assert no.change.value < -0.02
    assert no.rows == int((bench.judged(Split.DEV).labels == 0).sum())
    assert yes.violated


def test_no_slices_no_guards(bench):
    assert check_guards(bench, bench.judged(Split.DEV), [], standing(np.ones(400)), standing(np.zeros(400))) == ()


def test_rare_classes_and_values_are_left_out_and_missing_values_are_a_slice():
    n = 80
    labels = np.r_[np.zeros(2), np.ones(19), np.zeros(59)]
    schema = schema_of(1, 2)
    table = table_of(np.zeros((n, 1)), labels, ["train"] * 2 + ["dev"] * 78, schema)
    world = world_of(table, schema, labels.astype(int))
    where = pa.table({"place": pa.array(["a"] * 2 + ["a"] * 19 + ["b"] * 20 + [None] * 39)})
    slices = guarded_slices(world.bench, world.bench.judged(Split.DEV), where)
    assert {one.name: int(one.rows.sum()) for one in slices} == {
        "F1 of label = no": 59,
        "place = b": 20,
        "place = None": 39,
    }


@pytest.mark.parametrize("visibility", ["hidden", "aggregate"])
def test_values_of_a_column_that_is_not_shown_are_guarded_without_their_names(visibility):
    n, schema = 110, schema_of(1, 2)
    private = Column(name="place", type=ColumnType.CATEGORY, role=Role.IGNORE, visibility=Visibility(visibility))
    schema = replace(schema, columns=(*schema.columns, private))
    place = pa.array(["SECRETa"] * 20 + ["SECRETb"] * 41 + [None] * 30 + ["SECRETc"] * 19)
    labels = np.zeros(n)
    world = world_of(
        table_of(np.zeros((n, 1)), labels, ["dev"] * n, schema_of(1, 2)), schema_of(1, 2), labels.astype(int)
    )
    bench = replace(world.bench, schema=schema)
    slices = guarded_slices(bench, bench.judged(Split.DEV), pa.table({"place": place}))
    assert {one.name: int(one.rows.sum()) for one in slices} == {
        "F1 of label = no": 110,
        "place = (hidden) 1": 41,
        "place = (hidden) 2": 30,
        "place = (hidden) 3": 20,
    }


def test_a_number_falls_by_two_points_if_its_error_grows_by_two_percent():
    n = 200
    schema = schema_of(1, 0)
    rng = np.random.default_rng(0)
    table = table_of(rng.normal(size=(n, 1)), rng.normal(size=n), ["train"] * 50 + ["dev"] * 150, schema)
    bench = world_of(table, schema, np.zeros(n)).bench
    judged = bench.judged(Split.DEV)
    every = [GuardedSlice(name="all", rows=np.ones(150, dtype=bool))]
    before = np.where(np.arange(150) % 2, -5.0, -15.0)  # mean absolute error 10: two points are .2
    jitter = np.where(np.arange(150) % 4 < 2, 4.0, -4.0)[:150]
    jitter -= jitter.mean()
    fine, bad = (
        check_guards(bench, judged, every, standing(before), standing(before + jitter - fall))[0]
        for fall in (0.19, 0.21)
    )
    assert not fine.violated
    assert bad.violated


def test_of_two_changes_the_worse_one_guards():
    def one(change, violated):
        estimate = Estimate(value=change, low=change, high=change, standard_error=0.0)
        return Guard(slice="s", rows=100, change=estimate, p_worse=1.0, violated=violated)

    assert worse_guards([one(-0.01, False)], [one(-0.02, False)])[0].change.value == -0.02
    assert worse_guards([one(-0.01, True)], [one(-0.02, False)])[0].violated
