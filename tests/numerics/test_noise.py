"""Label noise: by hand, planted transitions, unbiasedness by enumeration and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilth.core.errors import InputError, NotApplicable
from tilth.numerics import noise

TRANSITION = np.array([[0.7, 0.3, 0.0], [0.0, 0.9, 0.1], [0.2, 0.0, 0.8]])


def draw(probabilities, rng):
    """One class per row of probabilities."""
    return (rng.random((len(probabilities), 1)) > probabilities.cumsum(axis=1)).sum(axis=1).clip(max=2)


def planted(n=20_000, seed=0):
    """Sharp, calibrated p(given | x), the truth and the noisy label."""
    rng = np.random.default_rng(seed)
    prior = rng.dirichlet(np.full(3, 0.02), n)
    truth = draw(prior, rng)
    return prior, prior @ TRANSITION, truth, draw(TRANSITION[truth], rng)


# Confident joint


def test_confident_joint_by_hand():
    pred_probs = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.3, 0.7], [0.1, 0.9]])
    labels = np.array([0, 0, 0, 1, 1])
    # Thresholds .6 and .8: rows 0 and 1 count as class 0, rows 2 and 4 as class 1, row 3 (.3, .7) as nothing.
    # Label 0: counts (2, 1) of 3 rows; label 1: counts (0, 1), scaled to 2 rows.
    assert noise.confident_joint(labels, pred_probs) == pytest.approx(np.array([[2.0, 1.0], [0.0, 2.0]]))


def test_two_thresholds_reached_goes_to_the_more_probable():
    pred_probs = np.array([[0.5, 0.4, 0.1], [0.3, 0.4, 0.3], [0.1, 0.2, 0.7], [0.6, 0.4, 0.0]])
    labels = np.array([0, 1, 2, 1])
    # Thresholds .5, .4, .7. Row 3 reaches both .5 and .4 and counts as class 0.
    expected = np.array([[1.0, 0, 0], [1, 1, 0], [0, 0, 1]])
    assert noise.confident_joint(labels, pred_probs) == pytest.approx(expected)


def test_label_without_counted_rows_is_taken_as_clean_and_absent_label_stays_empty():
    pred_probs = np.array([[0.5, 0.5, 0.0]] * 3)
    assert noise.confident_joint(np.zeros(3, int), pred_probs) == pytest.approx(np.diag([3.0, 0, 0]))
    # Rounding in the mean must not push equal rows below their own threshold.
    thirds = np.full((7, 3), 1 / 3)
    assert noise.confident_joint(np.array([0, 0, 0, 1, 1, 2, 2]), thirds).sum() == pytest.approx(7)


def test_rows_sum_to_label_counts():
    _, pred_probs, _, labels = planted(500)
    joint = noise.confident_joint(labels, pred_probs)
    assert joint.sum(axis=1) == pytest.approx(np.bincount(labels, minlength=3))


def test_planted_noise_is_recovered():
    _, _, truth, labels = planted()
    # A model that knows the truth up to small doubt.
    pred_probs = 0.9 * np.eye(3)[truth] + 0.1 / 3
    joint = noise.confident_joint(labels, pred_probs)
    assert noise.noise_transition(joint) == pytest.approx(TRANSITION, abs=0.02)
    assert noise.noise_rate(joint) == pytest.approx((truth != labels).mean(), abs=1e-12)


def test_no_noise_gives_the_identity():
    labels = np.arange(12) % 3
    joint = noise.confident_joint(labels, np.eye(3)[labels])
    assert joint == pytest.approx(4 * np.eye(3))
    assert noise.noise_rate(joint) == 0.0


# Transition and rate


def test_transition_by_hand():
    joint = np.array([[6.0, 1.0, 0.0], [2.0, 3.0, 0.0], [0.0, 0.0, 0.0]])
    expected = np.array([[0.75, 0.25, 0.0], [0.25, 0.75, 0.0], [0.0, 0.0, 1.0]])
    assert noise.noise_transition(joint) == pytest.approx(expected)
    assert noise.noise_rate(joint) == pytest.approx(3 / 12)


def test_noise_rate_of_nothing_is_zero():
    assert noise.noise_rate(np.zeros((2, 2))) == 0.0


# Posterior


def test_posterior_by_hand():
    transition = np.array([[0.8, 0.2], [0.4, 0.6]])
    result = noise.posterior(np.array([[0.5, 0.5], [0.9, 0.1]]), np.array([0, 1]), transition)
    assert result == pytest.approx(np.array([[2 / 3, 1 / 3], [0.75, 0.25]]))


def test_posterior_of_an_impossible_label_keeps_the_prediction():
    result = noise.posterior(np.array([[1.0, 0.0]]), np.array([1]), np.eye(2))
    assert result == pytest.approx(np.array([[1.0, 0.0]]))


def test_posterior_is_calibrated():
    prior, _, truth, labels = planted()
    result = noise.posterior(prior, labels, TRANSITION)
    for c in range(3):
        for lower in np.linspace(0, 0.9, 10):
            rows = (result[:, c] > lower) & (result[:, c] <= lower + 0.1)
            if rows.sum() > 200:
                spread = 4 * 0.5 / np.sqrt(rows.sum())
                assert result[rows, c].mean() == pytest.approx((truth[rows] == c).mean(), abs=spread)


# Posterior of the truth from predictions of the given label


def test_truth_posterior_by_hand():
    # labels 0,0,0,1,1,1; thresholds t_0 = (.9+.9+.2)/3 = .667, t_1 = (.8+.9+.9)/3 = .867
    # confident: rows 0, 1 as 0; row 2 (.8 < .867) none; rows 4, 5 as 1; row 3 (.8) none -> diagonal joint, no noise
    probs = np.array([[0.9, 0.1], [0.9, 0.1], [0.2, 0.8], [0.2, 0.8], [0.1, 0.9], [0.1, 0.9]])
    labels = np.array([0, 0, 0, 1, 1, 1])
    assert noise.truth_posterior(labels, probs)[:, 0].tolist() == [1, 1, 1, 0, 0, 0]


def test_one_em_step_by_hand():
    # joint: label 0 -> 2 rows 0 and 1 row 1 (of 3), label 1 clean: T[0] = [1, 0], T[1] = [1/4, 3/4]
    probs = np.array([[0.8, 0.2], [0.8, 0.2], [0.1, 0.9], [0.1, 0.9], [0.1, 0.9], [0.1, 0.9]])
    labels = np.array([0, 0, 0, 1, 1, 1])
    transition = noise.noise_transition(noise.confident_joint(labels, probs))
    assert transition == pytest.approx(np.array([[1, 0], [0.25, 0.75]]))
    # row 2: p = (.1, .9), pT = (.325, .675), p/pT = (.3077, 1.3333)
    # q = (.1 * .3077, .9 * (.25 * .3077 + .75 * 1.3333)) = (.03077, .96923), times T[:, 0] = (1, .25)
    wrong = 0.96923 * 0.25 / (0.96923 * 0.25 + 0.03077)
    assert noise.truth_posterior(labels, probs)[2, 1] == pytest.approx(wrong, abs=1e-4)


def test_without_noise_the_given_label_is_the_truth():
    probs, labels = np.eye(3)[[0, 1, 2, 0]], np.array([0, 1, 2, 0])
    assert (noise.truth_posterior(labels, probs) == probs).all()


@pytest.mark.parametrize("seed", range(3))
def test_deconvolving_first_comes_closer_to_the_truth(seed):
    _, pred_probs, truth, labels = planted(4_000, seed)
    rows, wrong = np.arange(len(labels)), labels != truth
    direct = noise.posterior(pred_probs, labels, noise.noise_transition(noise.confident_joint(labels, pred_probs)))
    brier = [((1 - q[rows, labels] - wrong) ** 2).mean() for q in (noise.truth_posterior(labels, pred_probs), direct)]
    assert brier[0] < brier[1]


def test_a_class_of_one_row_keeps_its_label():
    # No model that predicted the last row knew class 2.
    probs = np.array([[0.9, 0.1, 0], [0.8, 0.2, 0], [0.2, 0.8, 0], [0.1, 0.9, 0], [0.99, 0.01, 0]])
    assert noise.truth_posterior(np.array([0, 0, 1, 1, 2]), probs)[4].tolist() == [0, 0, 1]


@given(st.integers(0, 10_000), st.integers(1, 6))
def test_truth_posterior_is_a_distribution_and_follows_rows_and_classes(seed, n_classes):
    rng = np.random.default_rng(seed)
    labels, probs = rng.integers(n_classes, size=30), rng.dirichlet(np.ones(n_classes), 30)
    result = noise.truth_posterior(labels, probs)
    assert result.sum(axis=1) == pytest.approx(np.ones(30))
    assert (result >= 0).all()
    rows, classes = rng.permutation(30), rng.permutation(n_classes)
    renamed = noise.truth_posterior(np.argsort(classes)[labels][rows], probs[rows][:, classes])
    assert renamed == pytest.approx(result[rows][:, classes])


def test_truth_posterior_refuses_what_does_not_fit():
    with pytest.raises(InputError, match="class numbers from 0 to 1"):
        noise.truth_posterior(np.array([0, 2]), np.full((2, 2), 0.5))


def test_ignorance_is_refused_and_knowledge_is_not():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [90, 10])
    with pytest.raises(NotApplicable, match="no more than the shares of the classes do"):
        noise.refuse_ignorance(labels, np.tile([0.9, 0.1], (100, 1)))
    with pytest.raises(NotApplicable, match="they can doubt no label"):
        noise.refuse_ignorance(labels, rng.dirichlet([9, 1], 100))
    noise.refuse_ignorance(labels, np.where(np.eye(2)[labels] > 0, 0.6, 0.4) * 0.2 + 0.8 * np.array([0.9, 0.1]))
    # Far too sure, so that the likelihood is nothing, but right on 95 of 100 rows.
    halves = np.repeat([0, 1], 50)
    noise.refuse_ignorance(halves, np.eye(2)[np.where(np.arange(100) % 20 == 0, 1 - halves, halves)])


# Backward correction


@given(st.integers(0, 10_000))
def test_backward_scores_are_unbiased_for_every_truth(seed):
    # The expectation over given labels is taken exactly, not by drawing.
    rng = np.random.default_rng(seed)
    transition = 0.6 * np.eye(4) + 0.4 * rng.dirichlet(np.ones(4), 4)
    scores = rng.normal(size=4)
    estimates = noise.backward_scores(np.tile(scores, (4, 1)), np.arange(4), transition)
    assert transition @ estimates == pytest.approx(scores)


def test_backward_accuracy_by_hand():
    # Inverse of [[.8 .2], [.4 .6]] is [[1.5 -.5], [-1 2]].
    transition = np.array([[0.8, 0.2], [0.4, 0.6]])
    predicted, labels = np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])
    assert noise.backward_accuracy(predicted, labels, transition) == pytest.approx([1.5, -0.5, -1.0, 2.0])


def test_backward_accuracy_is_unbiased_by_simulation():
    prior, _, truth, labels = planted(40_000)
    rng = np.random.default_rng(7)
    predicted = np.where(rng.random(len(truth)) < 0.3, rng.integers(0, 3, len(truth)), prior.argmax(axis=1))
    estimates = noise.backward_accuracy(predicted, labels, TRANSITION)
    right = (predicted == truth).mean()
    assert estimates.mean() == pytest.approx(right, abs=4 * estimates.std() / np.sqrt(len(truth)))
    assert abs((predicted == labels).mean() - right) > 0.1
    same = noise.backward_scores(np.eye(3)[predicted], labels, TRANSITION)
    assert estimates == pytest.approx(same)


def test_singular_noise_is_refused():
    labels = np.array([0, 1])
    with pytest.raises(NotApplicable, match="condition number"):
        noise.backward_accuracy(labels, labels, np.full((2, 2), 0.5))
    nearly = np.array([[0.505, 0.495], [0.495, 0.505]])
    with pytest.raises(NotApplicable, match="cannot be undone"):
        noise.backward_scores(np.eye(2), labels, nearly)
    assert noise.backward_scores(np.eye(2), labels, nearly, worst_condition=1e3).shape == (2,)


# Refusals


def test_refusals():
    pred_probs, labels = np.full((2, 2), 0.5), np.array([0, 1])
    with pytest.raises(InputError, match="class numbers from 0 to 1"):
        noise.confident_joint(np.array([0, 2]), pred_probs)
    with pytest.raises(InputError, match="2 rows need"):
        noise.posterior(pred_probs, labels[:1], np.eye(2))
    with pytest.raises(InputError, match="sum to 1"):
        noise.posterior(pred_probs, labels, np.ones((2, 2)))
    with pytest.raises(InputError, match="square"):
        noise.noise_transition(np.ones((2, 3)))
    with pytest.raises(InputError, match="predicted classes"):
        noise.backward_accuracy(np.array([0, 5]), labels, np.eye(2))
    with pytest.raises(InputError, match="one row of classes"):
        noise.confident_joint(labels, labels.astype(float))


def test_inputs_are_only_read():
    pred_probs, labels = np.array([[0.6, 0.4], [0.3, 0.7]]), np.array([0, 1])
    for array in (pred_probs, labels):
        array.flags.writeable = False
    joint = noise.confident_joint(labels, pred_probs)
    joint.flags.writeable = False
    noise.posterior(pred_probs, labels, noise.noise_transition(joint))
