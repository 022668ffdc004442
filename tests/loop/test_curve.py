"""The learning curve of a bench: inside train, the same for every order of rows, and the same as fits by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from loop_worlds import gaussian_world, schema_of, table_of, world_of

from tilth.core.errors import LabelError
from tilth.core.names import Split
from tilth.loop._curve_noise import drawn_noise, rows_noise
from tilth.loop.curve import bound_of, learning_curve_of
from tilth.loop.folds import folds_of

SPLITS = ["train"] * 300 + ["dev"] * 40 + ["test"] * 40


def numbers_world(seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(380, 3))
    y = x.sum(axis=1) + rng.normal(0, 0.5, 380)
    schema = schema_of(3, 0)
    return world_of(table_of(x, y, SPLITS, schema), schema, y)


def test_sizes_rise_to_all_rows_outside_a_fold():
    found = learning_curve_of(gaussian_world(n_train=400).bench)
    assert found.sizes[0] == 30
    assert found.sizes[-1] == 320
    assert len(found.sizes) == 6
    assert (np.diff(found.sizes) > 0).all()


def test_the_last_point_is_a_cross_validation_by_hand():
    world = gaussian_world(n_train=300, noise=0.1)
    bench, rows = world.bench, np.arange(300)
    folds, right = folds_of(bench, rows), np.zeros(300)
    for fold in range(5):
        inside, held = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        model = bench.fit(bench.train.take(pa.array(inside)), bench.train_features[inside])
        labels = bench.labels(bench.train)[0][held]
        right[held] = bench.predict(model, world.rows(Split.TRAIN)[held]).argmax(axis=1) == labels
    found = learning_curve_of(bench)
    assert found.scores[-1] == pytest.approx(right.mean())
    assert np.sqrt(found.covariance[-1, -1]) == pytest.approx(right.std() / np.sqrt(300), rel=0.4)


def test_dev_and_test_are_not_read():
    world = gaussian_world(n_train=200, n_dev=60, n_test=60)
    table = world.bench.table
    judged = world.bench.table.column("label").to_pylist()
    judged[200:] = ["no"] * 120
    other = table.set_column(table.column_names.index("label"), "label", pa.array(judged))
    one, two = learning_curve_of(world.bench), learning_curve_of(replace(world.bench, table=other, _memo={}))
    assert np.array_equal(one.scores, two.scores)


def test_the_order_of_rows_does_not_matter():
    world = gaussian_world(n_train=240, noise=0.2)
    order = np.random.default_rng(0).permutation(world.bench.table.num_rows)
    turned = replace(
        world.bench, table=world.bench.table.take(pa.array(order)), features=world.bench.features[order], _memo={}
    )
    one, two = learning_curve_of(world.bench), learning_curve_of(turned)
    assert one.scores == pytest.approx(two.scores, abs=1e-12)
    assert one.covariance == pytest.approx(two.covariance)
    assert [b.value for b in bound_of(world.bench)] == [b.value for b in bound_of(turned)]


def test_another_seed_draws_other_parts():
    world = gaussian_world(n_train=240, noise=0.2)
    one, two = learning_curve_of(world.bench), learning_curve_of(replace(world.bench, seed=9, _memo={}))
    assert not np.array_equal(one.scores, two.scores)


def test_groups_come_whole():
    """Rows of a group share their label and a noise: a part of whole groups is worth less than as many rows from all groups."""
    rng = np.random.default_rng(5)
    codes = np.repeat(np.arange(40), 10)
    truth = (np.arange(40) % 2)[codes]
    x = (rng.normal(size=(40, 12)) * 1.5)[codes] + 0.1 * rng.normal(size=(400, 12)) + truth[:, None] * 0.8
    schema = schema_of(12, 2)
    bench = world_of(table_of(x, truth, ["train"] * 400, schema), schema, truth).bench
    alone, grouped = learning_curve_of(bench), learning_curve_of(replace(bench, groups=codes, _memo={}))
    assert grouped.scores[-1] < alone.scores[-1], "rows of one group do not judge one another"
    assert grouped.covariance[-1, -1] > 3 * alone.covariance[-1, -1], "forty groups know less than four hundred rows"


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy"])
def test_stratified_scores_are_means_over_classes(metric):
    rng = np.random.default_rng(2)
    labels = (rng.random(600) < 0.2).astype(int)
    x = rng.normal(size=(600, 4)) + labels[:, None] * np.array([0.8, 0, 0, 0])
    schema = schema_of(4, 2, metric)
    bench = world_of(table_of(x, labels, ["train"] * 600, schema), schema, labels).bench
    last = learning_curve_of(bench).scores[-1]
    assert last < 0.7 if metric == "balanced_accuracy" else last > 0.7
    bound = bound_of(bench)[0]
    n = 4 * min((labels == 0).sum(), (labels == 1).sum()) * 2 // 5
    assert (bound.sizes[-1] <= n) == (metric == "balanced_accuracy"), "as many rows of each class"


def test_numbers_have_a_curve_and_a_bound():
    world = numbers_world()
    found, bound = learning_curve_of(world.bench), bound_of(world.bench)[0]
    assert found.best == 0.0
    assert (found.scores < 0).all()
    assert found.curve.gain(600).low <= found.curve.gain(600).high
    assert -0.8 < bound.value.value < -0.3, "the noise has a mean absolute error of 0.4"


def test_the_encoding_that_tells_classes_apart_comes_first():
    world = gaussian_world(n_train=400, d=6, shift=1.5)
    found = bound_of(world.bench, {"useless": slice(3, 6), "useful": slice(0, 2), "all": slice(None)})
    assert found[0].encoding == "useful"
    assert found[-1].encoding == "useless"
    assert len(found[0].scores) == len(found[0].sizes) == 6


def test_a_curve_of_easy_classes_is_flat_and_of_hard_ones_rises():
    easy = learning_curve_of(gaussian_world(n_train=400, shift=3.0).bench).curve.gain(800)
    hard = learning_curve_of(gaussian_world(n_train=400, d=30, shift=0.8).bench).curve.gain(800)
    assert easy.value < 0.01 < hard.value


@pytest.mark.parametrize("deviation", [0.0, 0.1])
def test_noise_of_the_draw_is_told_from_that_of_rows(deviation):
    """Rows are right by a chance that the draw of a fold moves: by `deviation` at 100 rows, by half of it at 400."""
    rng = np.random.default_rng(4)
    sizes, folds, together = np.array([100, 200, 400]), np.repeat(np.arange(5), 300), np.arange(1500)
    kinds, weights = np.tile([0, 1, 1], 500), np.full(1500, 1 / 1500)
    found = []
    for _ in range(60):
        moved = rng.normal(size=5)[folds] * deviation * np.sqrt(100 / sizes)[:, None]
        right = rng.random((3, 1500)) < np.clip(0.6 + 0.2 * kinds + moved, 0, 1)
        found.append(drawn_noise(right.astype(float), weights, kinds, folds, together, sizes))
    true = deviation**2 / 5
    assert np.mean(found) / 100 == pytest.approx(true, rel=0.35, abs=1e-4)


def test_rows_noise_by_hand():
    scores = np.array([[1.0, 0.0, 1.0, 1.0], [1.0, 1.0, 1.0, 0.0]])
    found = rows_noise(scores, np.full(4, 0.25), np.zeros(4, dtype=int), np.arange(4), 1.0)
    one = np.array([0.25, -0.75, 0.25, 0.25]) / 4
    two = np.array([0.25, 0.25, 0.25, -0.75]) / 4
    assert found == pytest.approx(np.array([[one @ one, one @ two], [one @ two, two @ two]]) + np.eye(2) / 16)


def test_progress_is_told():
    told = []
    learning_curve_of(
        gaussian_world(n_train=200).bench, lambda stage, detail="", done=0, total=0: told.append((done, total))
    )
    assert told == [(number, 30) for number in range(30)]


def test_too_few_rows_are_refused():
    with pytest.raises(LabelError, match="label about 150 train rows"):
        learning_curve_of(gaussian_world(n_train=100).bench)
    with pytest.raises(LabelError, match="no train row has a label"):
        learning_curve_of(gaussian_world(n_train=0, n_dev=50).bench)
