"""Dawid–Skene: planted errors found again, the posterior by brute force, silence, copies, trusted rows and what is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tilth.core.labelling import Known
from tilth.core.votes import Votes
from tilth.labeling._shared import Belief
from tilth.labeling._shared.ballots import ballots_of
from tilth.labeling._shared.checks import is_handed_out, misfit, overlap_of
from tilth.labeling._shared.copies import dependence_of
from tilth.labeling._shared.em import Parameters, Told, fold, gathered, merge, start
from tilth.labeling.dawid_skene import DawidSkene
from tilth.labeling.majority import Majority


def drawn(n, prior, joints, seed=0):
    """Votes of independent labelers; joints[i][c, v] = P(labeler i says v | c), the rest is silence. Returns votes, truth."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(len(prior), size=n, p=prior)
    columns = []
    for joint in joints:
        ends = np.cumsum(joint, axis=1)[truth]
        said = (rng.random(n)[:, None] > ends).sum(axis=1)
        columns.append(np.where(said == len(prior), -1, said))
    votes = Votes.of_matrix(np.stack(columns, axis=1), classes=tuple(f"c{c}" for c in range(len(prior))))
    return votes, truth


def symmetric(accuracy, coverage, k=2):
    joint = np.full((k, k), coverage * (1 - accuracy) / (k - 1))
    np.fill_diagonal(joint, coverage * accuracy)
    return joint


def right(answer, truth):
    return (answer.argmax(axis=1) == truth).mean()


def nll(answer, truth):
    return -np.log(answer[np.arange(len(truth)), truth]).mean()


def answered(model, votes, known=None):
    labelling = model.fit(votes, known or Known())
    return labelling, model.predict(votes, labelling, known or Known())


def test_planted_accuracies_and_prior_are_found():
    accuracies = np.array([0.6, 0.7, 0.75, 0.8, 0.9, 0.65, 0.85])
    votes, truth = drawn(6_000, [0.7, 0.3], [symmetric(a, 0.6) for a in accuracies])
    labelling, answer = answered(DawidSkene(), votes)
    assert labelling.prior == pytest.approx([0.7, 0.3], abs=0.03)
    assert labelling.accuracy == pytest.approx(accuracies, abs=0.04)
    inside = (labelling.interval[:, 0] <= accuracies) & (accuracies <= labelling.interval[:, 1])
    assert inside.sum() >= 6
    assert (np.diff(labelling.interval, axis=1) < 0.15).all()
    _, plain = answered(Majority(), votes)
    assert right(answer, truth) > right(plain, truth)
    assert nll(answer, truth) < nll(plain, truth)


def test_class_dependent_errors_are_found():
    hard = np.array([[0.9, 0.1], [0.45, 0.55]])
    votes, _ = drawn(8_000, [0.5, 0.5], [hard, *[symmetric(0.8, 0.9)] * 6])
    labelling, _ = answered(DawidSkene(), votes)
    assert labelling.parameters["saying"][0].T - hard == pytest.approx(0.0, abs=0.04)


def test_one_sided_labelers_speak_by_where_they_vote():
    spam, ham = np.array([[0.0, 0.08], [0.0, 0.4]]), np.array([[0.3, 0.0], [0.1, 0.0]])
    votes, truth = drawn(6_000, [0.6, 0.4], [spam, spam, spam, ham, ham, ham])
    labelling, answer = answered(DawidSkene(), votes)
    heard = votes.covered
    assert labelling.parameters["silence"][0]
    assert right(answer[heard], truth[heard]) > 0.83
    assert labelling.prior == pytest.approx([0.6, 0.4], abs=0.04)
    assert (labelling.accuracy > 0.7).all()


def test_silence_that_rules_share_does_not_count():
    rng = np.random.default_rng(0)
    truth, topic = rng.integers(2, size=4_000), rng.integers(3, size=4_000)
    matrix = np.full((4_000, 6), -1)
    for rule in range(6):
        speaks = (topic == rule % 3) & (rng.random(4_000) < np.where(truth == rule // 3, 0.6, 0.15))
        matrix[speaks, rule] = rule // 3
    votes = Votes.of_matrix(matrix, classes=("ham", "spam"))
    assert not DawidSkene().fit(votes).parameters["silence"][0]


def test_posterior_equals_brute_force():
    rng = np.random.default_rng(3)
    m, k = 3, 2
    voting, saying = rng.uniform(0.2, 0.8, (m, k)), rng.uniform(0.2, 0.8, (m, k, k))
    saying /= saying.sum(axis=1, keepdims=True)
    believed = Parameters(prior=np.array([0.6, 0.4]), voting=voting, saying=saying, silence=True, inverts=True)
    matrix = np.array([[0, 1, -1], [-1, -1, 1], [1, 1, 1]])
    ballots = ballots_of(Votes.of_matrix(matrix, classes=("a", "b")))
    got, likelihood = believed.posterior(ballots.matrix, ballots.n_votes)
    wanted = np.zeros((3, k))
    for row, votes in enumerate(matrix):
        for c in range(k):
            chances = [(1 - voting[i, c]) if v < 0 else voting[i, c] * saying[i, v, c] for i, v in enumerate(votes)]
            wanted[row, c] = believed.prior[c] * np.prod(chances)
    assert got == pytest.approx(wanted / wanted.sum(axis=1, keepdims=True))
    assert likelihood == pytest.approx(np.log(wanted.sum(axis=1)).sum())


def test_no_vote_speaks_against_its_own_class():
    saying = np.array([[[0.2, 0.6], [0.8, 0.4]]])
    believed = Parameters(prior=np.array([0.75, 0.25]), voting=np.full((1, 2), 0.5), saying=saying, silence=True)
    ballots = ballots_of(Votes.of_matrix(np.array([[0], [1]]), classes=("a", "b")))
    got, _ = believed.posterior(ballots.matrix, ballots.n_votes)
    assert got == pytest.approx(np.array([[0.75, 0.25], [0.75, 0.25]]))
    inverted, _ = replace(believed, inverts=True).posterior(ballots.matrix, ballots.n_votes)
    assert inverted[0] == pytest.approx([0.5, 0.5])


def test_without_silence_the_votes_of_a_row_are_draws_among_all_votes():
    voting, saying = np.array([[0.2, 0.4], [0.3, 0.1]]), np.full((2, 2, 2), 0.5)
    saying[0] = [[0.9, 0.2], [0.1, 0.8]]
    believed = Parameters(prior=np.array([0.5, 0.5]), voting=voting, saying=saying, silence=False)
    ballots = ballots_of(Votes.of_matrix(np.array([[0, -1]]), classes=("a", "b")))
    got, _ = believed.posterior(ballots.matrix, ballots.n_votes)
    chance = np.array([0.2 * 0.9 / 0.5, 0.4 * 0.2 / 0.5])
    assert got[0] == pytest.approx(chance / chance.sum())
    assert replace(believed, overlap=0.5).posterior(ballots.matrix, ballots.n_votes)[0] == pytest.approx(got)


def test_blocks_add_up():
    votes, _ = drawn(500, [0.5, 0.5], [symmetric(0.8, 0.7)] * 4)
    ballots = ballots_of(votes)
    belief = Belief(accuracy=0.8, strength=50.0, by_class=10.0)
    believed = belief.update(gathered(Told(ballots=ballots), ballots.shares / 4 + 0.1))
    whole = gathered(Told(ballots=ballots), believed)
    parts = [slice(0, 7), slice(7, 300), slice(300, 500)]
    sums = [
        fold(start(ballots), ballots.block(p), *believed.posterior(ballots.block(p), ballots.n_votes[p])) for p in parts
    ]
    for order in ((0, 1, 2), (2, 0, 1)):
        joined = start(ballots)
        for part in order:
            joined = merge(joined, sums[part])
        assert joined.counts == pytest.approx(whole.counts, rel=1e-12)
        assert joined.log_likelihood == pytest.approx(whole.log_likelihood)


def test_copies_count_as_one():
    votes, truth = drawn(4_000, [0.5, 0.5], [symmetric(a, 0.5) for a in (0.55, 0.8, 0.8, 0.75, 0.85)])
    matrix, silent = votes.dense()
    matrix = np.where(silent, -1, matrix)
    copied = Votes.of_matrix(np.concatenate([matrix, matrix[:, [0] * 4]], axis=1), classes=votes.classes)
    found = dependence_of(ballots_of(copied))
    groups = found.groups
    assert len(set(groups[[0, 5, 6, 7, 8]])) == 1
    assert found.worth == pytest.approx([0.2, 1, 1, 1, 1, 0.2, 0.2, 0.2, 0.2])
    (_, alone), (_, crowded) = (answered(DawidSkene(), each) for each in (votes, copied))
    assert right(crowded, truth) == pytest.approx(right(alone, truth), abs=0.01)


def test_labelers_that_are_all_right_are_no_copies():
    votes, _ = drawn(500, [0.5, 0.5], [symmetric(1.0, 1.0)] * 3)
    assert len(set(dependence_of(ballots_of(votes)).groups)) == 3


def test_rows_that_are_handed_out_make_silence_tell_nothing():
    rng = np.random.default_rng(0)
    truth = (rng.random(900) < 0.1).astype(int)
    matrix = np.full((900, 30), -1)
    for row, c in enumerate(truth):
        batch = 3 * (row // 90)
        said = np.where(rng.random(3) < 0.85, c, 1 - c)
        matrix[row, batch : batch + 3] = said
    votes = Votes.of_matrix(matrix, classes=("a", "b"))
    labelling, _ = answered(DawidSkene(), votes)
    assert is_handed_out(ballots_of(votes))
    voting = labelling.parameters["voting"]
    assert voting[:, 0] == pytest.approx(voting[:, 1])


def test_hard_rows_show_as_overlap():
    rng = np.random.default_rng(0)
    chance = np.where(rng.random((400, 1)) < 0.5, 0.95, 0.55)
    truth = rng.integers(2, size=400)
    matrix = np.where(rng.random((400, 15)) < chance, truth[:, None], 1 - truth[:, None])
    votes = Votes.of_matrix(matrix, classes=("a", "b"))
    labelling, answer = answered(DawidSkene(), votes)
    assert labelling.parameters["overlap"][0] > 0
    unheeding = replace(labelling, parameters={**labelling.parameters, "overlap": np.zeros(1)})
    assert nll(answer, truth) < nll(DawidSkene().predict(votes, unheeding), truth)
    alike, _ = drawn(400, [0.5, 0.5], [symmetric(0.75, 1.0)] * 15)
    assert answered(DawidSkene(), alike)[0].parameters["overlap"][0] <= 0.02


def test_overlap_is_a_quarter_where_no_row_tells():
    votes, _ = drawn(300, [0.5, 0.5], [symmetric(0.8, 1.0)] * 2)
    believed = Parameters(
        prior=np.full(2, 0.5), voting=np.full((2, 2), 0.9), saying=np.full((2, 2, 2), 0.5), silence=True
    )
    assert overlap_of(ballots_of(votes), believed) == pytest.approx(0.25, abs=0.02)


def test_misfit_sees_labelers_that_speak_together():
    votes, _ = drawn(4_000, [0.5, 0.5], [symmetric(0.8, 0.4)] * 5)
    ballots = ballots_of(votes)
    believed = Parameters(
        prior=np.full(2, 0.5), voting=np.full((5, 2), 0.4), saying=np.full((5, 2, 2), 0.5), silence=True
    )
    assert misfit(ballots, believed) < 0.05
    together = np.where(np.random.default_rng(0).random((4_000, 1)) < 0.4, np.zeros((1, 5), dtype=int), -1)
    assert misfit(ballots_of(Votes.of_matrix(together, classes=("a", "b"))), believed) > 0.5


def test_trusted_rows_teach():
    votes, truth = drawn(600, [0.5, 0.5], [symmetric(0.95, 1.0), symmetric(0.55, 1.0)], seed=1)
    trusted = np.arange(600) < 200
    labelling, _ = answered(DawidSkene(), votes, Known(truth=np.eye(2)[truth], trusted=trusted))
    assert labelling.accuracy[0] - labelling.accuracy[1] > 0.25


def test_known_confusions_are_held():
    votes, _ = drawn(500, [0.5, 0.5], [symmetric(0.8, 0.9)] * 4)
    confusion = np.array([[0.9, 0.1], [0.3, 0.7]])
    labelling, _ = answered(DawidSkene(), votes, Known(confusions={"labeler2": confusion}))
    assert labelling.parameters["saying"][2] == pytest.approx(confusion.T)


def test_many_rows_are_thinned_and_agree_with_the_whole(monkeypatch):
    votes, truth = drawn(5_000, [0.6, 0.4], [symmetric(a, 0.5) for a in (0.6, 0.7, 0.8, 0.85, 0.9)])
    _, whole = answered(DawidSkene(), votes)
    monkeypatch.setattr("tilth.labeling._shared.expert.ROWS", 1_000)
    _, thinned = answered(DawidSkene(), votes)
    assert np.abs(whole - thinned).mean() < 0.05
    assert nll(thinned, truth) < nll(whole, truth) + 0.002


def test_new_rows_are_labelled_by_what_was_learnt():
    votes, truth = drawn(3_000, [0.5, 0.5], [symmetric(a, 0.7) for a in (0.6, 0.7, 0.8, 0.9)])
    more, later = drawn(500, [0.5, 0.5], [symmetric(a, 0.7) for a in (0.6, 0.7, 0.8, 0.9)], seed=9)
    model = DawidSkene()
    labelling, answer = answered(model, votes)
    heard = more.covered
    assert right(model.predict(more, labelling)[heard], later[heard]) > right(answer, truth) - 0.05
