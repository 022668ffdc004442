"""linearised: intervals that cover, with groups and without, for one model and for the difference of two; sums of measures."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.errors import InputError
from tilth.numerics.class_measures import macro_ratio, share_of_class
from tilth.numerics.intervals import balanced_accuracy_interval, wilson
from tilth.numerics.linearised import Linearised, difference, interval_of, no_better
from tilth.numerics.measure_sums import combined, moved
from tilth.numerics.number_measures import minus_rmse, r_squared
from tilth.numerics.ranking_measures import auroc, average_precision

RUNS = 300
LARGE = 200_000


def of_rows(rows, **facts):
    return Linearised(rows=np.asarray(rows, dtype=float), **facts)


def test_row_scores_get_the_intervals_they_always_had():
    right = np.array([1.0, 1, 0, 1])
    assert interval_of(of_rows(right, bounds=(0.0, 1.0))) == wilson(3, 4)
    labels = np.array([0, 0, 1, 1])
    found = interval_of(of_rows(right, bounds=(0.0, 1.0), strata=labels))
    assert found == balanced_accuracy_interval(right > 0, labels, 2)


def test_one_row_is_no_certainty():
    found = interval_of(of_rows([1.0], bounds=(0.0, 1.0), informative=1.0))
    assert (found.value, found.low < 0.5, found.high) == (1.0, True, 1.0)


def test_a_rare_class_without_errors_is_no_certainty():
    labels = np.array([1, 1] + [0] * 998)
    found = interval_of(share_of_class(labels, np.eye(2)[labels], 1, "f1"))
    assert found.value == 1 and found.low < 0.75


def test_other_rows_cannot_be_compared():
    with pytest.raises(InputError, match="same rows"):
        difference(of_rows([1.0]), of_rows([1.0, 0.0]))


def test_errors_without_their_sign():
    measured = of_rows([-1.0, -3.0], bounds=(-np.inf, 0.0))
    assert (moved(measured, -1).value, moved(measured, -1).bounds) == (2.0, (0.0, np.inf))


# -- coverage ----------------------------------------------------------------------------------------------------------


def scored(rng, n, rate, strength, per_group=1):
    """Rows of two classes in groups that share what is hard about them; (labels, probabilities, groups)."""
    n_groups = n // per_group
    groups = np.repeat(np.arange(n_groups), per_group)
    positive = rng.random(n_groups)[groups] < rate
    noise = np.sqrt(0.5) * (rng.standard_normal(n_groups)[groups] + rng.standard_normal(n))
    if per_group == 1:
        noise = rng.standard_normal(n)
    p = 1 / (1 + np.exp(-(strength * positive - strength / 2 + noise)))
    return positive.astype(int), np.column_stack([1 - p, p]), groups


MEASURES = {
    "auroc": lambda y, p: auroc(y == 1, p[:, 1]),
    "average_precision": lambda y, p: average_precision(y == 1, p[:, 1]),
    "f1": lambda y, p: share_of_class(y, p, 1, "f1"),
    "precision": lambda y, p: share_of_class(y, p, 1, "precision"),
    "f1_macro": lambda y, p: macro_ratio(y, p, "f1"),
}


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize(("n", "rate", "per_group"), [(150, 0.4, 1), (400, 0.05, 1), (600, 0.3, 4)])
def test_the_interval_holds_the_truth_as_often_as_it_says(name, n, rate, per_group):
    truth = MEASURES[name](*scored(np.random.default_rng(1), LARGE, rate, 2.0, per_group)[:2]).value
    held = 0
    for seed in range(RUNS):
        y, p, groups = scored(np.random.default_rng([2, seed]), n, rate, 2.0, per_group)
        found = interval_of(MEASURES[name](y, p), groups if per_group > 1 else None)
        held += found.low <= truth <= found.high
    assert 0.91 <= held / RUNS <= 1.0


@pytest.mark.parametrize("name", MEASURES)
def test_the_interval_of_a_difference_holds_the_truth(name):
    def two(seed, n):
        rng = np.random.default_rng([3, seed])
        y = (rng.random(n) < 0.3).astype(int)
        shared = rng.standard_normal(n)
        ps = [1 / (1 + np.exp(-(s * (y - 0.5) + shared + 0.5 * rng.standard_normal(n)))) for s in (2.0, 2.5)]
        return y, *(np.column_stack([1 - p, p]) for p in ps)

    def gain(y, old, new):
        return difference(MEASURES[name](y, new), MEASURES[name](y, old))[1]

    truth = gain(*two(10**6, LARGE)).value
    found = [gain(*two(seed, 250)) for seed in range(RUNS)]
    held = np.mean([one.low <= truth <= one.high for one in found])
    alone = interval_of(MEASURES[name](*two(0, 250)[:2]))
    assert 0.91 <= held <= 1.0
    assert np.mean([one.high - one.low for one in found]) < 0.97 * (alone.high - alone.low)  # pairs tell more


@pytest.mark.parametrize("name", ["rmse", "r_squared"])
@pytest.mark.parametrize("per_group", [1, 4])
def test_intervals_of_numbers_hold_the_truth(name, per_group):
    measure = {"rmse": minus_rmse, "r_squared": r_squared}[name]
    truth, held = {"rmse": -1.0, "r_squared": 0.5}[name], 0
    for seed in range(RUNS):
        rng = np.random.default_rng([4, seed])
        groups = np.repeat(np.arange(200 // per_group), per_group)
        signal, noise = (
            np.sqrt(0.5) * (rng.standard_normal(len(groups)) + rng.standard_normal(200)[groups]) for _ in "ab"
        )
        found = interval_of(measure(signal + noise, signal), groups if per_group > 1 else None)
        held += found.low <= truth <= found.high
    assert 0.91 <= held / RUNS <= 0.99


def test_without_groups_duplicates_make_it_too_sure():
    y, p, groups = scored(np.random.default_rng(5), 150, 0.4, 2.0)
    often = np.tile(np.arange(150), 5)
    once = interval_of(auroc(y == 1, p[:, 1]))
    copied = auroc(y[often] == 1, p[often, 1])
    blind, told = interval_of(copied), interval_of(copied, groups[often])
    assert blind.high - blind.low < 0.6 * (once.high - once.low)
    assert told.high - told.low == pytest.approx(once.high - once.low, rel=0.1)


# -- sums and tests ----------------------------------------------------------------------------------------------------


def test_a_sum_of_measures_on_slices():
    rng = np.random.default_rng(6)
    right, inside = (rng.random(400) < 0.7).astype(float), rng.random(400) < 0.25
    parts = [
        (1.0, of_rows(right[inside], bounds=(0.0, 1.0)), inside),
        (-1.0, of_rows(right, bounds=(0.0, 1.0)), np.ones(400, dtype=bool)),
    ]
    found = combined(parts)
    assert found.value == pytest.approx(right[inside].mean() - right.mean())
    assert found.bounds == (-1.0, 1.0)
    # By hand: inside the weight of a row is 1 / n_s − 1 / n, outside −1 / n.
    weight = np.where(inside, 1 / inside.sum() - 1 / 400, -1 / 400)
    centred = np.where(inside, right - right[inside].mean(), right - right[~inside].mean())
    assert interval_of(found).standard_error == pytest.approx(np.sqrt(((weight * centred) ** 2).sum()), rel=0.15)


def test_a_sum_needs_the_rows_of_its_parts():
    with pytest.raises(InputError, match="2 rows were named, 1 measured"):
        combined([(1.0, of_rows([1.0]), np.array([True, True]))])


@pytest.mark.parametrize("level", [0.05, 0.01])
def test_no_better_errs_as_often_as_it_says(level):
    """Two models as good as each other: the p-value is rarely small."""
    wrong = 0
    for seed in range(2 * RUNS):
        rng = np.random.default_rng([7, seed])
        y = (rng.random(300) < 0.3).astype(int)
        shared = rng.standard_normal(300)
        ps = [1 / (1 + np.exp(-(2 * (y - 0.5) + shared + 0.5 * rng.standard_normal(300)))) for _ in range(2)]
        old, new = (auroc(y == 1, p) for p in ps)
        wrong += no_better(difference(new, old)[0]) <= level
    assert wrong / (2 * RUNS) <= level + 3 * np.sqrt(level / (2 * RUNS))
