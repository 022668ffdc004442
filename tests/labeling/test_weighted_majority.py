"""Weighted majority: one pass from the majority's shares, by hand and beside the majority."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.votes import Votes
from tilth.labeling._shared import Belief, ballots_of
from tilth.labeling._shared.em import Told, gathered
from tilth.labeling.majority import Majority, majority
from tilth.labeling.weighted_majority import WeightedMajority


def drawn(n=2_000, accuracies=(0.55, 0.6, 0.7, 0.9, 0.95), coverage=0.7, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(2, size=n)
    matrix = np.where(rng.random((n, len(accuracies))) < accuracies, truth[:, None], 1 - truth[:, None])
    matrix[rng.random(matrix.shape) > coverage] = -1
    return Votes.of_matrix(matrix, classes=("a", "b")), truth


def test_it_is_one_step_from_the_majority():
    votes, _ = drawn()
    labelling = WeightedMajority().fit(votes)
    heard = ballots_of(votes).take(votes.covered)
    once = Belief(accuracy=0.8, strength=50.0, by_class=10.0).update(
        gathered(Told(ballots=heard), majority(heard.shares))
    )
    assert labelling.parameters["saying"] == pytest.approx(once.saying)
    assert labelling.prior == pytest.approx(once.prior)


def test_good_labelers_weigh_more():
    votes, truth = drawn()
    answers = {}
    for model in (Majority(), WeightedMajority()):
        answers[type(model).__name__] = model.predict(votes, model.fit(votes))
    labelling = WeightedMajority().fit(votes)
    assert (np.diff(labelling.accuracy) > 0).all()
    right = {name: (answer.argmax(axis=1) == truth).mean() for name, answer in answers.items()}
    assert right["WeightedMajority"] > right["Majority"] + 0.02


def test_a_lone_vote_is_as_sure_as_its_kind_is_precise():
    matrix = np.concatenate([np.tile([1, 1, 1], (300, 1)), np.tile([0, 0, 1], (100, 1)), [[-1, -1, 1]]])
    votes = Votes.of_matrix(matrix, classes=("a", "b"))
    model = WeightedMajority()
    answer = model.predict(votes, model.fit(votes))[-1, 1]
    assert 0.6 < answer < 0.85
