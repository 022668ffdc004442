"""Copies: dev rows that a removal takes out of the model's memory do not judge it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from loop_worlds import arena_of, candidate, gaussian_world, lying, schema_of, table_of, told, world_of

from tilth.core.edit import Edit
from tilth.core.names import Split
from tilth.loop.copies import memorised
from tilth.loop.trying import try_all


@pytest.fixture(scope="module")
def leaky():
    """120 train rows, of which the last 40 are copies of the first 40 of 200 dev rows; row 119 twice in dev."""
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 2, 380)
    x = rng.normal(size=(380, 30)) + 0.5 * truth[:, None] * np.eye(1, 30)
    x[80:120], truth[80:120] = x[120:160], truth[120:160]
    x[300] = x[119]
    splits = np.repeat(["train", "dev", "test"], [120, 200, 60])
    schema = schema_of(30, 2, "accuracy")
    return world_of(table_of(x, truth, splits, schema), schema, truth)


def leaks_in(world):
    return {world.ids[80 + i]: world.ids[120 + i] for i in range(40)}


def removal(world):
    def rule(view, rows):
        rows = np.arange(80, 120) if rows is None else rows
        return Edit.removing(view.take_ids(rows), operator=view.spec, reason="copies")

    return candidate(world, lying("remove", rule))


def test_which_rows_do_not_judge(leaky):
    judged = leaky.bench.judged(Split.DEV)
    out = memorised(leaky.bench, judged, leaks_in(leaky), removal(leaky).edit)
    assert np.flatnonzero(out).tolist() == [*range(40), 180]


def test_an_edit_that_removes_no_leak_is_judged_by_all(leaky):
    arena = replace(arena_of(leaky), leaks=leaks_in(leaky))
    edit = Edit.removing(pa.array(leaky.ids[:20].tolist()), operator=removal(leaky).edit.operator, reason="others")
    assert arena.judging(edit) is arena


def test_the_gain_is_that_of_the_other_rows(leaky):
    plain = arena_of(leaky)
    (over_all,) = try_all(plain, [removal(leaky)], told)
    (fair,) = try_all(replace(plain, leaks=leaks_in(leaky)), [removal(leaky)], told)
    bench, rows = leaky.bench, np.setdiff1d(np.arange(120, 320), [*range(120, 160), 300])
    models = [bench.baseline, bench.fit_edited(fair.edit)]
    before, after = (bench.decisions(bench.predict(model, rows)) == leaky.truth[rows] for model in models)
    assert fair.trial.gain.value == pytest.approx(after.mean() - before.mean())
    assert "41 dev rows that copy removed rows do not judge" in fair.trial.judge
    assert over_all.trial.gain.value < fair.trial.gain.value  # forgetting copies looks like harm


def test_a_dev_split_of_copies_alone_still_judges():
    world = gaussian_world(n_train=60, n_dev=40)
    arena = replace(arena_of(world), leaks={world.ids[i]: world.ids[60 + i] for i in range(40)})
    edit = Edit.removing(pa.array(world.ids[:40].tolist()), operator=removal_spec(world), reason="copies")
    assert arena.judging(edit) is arena


def removal_spec(world):
    def rule(view, rows):
        return Edit.removing(view.take_ids(np.arange(3)), operator=view.spec, reason="some")

    return candidate(world, lying("some", rule)).edit.operator
