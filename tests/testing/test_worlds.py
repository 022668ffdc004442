"""Planted worlds: what they say of themselves is so."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc
import pytest

from tilth.core.ids import content_sums
from tilth.core.names import ROW_ID, SYSTEM_COLUMNS, Split
from tilth.testing.plants import PLANTED, busy_world, clean_worlds, copies, leaks, outliers, planted_worlds
from tilth.testing.views import given_labels
from tilth.testing.worlds import NUMBERS, classification_world, null_world, regression_world

LARGE = 20_000


def feature_matrix(world):
    return np.column_stack([np.asarray(world.table.column(name)) for name in NUMBERS])


@pytest.mark.parametrize("noise", ["uniform", "class", "feature"])
def test_labels_are_wrong_at_the_stated_rate(noise):
    world = classification_world(rows=LARGE, noise=noise, rate=0.15, seed=3)
    wrong = (given_labels(world) != world.truth) & world.labelled
    assert np.array_equal(wrong, world.faults["label_error"])
    assert wrong[world.labelled].mean() == pytest.approx(0.15, abs=0.01)


def test_noise_depends_on_what_it_says():
    side = {
        noise: classification_world(rows=LARGE, noise=noise, rate=0.1, seed=1)
        for noise in ("uniform", "class", "feature")
    }
    for noise, world in side.items():
        right = np.asarray(world.table.column("x3")) > 0
        wrong = world.faults["label_error"]
        by_feature = wrong[right & world.labelled].mean() - wrong[~right & world.labelled].mean()
        by_class = wrong[(world.truth == 0) & world.labelled].mean() - wrong[(world.truth == 2) & world.labelled].mean()
        assert (abs(by_feature) > 0.1) == (noise == "feature")
        assert (by_class > 0.1) == (noise == "class")


@pytest.mark.parametrize("noise", ["none", "uniform", "class", "feature"])
def test_predictions_are_exact_for_the_given_labels(noise):
    """Calibrated in every decile and class: among rows with p near 0.8, 80 % carry the label."""
    world = classification_world(rows=LARGE, noise=noise, rate=0.2, separation=1.5, seed=2)
    assert np.allclose(world.predicted.sum(axis=1), 1.0)
    given, known = given_labels(world), world.labelled
    for c in range(3):
        p, hit = world.predicted[known, c], given[known] == c
        for low in np.arange(0.05, 0.95, 0.15):
            inside = (p >= low) & (p < low + 0.15)
            if inside.sum() > 400:
                assert hit[inside].mean() == pytest.approx(p[inside].mean(), abs=4 * 0.5 / np.sqrt(inside.sum()))


def test_numbers_are_off_where_they_are_said_to_be():
    world = regression_world(rows=LARGE, noise="feature", rate=0.1, seed=4)
    off = np.abs(given_labels(world) - world.truth)[world.labelled]
    wrong = world.faults["label_error"][world.labelled]
    assert (off[~wrong] == 0).all()
    assert (off[wrong] >= 5).all()
    assert wrong.mean() == pytest.approx(0.1, abs=0.01)
    residual = (world.truth - world.predicted)[world.labelled]
    assert residual.std() == pytest.approx(0.5, abs=0.02)
    assert abs(residual.mean()) < 0.02


def test_the_null_world_says_nothing():
    world = null_world(rows=LARGE)
    assert np.allclose(world.predicted, 0.5)
    means = [feature_matrix(world)[world.truth == c].mean(axis=0) for c in (0, 1)]
    assert np.abs(means[0] - means[1]).max() < 0.05


def test_worlds_are_the_same_for_one_seed_and_others_for_another():
    for name, make in PLANTED.items():
        one, again, other = make(0), make(0), make(1)
        assert content_sums(one.table, ROW_ID) == content_sums(again.table, ROW_ID), name
        assert content_sums(one.table, ROW_ID) != content_sums(other.table, ROW_ID), name


def test_every_world_is_whole():
    for name, world in {**planted_worlds(), **clean_worlds(), "busy": busy_world()}.items():
        assert world.table.column_names[-len(SYSTEM_COLUMNS) - len(world.columns) :], name
        assert set(world.schema.names) | set(SYSTEM_COLUMNS) == set(world.table.column_names), name
        assert pc.count_distinct(world.table.column(ROW_ID)).as_py() == len(world), name
        assert len(world.truth) == len(world.predicted) == len(world.embeddings) == len(world), name
        assert not world.labelled[world.mask(Split.POOL)].any(), name
        assert all(len(mask) == len(world) and mask.any() for mask in world.faults.values()), name
        assert {str(split) for split in (Split.TRAIN, Split.DEV, Split.TEST, Split.POOL)} <= set(world.splits), name


def test_copies_are_equal_and_near_copies_nearly():
    world = classification_world()
    for jitter, least, most in ((0.0, 0.0, 0.0), (1e-3, 1e-5, 1e-2)):
        planted = copies(world, rows=20, jitter=jitter)
        originals = [name.rpartition("-")[0] for name in planted.ids.to_pylist()[len(world) :]]
        at = pc.index_in(planted.ids.slice(0, 0).from_pandas(originals), value_set=world.ids)
        gap = np.abs(feature_matrix(planted)[len(world) :] - feature_matrix(world)[np.asarray(at)]).max(axis=1)
        assert (gap >= least).all()
        assert (gap <= most).all()
        (mask,) = planted.faults.values()
        assert mask.sum() == 20
        assert mask[len(world) :].all()


def test_leaks_stand_in_train_and_their_originals_do_not():
    world = classification_world()
    planted = leaks(world, rows=20)
    added = planted.take(np.arange(len(world), len(planted)))
    assert set(added.splits) == {"train"}
    originals = {name.rpartition("-")[0] for name in added.ids.to_pylist()}
    judged = set(world.take(world.mask(Split.DEV, Split.TEST)).ids.to_pylist())
    assert originals <= judged


def test_outliers_are_far_and_the_embeddings_follow():
    planted = outliers(classification_world(), rows=5, distance=40.0)
    mask = planted.faults["outlier"]
    lengths = np.linalg.norm(feature_matrix(planted), axis=1)
    assert lengths[mask].min() > 30
    assert lengths[~mask].max() < 15
    assert np.allclose(planted.embeddings, feature_matrix(planted), atol=1e-4)


def test_rows_are_taken_in_any_order_with_all_that_belongs_to_them():
    world = busy_world()
    order = np.random.default_rng(0).permutation(len(world))
    shuffled = world.take(order)
    assert content_sums(shuffled.table, ROW_ID) == content_sums(world.table, ROW_ID)
    assert np.array_equal(shuffled.truth, world.truth[order])
    assert all(np.array_equal(shuffled.faults[kind], mask[order]) for kind, mask in world.faults.items())
    assert len(world.take([])) == 0
