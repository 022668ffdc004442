"""Majority: shares of votes by hand, ties, silence, and how often others agree."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import NotApplicable
from tilth.core.labelling import Known
from tilth.core.votes import Votes
from tilth.labeling.majority import Majority, majority

CLASSES = ("no", "yes")


def votes_of(*rows):
    return Votes.of_matrix(np.array(rows), classes=CLASSES)


def test_shares_by_hand():
    assert majority(np.array([[3.0, 0.0], [1.0, 1.0]]), pseudo_votes=0.0).tolist() == [[1.0, 0.0], [0.5, 0.5]]
    assert majority(np.array([[3.0, 0.0, 0.0]]))[0] == pytest.approx([(3 + 1 / 3) / 4, 1 / 12, 1 / 12])
    assert majority(np.zeros((1, 2)), pseudo_votes=0.0).tolist() == [[0.5, 0.5]]


def test_ties_stay_ties_and_silence_gets_the_prior():
    votes = votes_of([0, 1, -1], [1, 1, 1], [-1, -1, -1])
    model = Majority()
    labelling = model.fit(votes)
    answer = model.predict(votes, labelling)
    assert answer[0].tolist() == [0.5, 0.5]
    assert answer[1] == pytest.approx([0.125, 0.875])
    assert labelling.prior == pytest.approx([(0.5 + 0.125) / 2, (0.5 + 0.875) / 2])
    assert answer[2] == pytest.approx(labelling.prior)


def test_accuracy_is_the_mean_probability_of_what_is_said():
    votes = votes_of([0, 0, 0], [0, 0, 1], [1, 1, 1], [1, -1, -1])
    labelling = Majority().fit(votes)
    alike, two_to_one = 3.5 / 4, 2.5 / 4
    assert labelling.accuracy == pytest.approx(
        [(2 * alike + two_to_one + 0.75) / 4, (2 * alike + two_to_one) / 3, (2 * alike + 1 - two_to_one) / 3]
    )
    assert labelling.coverage == pytest.approx([1.0, 0.75, 0.75])
    assert (labelling.interval[:, 1] - labelling.interval[:, 0] > 0.4).all()


def test_two_answers_of_one_labeler_count_as_one():
    votes = Votes(
        row_ids=votes_of([0, 1]).row_ids,
        labelers=("a", "b"),
        classes=CLASSES,
        rows=np.array([0, 0, 0]),
        sources=np.array([0, 0, 1]),
        said=np.array([0, 1, 1]),
    )
    model = Majority(pseudo_votes=0.0)
    assert model.predict(votes, model.fit(votes))[0] == pytest.approx([0.25, 0.75])


def test_a_labeler_that_never_votes_has_no_accuracy():
    labelling = Majority().fit(votes_of([0, -1], [1, -1]))
    assert np.isnan(labelling.accuracy[1])
    assert np.isnan(labelling.interval[1]).all()
    assert labelling.interval[0].tolist() == [0.0, 1.0]


def test_no_vote_is_refused_but_can_be_predicted():
    silent = votes_of([-1, -1])
    with pytest.raises(NotApplicable, match="no labeler votes"):
        Majority().fit(silent)
    labelling = Majority().fit(votes_of([0, 0], [1, 1], [1, 1]), Known(prior=np.array([0.3, 0.7])))
    assert Majority().predict(silent, labelling)[0] == pytest.approx([0.3, 0.7])
