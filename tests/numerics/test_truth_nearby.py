"""The truth by model, label and neighbours: by hand, by loops, planted noise of each kind, neighbours that tell nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilth.core.errors import InputError
from tilth.numerics.neighbours import Neighbours, k_nearest
from tilth.numerics.noise import truth_posterior
from tilth.numerics.truth_nearby import truth_nearby
from tilth.testing.views import evidence_of, rows_of
from tilth.testing.worlds import classification_world


def by_loops(probs, labels, transition, steps=3):
    """The posterior of the truth, row by row and class by class."""
    classes = range(len(transition))
    found = []
    for p, y in zip(probs.tolist(), labels.tolist(), strict=True):
        q = list(p)
        for _ in range(steps):
            mixed = [sum(q[c] * transition[c][g] for c in classes) for g in classes]
            q = [q[c] * sum(transition[c][g] * p[g] / mixed[g] for g in classes) for c in classes]
        weights = [q[c] * transition[c][y] for c in classes]
        found.append([weight / sum(weights) for weight in weights])
    return np.array(found)


def opinions(values, near, say):
    """Each row's weighted mean over its neighbours, by loops."""
    rows = zip(near.positions.tolist(), say.tolist(), strict=True)
    return np.array([sum(w * values[j] for j, w in zip(at, ws, strict=True)) / sum(ws) for at, ws in rows])


def transition_by_loops(labels, probs):
    """Shares of the labels among the rows that the model takes for each class, a twentieth spread over the labels given."""
    k = probs.shape[1]
    counts = np.zeros((k, k))
    for row, label in enumerate(labels):
        counts[probs[row].argmax(), label] += 1
    shares = [counts[c] / counts[c].sum() if counts[c].sum() else np.eye(k)[c] for c in range(k)]
    given = np.isin(np.arange(k), labels)
    return 0.95 * np.array(shares) + 0.05 * given / given.sum()


def random_case(seed, n=40, k=3):
    rng = np.random.default_rng(seed)
    near = k_nearest(rng.normal(size=(n, 2)), 5, metric="euclidean", exclude_self=True)
    return rng.integers(k, size=n), rng.dirichlet(np.ones(k), n), near, rng


def test_one_row_by_hand():
    # Rows 0 to 2 are taken for class 0 and bear 0, 0, 1; row 3 for class 1 and bears 1, as a fifth row does.
    # T = .95 [[2/3, 1/3], [0, 1]] + .025 = [[.65833, .34167], [.025, .975]]
    labels = np.array([0, 0, 1, 1, 1])
    probs = np.array([[0.7, 0.3], [0.7, 0.3], [0.7, 0.3], [0.1, 0.9], [0.1, 0.9]])
    silent = Neighbours(np.zeros((5, 1), dtype=np.intp), np.zeros((5, 1)))
    truth = truth_nearby(labels, probs, silent, np.zeros((5, 1)))
    # p = (.7, .3): qT = (.46833, .53167), p / qT = (1.49466, .56426), q_0 = .7 (.65833 · 1.49466 + .34167 · .56426) = .82375
    #   qT = (.54671, .45329), p / qT = (1.28039, .66182), q_0 = .88063; qT = (.58274, .41726), (1.20123, .71898), q_0 = .91273
    # label 1: .91273 · .34167 against .08727 · .975
    assert truth[2, 0] == pytest.approx(0.91273 * 0.34167 / (0.91273 * 0.34167 + 0.08727 * 0.975), abs=1e-4)


def test_every_step_equals_loops():
    labels, probs, near, rng = random_case(3)
    say = (rng.random((40, 5)) < 0.7) * 1.0
    say[:, 0] = 1.0
    transition = transition_by_loops(labels, probs)
    truth = by_loops(probs, labels, transition)
    alone = truth / transition.T[labels]
    alone /= alone.sum(axis=1, keepdims=True)
    for _ in range(2):
        said = opinions(truth, near, say)
        fits = [(mean * transition.T[labels]).sum(axis=1) for mean in (alone, said)]
        share = 0.5
        for _ in range(10):
            share = np.mean([share * b / ((1 - share) * a + share * b) for a, b in zip(*fits, strict=True)])
        truth = by_loops((1 - share) * alone + share * said, labels, transition, steps=0)
    assert truth_nearby(labels, probs, near, say) == pytest.approx(truth)


def test_neighbours_without_a_say_leave_the_model_alone():
    labels, probs, near, _ = random_case(4)
    alone = by_loops(probs, labels, transition_by_loops(labels, probs))
    assert truth_nearby(labels, probs, near, np.zeros((40, 5))) == pytest.approx(alone)
    nobody = Neighbours(np.zeros((40, 0), dtype=np.intp), np.zeros((40, 0)))
    assert truth_nearby(labels, probs, nobody) == pytest.approx(alone)


@given(st.integers(0, 10_000), st.integers(1, 5))
def test_a_distribution_that_follows_rows_and_classes(seed, k):
    labels, probs, near, rng = random_case(seed, k=k)
    result = truth_nearby(labels, probs, near)
    assert result.sum(axis=1) == pytest.approx(np.ones(40))
    assert (result >= 0).all()
    rows, classes = rng.permutation(40), rng.permutation(k)
    moved = Neighbours(np.argsort(rows)[near.positions[rows]], near.distances[rows])
    renamed = truth_nearby(np.argsort(classes)[labels][rows], probs[rows][:, classes], moved)
    assert renamed == pytest.approx(result[rows][:, classes])


def test_a_class_without_rows_changes_nothing_and_one_of_one_row_keeps_its_label():
    labels, probs, near, _ = random_case(6, k=2)
    wide = np.column_stack([probs, np.zeros(40)])
    assert truth_nearby(labels, wide, near)[:, :2] == pytest.approx(truth_nearby(labels, probs, near))
    labels[7] = 2
    assert truth_nearby(labels, wide, near)[7].tolist() == [0, 0, 1]


def brier(truth, labels, wrong):
    return float(((1 - truth[np.arange(len(labels)), labels] - wrong) ** 2).mean())


def world_of(noise, seed):
    """Labels, exact predictions, neighbours and wrong rows of a world's train split."""
    world = classification_world(noise=noise, seed=seed)
    rows = rows_of(world, "train")
    seen = evidence_of(world.take(rows), "train")
    return seen["labels"], seen["pred_probs"], seen["neighbours"], seen["labels"] != world.truth[rows]


@pytest.mark.parametrize("noise", ["uniform", "class", "feature"])
def test_wrong_labels_of_each_kind_are_found(noise):
    for seed in range(4):
        labels, probs, near, wrong = world_of(noise, seed)
        truth = truth_nearby(labels, probs, near)
        flagged = truth[np.arange(len(labels)), labels] < 0.5
        assert flagged[wrong].mean() > 0.6
        assert wrong[flagged].mean() > 0.9
        assert brier(truth, labels, wrong) < brier(truth_posterior(labels, probs), labels, wrong)


def test_hardly_a_clean_label_is_doubted():
    for seed in range(4):
        labels, probs, near, _ = world_of("none", seed)
        doubt = 1 - truth_nearby(labels, probs, near)[np.arange(len(labels)), labels]
        assert (doubt > 0.5).mean() < 0.01


@pytest.mark.parametrize("seed", range(3))
def test_neighbours_that_tell_nothing_do_little_harm(seed):
    labels, probs, near, wrong = world_of("uniform", seed)
    rng = np.random.default_rng(seed)
    anybody = Neighbours(rng.integers(len(labels), size=near.positions.shape), near.distances)
    told = [brier(truth_nearby(labels, probs, who), labels, wrong) for who in (near, anybody)]
    assert told[1] < told[0] + 0.005


def test_what_does_not_fit_is_refused_and_inputs_are_only_read():
    labels, probs, near, _ = random_case(8)
    for array in (labels, probs, near.positions, near.distances):
        array.flags.writeable = False
    truth_nearby(labels, probs, near)
    with pytest.raises(InputError, match="class numbers from 0 to 2"):
        truth_nearby(np.full(40, 3), probs, near)
    with pytest.raises(InputError, match="40 rows have neighbours"):
        truth_nearby(labels, probs, near, np.ones((40, 4)))
    with pytest.raises(InputError, match="one row of classes"):
        truth_nearby(labels, probs[:, 0], near)
