"""Triplets: skills by hand, planted accuracies and shares in closed form, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import NotApplicable
from tilth.core.labelling import Known
from tilth.core.votes import Votes
from tilth.labeling.majority import Majority
from tilth.labeling.triplets import Triplets, skills


def drawn(n, accuracies, k=2, prior=None, coverage=0.6, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.choice(k, size=n, p=prior)
    wrong = (truth[:, None] + rng.integers(1, k, size=(n, len(accuracies)))) % k
    matrix = np.where(rng.random((n, len(accuracies))) < accuracies, truth[:, None], wrong)
    matrix[rng.random(matrix.shape) > coverage] = -1
    return Votes.of_matrix(matrix, classes=tuple(f"c{c}" for c in range(k))), truth


def test_skills_by_hand():
    agreement = np.array([[1.0, 0.42, 0.35], [0.42, 1.0, 0.30], [0.35, 0.30, 1.0]])
    assert skills(agreement, np.full((3, 3), 50.0)) == pytest.approx([0.7, 0.6, 0.5])


def test_pairs_that_share_few_rows_are_not_used():
    shared = np.full((3, 3), 50.0)
    shared[0, 1] = shared[1, 0] = 9
    assert np.isnan(skills(np.full((3, 3), 0.25), shared)).all()


def test_one_bad_pair_does_not_move_the_median():
    true = np.array([0.8, 0.7, 0.6, 0.5, 0.65, 0.75])
    agreement = np.outer(true, true)
    agreement[0, 1] = agreement[1, 0] = 1.0
    assert skills(agreement, np.full((6, 6), 99.0))[2:] == pytest.approx(true[2:], abs=0.06)


@pytest.mark.parametrize(("k", "prior"), [(2, [0.7, 0.3]), (4, [0.4, 0.3, 0.2, 0.1])])
def test_planted_accuracies_and_shares_are_found(k, prior):
    accuracies = np.array([0.55, 0.6, 0.7, 0.8, 0.85, 0.9])
    votes, truth = drawn(8_000, accuracies, k=k, prior=prior)
    labelling = Triplets().fit(votes)
    assert labelling.prior == pytest.approx(prior, abs=0.03)
    right = labelling.parameters["saying"][:, 0, 0]
    assert right == pytest.approx(accuracies, abs=0.04)
    answer = Triplets().predict(votes, labelling)
    plain = Majority().predict(votes, Majority().fit(votes))
    heard = votes.covered
    scores = [-np.log(each[np.arange(len(truth)), truth])[heard].mean() for each in (answer, plain)]
    assert scores[0] < scores[1] - 0.05


def test_too_few_partners_are_refused():
    votes, _ = drawn(200, [0.8, 0.8])
    with pytest.raises(NotApplicable, match="no three labelers"):
        Triplets().fit(votes)
    one_sided = Votes.of_matrix(np.tile([0, 1, 0, 1], (50, 1)), classes=("a", "b"))
    with pytest.raises(NotApplicable, match="no three labelers"):
        Triplets().fit(one_sided)


def test_a_known_prior_is_held():
    votes, _ = drawn(500, [0.7, 0.8, 0.9])
    assert Triplets().fit(votes, Known(prior=np.array([0.2, 0.8]))).prior == pytest.approx([0.2, 0.8])


def test_more_labelers_than_can_be_looked_at_two_by_two_are_refused(monkeypatch):
    monkeypatch.setattr("tilth.labeling.triplets.MOST_LABELERS", 4)
    with pytest.raises(NotApplicable, match="two by two"):
        Triplets().fit(drawn(300, [0.7] * 5)[0])
