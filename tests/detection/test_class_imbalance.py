"""class_imbalance: by hand, rare and scarce classes, even worlds, parity with scipy's entropy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from tilth.core.errors import NotApplicable
from tilth.detection.class_imbalance import ClassImbalance, effective_classes


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


def test_even_classes_are_left_alone(view_of):
    assert ClassImbalance().find(view_of(ClassImbalance(), labels=np.repeat([0, 1], [60, 50]))) == []


def test_unlabelled_rows_do_not_count(view_of):
    labels, labelled = np.repeat([0, 1], [500, 50]), np.arange(550) >= 450
    assert ClassImbalance().find(view_of(ClassImbalance(), labels=labels, labelled=labelled)) == []


def test_refusals(view_of):
    with pytest.raises(NotApplicable, match="number"):
        ClassImbalance().find(view_of(ClassImbalance(), classes=(), numbers=np.zeros(5)))
    with pytest.raises(NotApplicable):
        ClassImbalance().find(view_of(ClassImbalance(), labels=np.zeros(0, int)))
