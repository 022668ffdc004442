"""Near votes: labels for silent rows between labelled ones, accuracies of regions, and nothing where places tell nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tilth.core.errors import NotApplicable
from tilth.core.labelling import Known
from tilth.core.votes import Votes
from tilth.labeling._choose import choose_label_model
from tilth.labeling._shared import Nearby, Place, ballots_of, nearby_of
from tilth.labeling._shared.em import Parameters, Told
from tilth.labeling.majority import Majority
from tilth.labeling.near_votes import NearVotes
from tilth.labeling.one_coin import OneCoin

NAMES = ("ham", "spam")


def scattered(n=900, *, apart=2.0, coverage=0.25, accuracies=(0.6, 0.65, 0.7, 0.75, 0.8, 0.85), seed=0):
    """Two clouds, one per class, `apart` deviations from one another, and independent labelers; votes, truth, embeddings."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(2, size=n)
    places = rng.normal(size=(n, 5)) + np.outer(2 * truth - 1, [apart / 2, 0, 0, 0, 0])
    matrix = np.where(rng.random((n, len(accuracies))) < accuracies, truth[:, None], 1 - truth[:, None])
    matrix[rng.random(matrix.shape) > coverage] = -1
    return Votes.of_matrix(matrix, classes=NAMES), truth, places.astype(np.float32)


def regional(n=3_000, seed=0):
    """Four clouds that tell nothing of the class; labelers are right .95 or .5 in each. Returns votes, truth, embeddings."""
    rng = np.random.default_rng(seed)
    cloud, truth = rng.integers(4, size=n), rng.integers(2, size=n)
    places = 6.0 * np.eye(4)[cloud] + rng.normal(size=(n, 4))
    right = np.array([[0.95, 0.5][(place + i) % 2] for place in range(4) for i in range(8)]).reshape(4, 8)
    matrix = np.where(rng.random((n, 8)) < right[cloud], truth[:, None], 1 - truth[:, None])
    matrix[rng.random(matrix.shape) > 0.5] = -1
    return Votes.of_matrix(matrix, classes=NAMES), truth, places.astype(np.float32)


def answered(model, votes, known):
    labelling = model.fit(votes, known)
    return labelling, model.predict(votes, labelling, known)


def nll(answer, truth):
    return -np.log(answer[np.arange(len(truth)), truth]).mean()


def test_rows_without_a_vote_are_labelled_by_rows_nearby():
    votes, truth, places = scattered(apart=4.0)
    labelling, answer = answered(NearVotes(), votes, Known(embeddings=places))
    silent = ~votes.covered
    reached = silent & (np.abs(answer - labelling.prior).max(axis=1) > 0)
    assert reached.sum() > 0.8 * silent.sum() > 100
    assert (answer.argmax(axis=1) == truth)[reached].mean() > 0.9
    plain, alone = answered(OneCoin(), votes, Known())
    assert nll(answer[votes.covered], truth[votes.covered]) < nll(alone[votes.covered], truth[votes.covered]) - 0.1
    assert plain.accuracy == pytest.approx(labelling.accuracy)


def test_accuracies_of_regions_are_learnt():
    votes, truth, places = regional()
    labelling, answer = answered(NearVotes(), votes, Known(embeddings=places))
    model, _ = nearby_of(labelling)
    assert len(model.local) > 1
    right = np.array([[np.trace(saying) / 2 for saying in one.saying] for one in model.local])
    assert (right.max(axis=0) - right.min(axis=0)).mean() > 0.2
    _, alone = answered(OneCoin(), votes, Known())
    assert nll(answer, truth) < nll(alone, truth) - 0.05


def test_places_that_tell_nothing_change_nothing():
    votes, _, _ = scattered()
    noise = np.random.default_rng(5).normal(size=(len(votes), 5)).astype(np.float32)
    labelling, answer = answered(NearVotes(), votes, Known(embeddings=noise))
    _, alone = answered(OneCoin(), votes, Known())
    assert labelling.parameters["trust"][0] == 0.0
    assert answer == pytest.approx(alone)
    assert np.allclose(answer[~votes.covered], labelling.prior)


def test_a_row_is_not_near_itself():
    votes, _, places = scattered(apart=3.0)
    labelling = NearVotes().fit(votes, Known(embeddings=places))
    _, where = nearby_of(labelling)
    place = where.place(places, votes.row_ids)
    refs = np.array([int(row) for row in where.ids.to_pylist()])
    assert (refs[place.near] != np.arange(len(votes))[:, None]).all()


def test_what_lies_nearby_by_hand():
    weights, near = np.array([[1.0, 0.5], [0.0, 0.0]]), np.array([[0, 1], [0, 0]])
    place = Place(weights=weights, near=near, region=np.zeros(2, dtype=int))
    beliefs, prior = np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0.6, 0.4])
    first = (0.9 + 0.5 * 0.2 + 0.5 * 0.6) / 2.0
    assert place.mean(beliefs, prior) == pytest.approx(np.array([[first, 1 - first], [0.6, 0.4]]))
    assert place.reached.tolist() == [True, False]


def test_trust_moves_from_the_prior_to_what_lies_nearby():
    votes, _, _ = scattered(n=20)
    flat = Parameters(
        prior=np.array([0.7, 0.3]), voting=np.full((6, 2), 0.3), saying=np.full((6, 2, 2), 0.5), silence=False
    )
    model = Nearby(
        overall=flat,
        local=(flat,),
        trust=1.0,
        told=Told(ballots=ballots_of(votes)),
        region=np.zeros(20, dtype=int),
        copies=np.arange(6),
    )
    near = np.array([[0.2, 0.8]])
    for trust, wanted in ((1.0, near[0]), (0.0, flat.prior)):
        start = np.exp(replace(model, trust=trust).start(near))[0]
        assert start / start.sum() == pytest.approx(wanted)


def test_a_vote_is_foretold_without_its_labeler_nearby():
    votes, _, places = scattered(n=400, apart=4.0)
    known = Known(embeddings=places)
    model, where = nearby_of(NearVotes().fit(votes, known))
    place = where.place(places, votes.row_ids)
    rows, sources = votes.rows, votes.sources
    near = model.near_without(place, rows, sources)
    of_first = sources == 0
    gone = replace(votes, rows=rows[~of_first], sources=sources[~of_first], said=votes.said[~of_first])
    fewer = ballots_of(gone).take(np.array([int(row) for row in where.ids.to_pylist()]))
    alone = replace(model, told=Told(ballots=fewer))
    wanted = place.mean(alone.beliefs, model.prior, rows[of_first])
    assert near[of_first] == pytest.approx(wanted)


def test_trusted_rows_speak_for_rows_nearby():
    votes, truth, places = scattered(apart=3.0, coverage=0.15)
    trusted = np.arange(len(votes)) % 2 == 0
    known = Known(embeddings=places, truth=np.eye(2)[truth], trusted=trusted)
    labelling, answer = answered(NearVotes(), votes, known)
    _, untold = answered(NearVotes(), votes, Known(embeddings=places))
    others = ~trusted
    assert labelling.parameters["trust"][0] > 0
    assert nll(answer[others], truth[others]) < nll(untold[others], truth[others])


@pytest.mark.parametrize(
    ("votes", "embeddings", "word"),
    [
        (scattered()[0], None, "no embeddings"),
        (scattered(n=60)[0], np.zeros((60, 2), dtype=np.float32), "rows have a vote"),
        (scattered(accuracies=(0.7, 0.8, 0.9))[0], np.zeros((900, 2), dtype=np.float32), "3 labelers"),
    ],
)
def test_it_refuses_what_tells_nothing_nearby(votes, embeddings, word):
    with pytest.raises(NotApplicable, match=word):
        NearVotes().fit(votes, Known(embeddings=embeddings))


def test_rows_of_which_nobody_knows_where_they_lie_get_the_overall_model():
    votes, _, places = scattered(apart=4.0)
    labelling = NearVotes().fit(votes, Known(embeddings=places))
    _, alone = answered(OneCoin(), votes, Known())
    assert NearVotes().predict(votes, labelling) == pytest.approx(alone)


def test_rows_that_all_lie_in_one_place_are_no_trouble():
    votes, _, _ = scattered()
    _, answer = answered(NearVotes(), votes, Known(embeddings=np.zeros((len(votes), 3), dtype=np.float32)))
    assert np.isfinite(answer).all()


@pytest.mark.parametrize(("apart", "chosen"), [(4.0, True), (0.0, False)])
def test_auto_takes_it_where_places_tell(apart, chosen):
    votes, _, places = scattered(apart=apart, coverage=0.5)
    choice = choose_label_model((Majority(), OneCoin(), NearVotes()), votes, Known(embeddings=places))
    assert (choice.labelling.model == "near_votes") is chosen
    without = choose_label_model((Majority(), OneCoin(), NearVotes()), votes, Known())
    assert without.labelling.model != "near_votes"


def test_a_label_against_every_vote_is_told_of_with_its_cause():
    votes, _, places = scattered(apart=5.0, accuracies=(0.6,) * 7, coverage=0.3)
    choice = choose_label_model((NearVotes(),), votes, Known(embeddings=places))
    (said,) = (one for one in choice.labelling.warnings if "against every vote" in one)
    assert "votes on rows nearby speak for it" in said
