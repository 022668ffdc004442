"""The error budget of a dev split, looks, draws and a person's word, as the log tells them."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from loop_worlds import Log

from tilth.core.estimate import Estimate
from tilth.core.trial import Verdict
from tilth.loop.ledger import Draw, Ledger, dev_key, dev_sketch, estimates
from tilth.numerics.error_budget import alpha_of_run


def ids(*numbers):
    return pa.array([f"r{i}" for i in numbers], pa.string())


def test_a_dev_split_is_named_by_its_rows_whatever_their_order():
    assert dev_key(ids(1, 2, 3)) == dev_key(ids(3, 1, 2))
    assert dev_key(ids(1, 2, 3)) != dev_key(ids(1, 2))
    assert dev_key(ids(1, 2)) != dev_key(ids(1, 3))
    assert dev_key(ids()) == dev_key(ids())


def test_the_same_run_keeps_its_number_and_spends_nothing():
    ledger = Ledger(Log())
    assert [ledger.run_number("d", key) for key in "abab"] == [1, 2, 1, 2]
    assert ledger.runs_spent("d") == 2
    assert ledger.run_number("other dev rows", "a") == 1


def test_what_is_left_is_alpha_minus_what_was_spent():
    ledger = Ledger(Log())
    assert ledger.alpha_left("d", 0.05) == 0.05
    spent = 0.0
    for run in range(1, 51):
        number = ledger.run_number("d", f"run {run}")
        assert number == run
        spent += ledger.alpha_of(number, 0.05)
        assert ledger.alpha_left("d", 0.05) == pytest.approx(0.05 - spent, rel=1e-9)
    assert spent < 0.05
    assert spent == pytest.approx(sum(0.05 * 6 / (math.pi * r) ** 2 for r in range(1, 51)))


def test_a_dev_split_with_new_rows_among_the_old_ones_is_not_fresh():
    ledger = Ledger(Log())
    old, grown, fresh = ids(*range(300)), ids(*range(310)), ids(*range(1000, 1300))
    runs = [ledger.run_number(dev_key(old), f"{i}", dev_sketch(old)) for i in range(3)]
    assert runs == [1, 2, 3]
    assert ledger.run_number(dev_key(grown), "0", dev_sketch(grown)) == 4
    assert ledger.run_number(dev_key(grown), "0", dev_sketch(grown)) == 4
    assert ledger.alpha_of(4, 0.05) == pytest.approx(alpha_of_run(4))
    assert ledger.run_number(dev_key(fresh), "0", dev_sketch(fresh)) == 1


def test_a_sketch_tells_splits_that_share_a_few_rows():
    rng = np.random.default_rng(0)
    for _ in range(20):
        numbers = rng.permutation(100_000)[:8000]
        one, other = ids(*numbers[:4000]), ids(*numbers[3700:7700])  # 300 rows in common of 7,700
        assert not set(dev_sketch(one)).isdisjoint(dev_sketch(other))
        assert set(dev_sketch(one)).isdisjoint(dev_sketch(ids(*numbers[4000:])))


def test_a_look_is_spent_once_and_numbered_on_its_test_split():
    ledger = Ledger(Log())
    figure = Estimate(value=0.5, low=0.4, high=0.6, standard_error=0.05)
    names = {"before": figure, "after": figure, "gain": figure, "corrected_gain": None}
    assert ledger.look("a") is None
    assert ledger.record_look("a", "t", names)["looks"] == 1
    assert ledger.record_look("b", "t", names)["looks"] == 2
    assert ledger.record_look("c", "another", names)["looks"] == 1
    found = ledger.look("a")
    assert found is not None
    assert estimates(found["figures"], ["before", "corrected_gain"]) == [figure, None]


def test_the_last_word_of_a_person_counts():
    ledger = Ledger(Log())
    ledger.overrule("e1", Verdict.ADOPTED)
    ledger.overrule("e2", Verdict.VETOED)
    ledger.overrule("e1", Verdict.VETOED)
    assert ledger.overruled() == {"e1": Verdict.VETOED, "e2": Verdict.VETOED}


def test_a_draw_is_kept_once():
    ledger = Ledger(Log())
    draw = Draw(purpose="decide", edit="e", parent="v", split="dev", ids=("a", "b"), n_disagreeing=5, n_rows=9)
    ledger.record_draw(draw)
    ledger.record_draw(draw)
    assert ledger.draws() == [draw]
