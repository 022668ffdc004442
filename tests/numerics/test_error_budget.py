"""The error budget: never more than alpha over all runs, and Holm's correction inside one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilth.core.errors import InputError
from tilth.numerics.error_budget import alpha_left, alpha_of_run, holm

PROBABILITIES = st.lists(st.floats(0, 1), max_size=12)


def test_first_runs_by_hand() -> None:
    assert alpha_of_run(1) == pytest.approx(0.05 * 6 / math.pi**2)
    assert alpha_of_run(3, 0.1) == pytest.approx(0.1 * 6 / (9 * math.pi**2))
    assert alpha_left(0) == 0.05
    assert alpha_left(1) == pytest.approx(0.05 - alpha_of_run(1))


@given(st.integers(0, 3000), st.floats(0.001, 0.5))
def test_spent_and_left_make_alpha(runs: int, alpha: float) -> None:
    spent = math.fsum(alpha_of_run(r, alpha) for r in range(1, runs + 1))
    assert spent < alpha
    assert spent + alpha_left(runs, alpha) == pytest.approx(alpha, rel=1e-12)


def test_the_sum_never_exceeds_alpha_however_long() -> None:
    spent = math.fsum(alpha_of_run(r) for r in range(1, 200_001))
    assert spent < 0.05
    assert 0 < alpha_left(10**9) < 1e-9


@pytest.mark.parametrize("call", [lambda: alpha_of_run(0), lambda: alpha_left(-1), lambda: alpha_of_run(1, 1.0)])
def test_refuses_impossible_runs(call: object) -> None:
    with pytest.raises(InputError):
        call()  # type: ignore[operator]


def test_holm_by_hand() -> None:
    # Sorted .01 .03 .03 .20 times 4 3 2 1: .04 .09 .06 -> .09 .20.
    assert holm(np.array([0.03, 0.2, 0.01, 0.03])) == pytest.approx([0.09, 0.2, 0.04, 0.09])
    assert holm(np.array([])).shape == (0,)


@given(PROBABILITIES, st.floats(0.001, 0.2))
def test_holm_rejects_what_the_step_down_rule_rejects(p_values: list[float], alpha: float) -> None:
    p = np.array(p_values)
    rejected = np.zeros(len(p), dtype=bool)
    for step, row in enumerate(np.argsort(p, kind="stable")):
        if (len(p) - step) * p[row] > alpha:
            break
        rejected[row] = True
    assert (holm(p) <= alpha).tolist() == rejected.tolist()


@given(PROBABILITIES)
def test_holm_keeps_order_and_lies_between_p_and_bonferroni(p_values: list[float]) -> None:
    p = np.array(p_values)
    adjusted = holm(p)
    assert (adjusted >= p).all()
    assert (adjusted <= np.minimum(1, len(p) * p) + 1e-15).all()
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()


def test_holm_keeps_the_family_error_under_dependence() -> None:
    rng = np.random.default_rng(0)
    shared = rng.random((4000, 1))
    worlds = np.where(rng.random((4000, 5)) < 0.5, shared, rng.random((4000, 5)))
    wrong = np.mean([(holm(world) <= 0.05).any() for world in worlds])
    assert wrong <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 4000)


def test_weighted_holm_by_hand() -> None:
    # p / w: .03, .04, .12; left: 1, .4, .2 -> .03, .016 but not below .03, .024 but not below .03.
    assert holm(np.array([0.018, 0.008, 0.024]), np.array([0.6, 0.2, 0.2])) == pytest.approx([0.03, 0.03, 0.03])
    # A light one that comes first pays for its lightness: .01 / .2 = .05.
    assert holm(np.array([0.2, 0.01]), np.array([0.8, 0.2])) == pytest.approx([0.2, 0.05])


@given(PROBABILITIES, st.floats(0.01, 100), st.data())
def test_weights_count_up_to_a_factor_and_equal_ones_not_at_all(p_values, factor, data) -> None:
    p = np.array(p_values)
    weights = np.array(data.draw(st.lists(st.floats(0.1, 10), min_size=len(p), max_size=len(p))))
    np.testing.assert_allclose(holm(p, weights), holm(p, factor * weights), atol=1e-300)
    np.testing.assert_allclose(holm(p, np.full(len(p), factor)), holm(p), atol=1e-300)


def test_weighted_holm_keeps_the_family_error_under_dependence() -> None:
    rng = np.random.default_rng(1)
    shared = rng.random((4000, 1))
    worlds = np.where(rng.random((4000, 5)) < 0.5, shared, rng.random((4000, 5)))
    wrong = np.mean([(holm(world, np.array([5.0, 2, 1, 1, 1])) <= 0.05).any() for world in worlds])
    assert wrong <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 4000)


def test_holm_refuses_weights_that_are_none() -> None:
    for weights in ([1.0], [1.0, 0.0], [1.0, float("nan")]):
        with pytest.raises(InputError, match="positive weight"):
            holm(np.array([0.5, 0.1]), np.array(weights))


@pytest.mark.parametrize("bad", [-0.1, 1.1, float("nan")])
def test_holm_refuses_what_is_no_probability(bad: float) -> None:
    with pytest.raises(InputError):
        holm(np.array([0.5, bad]))
