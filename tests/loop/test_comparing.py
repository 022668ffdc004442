"""comparing: two models on the same rows: by hand, planted regressions, how often chance is taken for one."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.core.comparison import Comparison
from tilth.core.errors import NotApplicable
from tilth.loop.comparing import TwoModels, compare
from tilth.operators.registry import make
from tilth.reporting.comparison import comparison_screen
from tilth.reporting.text import as_text

ACCURACY = make("evaluation", "accuracy")


def models(right_before, right_after, labels=None, groups=None):
    """Two models of two classes that are right on the rows that are named."""
    labels = np.zeros(len(right_before), dtype=int) if labels is None else labels
    old, new = (np.eye(2)[np.where(right, labels, 1 - labels)] for right in (right_before, right_after))
    return TwoModels(labels=labels, old=old, new=new, groups=groups)


def drawn(rng, n=2000, changes=0.1):
    labels = rng.integers(0, 2, n)
    before = rng.random(n) < 0.8
    after = np.where(rng.random(n) < changes, rng.random(n) < 0.8, before)
    return models(before, after, labels)


def test_by_hand():
    found = compare(models(np.array([1, 1, 0, 0]) > 0, np.array([1, 1, 1, 0]) > 0), ACCURACY)
    assert (found.overall.before.value, found.overall.after.value, found.overall.gain.value) == (0.5, 0.75, 0.25)
    assert found.overall.rows == 4


def test_a_planted_regression_comes_first():
    rng = np.random.default_rng(0)
    both = drawn(rng)
    slices = {f"s{i}": np.arange(2000) % 10 == i for i in range(10)}
    new = both.new.copy()
    hurt = slices["s3"] & (rng.random(2000) < 0.3)
    new[hurt] = new[hurt][:, ::-1]
    found = compare(
        TwoModels(labels=both.labels, old=both.old, new=new), ACCURACY, classes=("no", "yes"), slices=slices
    )
    assert found.slices[0].name == "s3"
    assert "s3" in [one.name for one in found.regressions]
    assert found.worst_slice.name == "s3"
    assert {one.name for one in found.classes} == {"no", "yes"}
    screen = as_text(comparison_screen(found), 140)
    assert "s3" in screen and "Became worse" in screen


@pytest.mark.parametrize("control", ["holm", "bh"])
def test_chance_is_rarely_taken_for_a_regression(control):
    wrong = 0
    for seed in range(200):
        rng = np.random.default_rng([1, seed])
        both = drawn(rng, n=800)
        slices = {f"s{i}": np.arange(800) % 8 == i for i in range(8)}
        wrong += any(one.is_worse for one in compare(both, ACCURACY, slices=slices, control=control).slices)
    assert wrong / 200 <= 0.09


def test_what_is_not_defined_is_left_out_with_the_reason():
    both = models(np.array([True, True, False]), np.array([True, False, True]))
    found = compare(both, ACCURACY, slices={"none": np.zeros(3, dtype=bool)}, classes=("a", "b"))
    assert found.left_out == {"none": "accuracy is not defined: there is no row"}


def test_no_row_at_all_is_refused():
    with pytest.raises(NotApplicable, match="there is no row"):
        compare(models(np.zeros(0, dtype=bool), np.zeros(0, dtype=bool)), ACCURACY)


def test_groups_make_it_less_sure():
    rng = np.random.default_rng(2)
    both = drawn(rng, n=200)
    often = np.tile(np.arange(200), 6)
    copied = both.only(often)
    blind = compare(copied, ACCURACY).overall.gain
    told = compare(TwoModels(labels=copied.labels, old=copied.old, new=copied.new, groups=often), ACCURACY).overall.gain
    assert told.high - told.low > 2 * (blind.high - blind.low)


def test_numbers_have_no_classes():
    truth = np.arange(50.0)
    both = TwoModels(labels=truth, old=truth[:, None] + 2, new=truth[:, None] + 1)
    found = compare(both, make("evaluation", "mae"))
    assert (found.overall.gain.value, found.classes, found.class_metric) == (1.0, (), "")
    assert "mean absolute error" in as_text(comparison_screen(found))


def test_it_comes_back_from_plain_values():
    found = compare(drawn(np.random.default_rng(3), 300), ACCURACY, classes=("no", "yes"))
    assert Comparison.from_dict(found.to_dict()) == found
