"""Slopes of learning curves: what half of the rows is, and what a trial of made rows says of the curve before and after."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loop_worlds import arena_of, candidate, gaussian_world, lying, relabelling, told

from tilth.core.edit import Edit
from tilth.core.errors import TilthError
from tilth.core.names import PARENTS, ROW_ID, TARGET
from tilth.core.target import Target
from tilth.core.trial import Trial, Verdict
from tilth.editing.synthesize_steepest import SynthesizeSteepest
from tilth.loop import trying
from tilth.loop.halves import half_of
from tilth.loop.quarantine import Quarantine
from tilth.loop.slopes import makes_rows
from tilth.loop.trying import try_all

SHIFT = 0.8


def rows_with(parents):
    ids = [f"r{i}" for i in range(len(parents))]
    return pa.table({ROW_ID: ids, PARENTS: pa.array(parents, pa.list_(pa.string()))})


def target_of(labels):
    labels = np.asarray(labels)
    return Target.classes(labels, np.ones(len(labels), dtype=bool), int(labels.max()) + 1)


def test_half_of_each_class():
    labels = np.repeat([0, 1, 2], [40, 20, 10])
    chosen = half_of(rows_with([None] * 70), target_of(labels))
    assert np.bincount(labels[chosen]).tolist() == [20, 10, 5]


def test_groups_stand_together_and_the_order_of_rows_does_not_matter():
    labels, groups = np.arange(60) % 2, np.arange(60) // 3
    table = rows_with([None] * 60)
    chosen = half_of(table, target_of(labels), groups=groups)
    assert all(len(set(chosen[groups == g])) == 1 for g in range(20))
    turned = np.arange(60)[::-1]
    other = half_of(table.take(pa.array(turned)), target_of(labels[turned]), groups=groups[turned])
    assert np.array_equal(other[::-1], chosen)


@given(st.integers(0, 5), st.integers(1, 12))
def test_made_rows_follow_their_parents_and_choose_nothing(seed, n_made):
    rng = np.random.default_rng([seed, n_made])
    n = 20
    made = [[f"r{a}", f"r{b}"] for a, b in rng.integers(0, n, (n_made, 2))]
    late = [[f"r{n}"]]  # made of a made row
    labels = np.arange(n + n_made + 1) % 2
    plain = half_of(rows_with([None] * n), target_of(labels[:n]), seed=seed)
    chosen = half_of(rows_with([None] * n + made + late), target_of(labels), seed=seed)
    assert np.array_equal(chosen[:n], plain)
    there = {f"r{i}" for i in np.flatnonzero(plain)}
    assert chosen[n:-1].tolist() == [set(mine) <= there for mine in made]
    assert chosen[-1] == chosen[n]


@pytest.fixture(scope="module")
def world():
    return gaussian_world(n_train=120, n_dev=300, n_test=20, d=8, shift=SHIFT, seed=1)


def tried(world, editor):
    (found,) = try_all(arena_of(world), [candidate(world, editor)], told)
    return found.trial


def test_a_trial_of_made_rows_says_how_steep_the_curve_is(world):
    trial = tried(world, SynthesizeSteepest())
    assert trial.slopes is not None
    for one in (trial.slopes.before, trial.slopes.after):
        assert one.low < one.value < one.high
        assert -0.3 < one.value < 0.3
    again = tried(world, SynthesizeSteepest())
    assert again.slopes == trial.slopes


def test_the_slope_before_is_that_of_the_models_of_all_and_half_of_the_rows(world):
    bench, trial = world.bench, tried(world, SynthesizeSteepest())
    judged = arena_of(world).judged
    labels = bench.labels(bench.train)[0].astype(int)
    target = Target.classes(labels, np.ones(len(labels), dtype=bool), 2)
    half = bench.fit_train(bench.train.filter(pa.array(half_of(bench.train, target, seed=bench.seed))))
    scores = [bench.scores(bench.predict(model, judged.positions), judged) for model in (bench.baseline, half)]
    assert trial.slopes.before.value == pytest.approx(float((scores[0] - scores[1]).mean()))


def drawing(times, seed=5):
    """An editor that knows where rows come from, and draws `times` new ones for each row as if it had varied it."""

    def rule(view, rows):
        rng = np.random.default_rng(seed)
        parents = np.tile(np.arange(len(view)) if rows is None else rows, times)
        labels = view.labels[parents].astype(int)
        d = len(view.schema.features)
        x = rng.normal(size=(len(parents), d)) + 2 * SHIFT * np.eye(2, d)[labels]
        cells = {f"x{j}": x[:, j] for j in range(d)}
        cells["label"] = np.asarray(view.classes)[labels]
        cells[PARENTS] = [[one] for one in view.take_ids(parents).to_pylist()]
        cells[TARGET] = pa.nulls(len(parents), pa.list_(pa.float32(), 2))
        draws = np.repeat(np.arange(times), len(parents) // times)
        return Edit.synthesizing(pa.table(cells), draws, operator=view.spec, reason="drawn anew")

    return lying(f"draw {times}", rule, seed)


def test_rows_that_were_missing_flatten_the_curve():
    """On 30 rows of 20 columns a doubling brings much; once there are 40 new rows for each, half of them know as much as all."""
    world = gaussian_world(n_train=30, n_dev=4_000, n_test=20, d=20, shift=SHIFT, seed=3)
    slopes = tried(world, drawing(40)).slopes
    assert slopes.before.low > 0.02
    assert abs(slopes.after.value) < 0.02
    assert slopes.after.high < slopes.before.low


def test_the_curve_without_edits_is_computed_once_for_all(world, monkeypatch):
    asked = []
    measure = trying.half_scores
    monkeypatch.setattr(trying, "half_scores", lambda arena, *edits: asked.append(len(edits)) or measure(arena, *edits))
    one, two = try_all(arena_of(world), [candidate(world, drawing(1)), candidate(world, drawing(2))], told)
    assert sorted(asked) == [0, 1, 1]
    assert one.trial.slopes.before == two.trial.slopes.before


def test_a_curve_that_cannot_be_measured_costs_no_trial(world, monkeypatch):
    def broken(arena, *edits):
        raise TilthError("half of the rows hold one class")

    monkeypatch.setattr(trying, "half_scores", broken)
    quarantine = Quarantine()
    (found,) = try_all(arena_of(world), [candidate(world, drawing(1))], told, quarantine)
    assert found.trial.slopes is None
    (failure,) = quarantine.failures
    assert failure.step.startswith("learning curve with")


def test_what_is_tried_again_on_top_of_others_still_says_how_steep_the_curve_was():
    world = gaussian_world(n_train=20, n_dev=6_000, n_test=20, d=20, shift=SHIFT, seed=3)
    found = try_all(arena_of(world), [candidate(world, drawing(2)), candidate(world, drawing(1, seed=6))], told)
    kept = [one.trial for one in found if one.trial.verdict is Verdict.KEPT]
    assert any(trial.base for trial in kept)
    assert all(trial.slopes is not None for trial in kept)


def test_edits_that_make_no_rows_have_no_slopes(world):
    editor = lying("turn", lambda view, rows: relabelling(view, np.arange(10), 1 - view.labels[np.arange(10)]))
    assert tried(world, editor).slopes is None
    assert not makes_rows(candidate(world, editor).edit)


def test_slopes_are_kept_with_the_trial(world):
    trial = tried(world, SynthesizeSteepest())
    kept = json.loads(json.dumps(trial.to_dict()))
    assert Trial.from_dict(kept).slopes == trial.slopes
    del kept["slopes"]  # a trial of an earlier release
    assert Trial.from_dict(kept).slopes is None
