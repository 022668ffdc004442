"""class_imbalance: by hand, rare and scarce classes, even worlds, parity with scipy's entropy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, entropy

from tilth.core.errors import NotApplicable
from tilth.detection.class_imbalance import ClassImbalance, effective_classes, rare_classes


def test_by_hand():
    assert effective_classes(np.array([7, 7, 7])) == pytest.approx(3)
    assert effective_classes(np.array([9, 0])) == 1.0
    assert effective_classes(np.array([1, 1, 2])) == pytest.approx(2**1.5)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=20).filter(any))
def test_parity_with_scipy(counts):
    assert effective_classes(np.array(counts)) == pytest.approx(np.exp(entropy(counts)))


def test_a_rare_class_is_reported(view_of):
    labels = np.repeat([0, 1], [950, 50])
    (finding,) = ClassImbalance().find(view_of(ClassImbalance(), labels=labels))
    assert finding.columns == ("label",)
    assert "'yes' holds 50 of 1,000 train rows (5 %)" in finding.summary
    assert finding.overall == pytest.approx(2 - np.exp(entropy([95, 5])))


def test_scarce_and_empty_classes_are_named(view_of):
    labels = np.repeat([0, 1, 2], [100, 100, 6])
    (finding,) = ClassImbalance().find(view_of(ClassImbalance(), classes=tuple("abcd"), labels=labels))
    assert "'d', 'c' have fewer than 20 train rows" in finding.summary
    assert "merge" in finding.suggestion


@pytest.mark.parametrize("counts", [(60, 50), (18, 17), (3, 2), (700, 301), (260, 740), (8, 2), (0, 4)])
def test_nearly_even_classes_and_few_rows_are_left_alone(view_of, counts):
    assert ClassImbalance().find(view_of(ClassImbalance(), labels=np.repeat([0, 1], counts))) == []


def test_rare_classes_by_hand():
    assert rare_classes(np.array([0, 10])).tolist() == []  # 0.75^10 = 0.056
    assert rare_classes(np.array([0, 13])).tolist() == [0]  # 0.75^13 = 0.0238 <= 0.05 / 2
    assert rare_classes(np.array([300, 9, 300, 0])).tolist() == [1, 3]
    assert rare_classes(np.array([240, 760])).tolist() == []  # under half an even share, but not surely so
    assert rare_classes(np.array([7])).tolist() == []


@given(st.lists(st.integers(0, 300), min_size=2, max_size=12).filter(any))
def test_rare_classes_are_those_that_a_binomial_test_puts_under_half_an_even_share(counts):
    k, n = len(counts), sum(counts)
    p_values = binom.cdf(np.array(counts), n, 0.5 / k)
    wanted = [c for c in range(k) if counts[c] < 0.5 * n / k and p_values[c] <= 0.05 / k]
    assert rare_classes(np.array(counts)).tolist() == wanted


def test_even_worlds_are_left_alone_by_chance_too():
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(60, np.full(10, 0.1), size=2000)
    assert (drawn.min(axis=1) < 3).mean() > 0.3  # chance alone often leaves a class under half its share
    assert np.mean([len(rare_classes(one)) > 0 for one in drawn]) < 0.05


def test_unlabelled_rows_do_not_count(view_of):
    labels, labelled = np.repeat([0, 1], [500, 50]), np.arange(550) >= 450
    assert ClassImbalance().find(view_of(ClassImbalance(), labels=labels, labelled=labelled)) == []


def test_refusals(view_of):
    with pytest.raises(NotApplicable, match="number"):
        ClassImbalance().find(view_of(ClassImbalance(), classes=(), numbers=np.zeros(5)))
    with pytest.raises(NotApplicable):
        ClassImbalance().find(view_of(ClassImbalance(), labels=np.zeros(0, int)))
