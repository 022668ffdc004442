"""Labelers that repeat one another, wholly or in part: found, weighed by their effective number, and nobody else is."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.labelling import Known
from tilth.core.votes import Votes
from tilth.labeling._choose import choose_label_model
from tilth.labeling._shared.ballots import ballots_of
from tilth.labeling._shared.copies import dependence_of
from tilth.labeling._shared.em import Parameters
from tilth.labeling._shared.left_out import own_part
from tilth.labeling.dawid_skene import DawidSkene
from tilth.labeling.majority import Majority
from tilth.labeling.one_coin import OneCoin
from tilth.labeling.triplets import Triplets

ACCURACIES = (0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.6, 0.7, 0.8)


def repeated(part=0.8, copies=3, n=6_000, k=2, prior=None, seed=0, coverage=0.5):
    """Independent labelers, of which the first is repeated by others in a part of its votes; votes, truth."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(k, size=n, p=prior)

    def said(accuracy):
        wrong = (truth + rng.integers(1, k, size=n)) % k
        votes = np.where(rng.random(n) < accuracy, truth, wrong)
        return np.where(rng.random(n) < coverage, votes, -1)

    columns = [said(accuracy) for accuracy in ACCURACIES]
    columns += [np.where(rng.random(n) < part, columns[0], said(ACCURACIES[0])) for _ in range(copies)]
    return Votes.of_matrix(np.stack(columns, axis=1), classes=tuple(f"c{c}" for c in range(k))), truth


def right(answer, truth):
    return (answer.argmax(axis=1) == truth).mean()


@pytest.mark.parametrize("part", [1.0, 0.9, 0.8, 0.6])
def test_labelers_that_repeat_in_part_count_by_their_effective_number(part):
    votes, _ = repeated(part)
    found = dependence_of(ballots_of(votes))
    members = [0, 11, 12, 13]
    assert len(set(found.groups[members])) == 1
    others = np.delete(np.arange(14), members)
    assert found.worth[others] == pytest.approx(1.0)
    assert found.worth[members].sum() < {1.0: 1.05, 0.9: 1.3, 0.8: 1.6, 0.6: 2.4}[part]


@pytest.mark.parametrize("model", [OneCoin(), DawidSkene(), Triplets()])
def test_repeated_votes_lead_nobody_astray(model):
    votes, truth = repeated(0.8)
    alone, _ = repeated(0.8, copies=0)
    with_copies = right(model.predict(votes, model.fit(votes)), truth)
    without = right(model.predict(alone, model.fit(alone)), truth)
    assert with_copies > without - 0.01
    assert without - right(Majority().predict(votes, Majority().fit(votes)), truth) > 0.02


@pytest.mark.parametrize("world", [{}, {"k": 4}, {"prior": [0.93, 0.07]}, {"n": 400}, {"coverage": 0.15}])
def test_independent_labelers_are_taken_for_what_they_are(world):
    for seed in (0, 1, 2):
        found = dependence_of(ballots_of(repeated(copies=0, seed=seed, **world)[0]))
        assert (found.worth == 1.0).all()
        assert len(set(found.groups)) == len(ACCURACIES)


def test_labelers_with_lopsided_errors_repeat_nobody():
    rng = np.random.default_rng(0)
    truth = rng.random(6_000) < 0.2
    chances = np.where(truth[:, None], rng.uniform(0.3, 0.6, 9), rng.uniform(0.01, 0.1, 9))
    votes = Votes.of_matrix((rng.random((6_000, 9)) < chances).astype(int), classes=("no", "yes"))
    assert (dependence_of(ballots_of(votes)).worth == 1.0).all()


def test_half_of_the_labelers_may_simply_be_right():
    rng = np.random.default_rng(0)
    truth, source = rng.integers(2, size=4_000), rng.integers(2, size=4_000)
    columns = [np.where(rng.random(4_000) < 0.8, source, truth) for _ in range(5)]
    columns += [np.where(rng.random(4_000) < 0.7, truth, 1 - truth) for _ in range(3)]
    votes = Votes.of_matrix(np.stack(columns, axis=1), classes=("a", "b"))
    assert (dependence_of(ballots_of(votes)).worth == 1.0).all()


def test_the_order_of_labelers_changes_nothing():
    votes, _ = repeated(0.8)
    matrix, silent = votes.dense()
    turned = Votes.of_matrix(np.where(silent, -1, matrix)[:, ::-1], classes=votes.classes)
    first, other = (dependence_of(ballots_of(each)).worth for each in (votes, turned))
    assert first == pytest.approx(other[::-1])


def test_it_warns_with_names_and_what_they_count():
    votes, _ = repeated(0.8)
    warnings = choose_label_model((OneCoin(),), votes, Known()).labelling.warnings
    (said,) = (one for one in warnings if "err independently" in one)
    assert "'labeler0', 'labeler11', 'labeler12'" in said
    assert "the 4 of them count as 1." in said


def test_a_vote_is_left_out_with_those_that_repeat_it_by_hand():
    votes = Votes.of_matrix(np.array([[0, 0, 1], [1, -1, 1]]), classes=("a", "b"))
    believed = Parameters(
        prior=np.full(2, 0.5),
        voting=np.array([[0.5, 0.6], [0.4, 0.5], [0.3, 0.3]]),
        saying=np.tile([[0.8, 0.3], [0.2, 0.7]], (3, 1, 1)),
        silence=True,
        inverts=True,
    )
    ballots = ballots_of(votes).weighted(np.array([0.6, 0.6, 1.0]))
    groups = np.array([0, 0, 1])
    part, counted = own_part(ballots, believed, groups, np.array([0, 1, 0]), np.array([0, 1, 5]))
    silence = np.log1p(-believed.voting)
    both = silence[0] + silence[1]
    wanted = [0.6 * (believed.weights[0] + believed.weights[2]) + both, 0.6 * believed.weights[1] + both]
    assert part == pytest.approx(np.array([*wanted, believed.weights[5] + silence[2]]))
    assert counted == pytest.approx([1.2, 0.6, 1.0])
    alone, one = own_part(ballots, believed, np.arange(3), np.array([0]), np.array([5]))
    assert alone[0] == pytest.approx(part[2])
    assert one.tolist() == [1.0]


@pytest.mark.parametrize("world", [{}, {"k": 4}])
def test_copies_that_foretell_one_another_choose_no_model(world):
    votes, truth = repeated(0.8, copies=4, coverage=0.3, **world)
    choice = choose_label_model((Majority(), OneCoin(), DawidSkene()), votes, Known())
    assert choice.labelling.model != "majority"
    answer = choice.model.predict(votes, choice.labelling)
    assert right(answer, truth) > right(Majority().predict(votes, Majority().fit(votes)), truth) + 0.05
