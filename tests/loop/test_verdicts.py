"""Verdict rules, on paper."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilth.core.estimate import Estimate
from tilth.core.trial import Guard, Verdict
from tilth.loop.judge import Evidence, Judgement
from tilth.loop.verdicts import COMPOSITION_SHARE, Reading, decide, decide_retest, shares_by_forecast
from tilth.numerics.error_budget import alpha_of_run
from tilth.numerics.paired_tests import PairedResult

KEPT, REFUSED, UNDECIDED = Verdict.KEPT, Verdict.REFUSED, Verdict.UNDECIDED


def result(gain, p, *, half=0.01):
    return PairedResult(gain=gain, standard_error=half / 2, low=gain - half, high=gain + half, p_value=p)


def guard(change, *, violated, name="label = no", rows=200):
    estimate = Estimate(value=change, low=change - 0.01, high=change + 0.01, standard_error=0.005)
    return Guard(slice=name, rows=rows, change=estimate, p_worse=0.5, violated=violated)


def reading(gain=0.02, p=0.001, p_placebo=None, *, half=0.01, guards=(), needed=None, evidence=Evidence.LABELS):
    judgement = Judgement(
        nothing=result(gain, p, half=half),
        placebo=result(gain, p if p_placebo is None else p_placebo),
        placebo_gain=0.0,
        corrected=None,
        evidence=evidence,
        assumption="",
        n_disagreeing=100,
        n_rows=1000,
    )
    return Reading(judgement=judgement, guards=tuple(guards), answers_needed=needed)


def verdicts(readings, alpha=0.05, **options):
    return [one.verdict for one in decide(readings, alpha, **options)]


# the three verdicts


def test_an_edit_is_kept_if_it_beats_both_nothing_and_its_placebo():
    assert verdicts([reading(p=0.04, p_placebo=0.05)]) == [KEPT]
    assert verdicts([reading(p=0.04, p_placebo=0.0501)]) == [UNDECIDED]
    assert verdicts([reading(p=0.0501, p_placebo=0.04)]) == [UNDECIDED]


def test_p_value_is_the_larger_of_the_two():
    assert reading(p=0.01, p_placebo=0.3).p_value == 0.3
    assert reading(p=0.4, p_placebo=0.3).p_value == 0.4


def test_an_edit_is_refused_if_even_the_upper_end_of_its_gain_is_not_useful():
    assert verdicts([reading(gain=-0.02, p=0.99, half=0.02)]) == [REFUSED]
    assert verdicts([reading(gain=-0.02, p=0.99, half=0.021)]) == [UNDECIDED]
    assert verdicts([reading(gain=0.002, p=0.4, half=0.003)], least_useful_gain=0.005) == [REFUSED]


def test_a_gain_that_is_not_useful_is_not_kept_however_certain():
    assert verdicts([reading(gain=0.004, p=1e-9, half=0.003)], least_useful_gain=0.005) == [UNDECIDED]
    assert verdicts([reading(gain=0.004, p=1e-9, half=0.0005)], least_useful_gain=0.005) == [REFUSED]


def test_a_violated_guard_refuses_what_would_be_kept_and_names_the_worst_slice():
    falls = [guard(-0.03, violated=True), guard(-0.07, violated=True, name="label = yes"), guard(-0.2, violated=False)]
    (decision,) = decide([reading(p=1e-9, guards=falls)], 0.05)
    assert decision.verdict is REFUSED
    assert "'label = yes' fell by 0.0700" in decision.reason


def test_what_is_left_open_says_against_what_and_how_many_answers_would_decide():
    (decision,) = decide([reading(p=0.01, p_placebo=0.2, needed=37)], 0.05)
    assert decision.verdict is UNDECIDED
    assert "its placebo" in decision.reason
    assert "37 answers" in decision.reason
    (decision,) = decide([reading(p=0.3, p_placebo=0.2, needed=37, evidence=Evidence.ANSWERS)], 0.05)
    assert "doing nothing" in decision.reason
    assert "tilth ask" not in decision.reason


# corrections


def test_holm_over_all_finalists_by_hand():
    # sorted .01, .02, .04 -> times 3, 2, 1 -> .03, .04, .04
    decisions = decide([reading(p=0.04), reading(p=0.01), reading(p=0.02)], 0.035)
    assert [round(one.p_adjusted, 6) for one in decisions] == [0.04, 0.03, 0.04]
    assert [one.verdict for one in decisions] == [UNDECIDED, KEPT, UNDECIDED]


def test_a_finalist_that_failed_takes_its_part_of_the_correction():
    assert decide([reading(p=0.01)], 0.015)[0].verdict is KEPT
    (decision,) = decide([reading(p=0.01)], 0.015, shares=[1 / 3])
    assert decision.p_adjusted == pytest.approx(0.03)
    assert decision.verdict is UNDECIDED


def test_who_is_forecast_to_gain_more_may_spend_more():
    assert shares_by_forecast([0.01, 0.03, 0.0]) == pytest.approx([3 / 11, 6 / 11, 2 / 11])
    assert shares_by_forecast([0.0, 0.02, 0.02]) == pytest.approx([2 / 11, 4.5 / 11, 4.5 / 11])
    assert shares_by_forecast([]).shape == (0,)
    equal = decide([reading(p=0.02), reading(p=0.5)], 0.03)
    assert equal[0].verdict is UNDECIDED
    weighted = decide([reading(p=0.02), reading(p=0.5)], 0.031, shares=shares_by_forecast([0.1, 0.0]))
    assert weighted[0].p_adjusted == pytest.approx(0.03)
    assert weighted[0].verdict is KEPT


def test_a_retest_is_corrected_for_all_that_there_could_be():
    assert decide_retest(reading(p=0.01), 0.03, 3).p_adjusted == pytest.approx(0.03)
    assert decide_retest(reading(p=0.01), 0.03, 3).verdict is KEPT
    assert decide_retest(reading(p=0.011), 0.03, 3).verdict is UNDECIDED
    assert decide_retest(reading(p=0.9), 0.03, 3).p_adjusted == 1.0
    assert decide_retest(reading(p=0.01), 0.03, 0).p_adjusted == pytest.approx(0.01)


def test_a_run_spends_its_part_of_alpha_three_quarters_of_it_on_finalists():
    assert COMPOSITION_SHARE == 0.25
    assert alpha_of_run(1) == pytest.approx(0.05 * 6 / math.pi**2)
    assert alpha_of_run(3) == pytest.approx(0.05 * 6 / (9 * math.pi**2))


def test_nothing_tried_nothing_decided():
    assert decide([], 0.05) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.floats(0.0001, 0.2))
def test_no_run_keeps_more_than_holm_allows(p_values, alpha):
    decisions = decide([reading(p=p) for p in p_values], alpha)
    kept = [p for p, one in zip(p_values, decisions, strict=True) if one.verdict is KEPT]
    for rank, p in enumerate(sorted(kept)):
        assert p * (len(p_values) - rank) <= alpha * (1 + 1e-9)
    assert len(kept) == sum(np.array([one.p_adjusted for one in decisions]) <= alpha)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(-0.2, 0.2), st.floats(0.001, 0.1))
def test_refused_and_kept_exclude_each_other(p, p_placebo, gain, half):
    (decision,) = decide([reading(gain, p, p_placebo, half=half)], 0.05)
    if decision.verdict is KEPT:
        assert max(p, p_placebo) <= 0.05
        assert gain > 0
    if decision.verdict is REFUSED:
        assert gain + half <= 0
