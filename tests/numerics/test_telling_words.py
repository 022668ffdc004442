"""Telling words: by hand, planted words, no stop words, no term twice."""

from __future__ import annotations

import numpy as np
import pytest

from tilth.numerics.telling_words import STOP_WORDS, log_odds, telling_terms


def test_by_hand():
    inside, outside, prior = np.array([7.0, 3.0]), np.array([3.0, 7.0]), np.array([1.0, 1.0])
    difference = np.log(8 / 4) - np.log(4 / 8)
    assert log_odds(inside, outside, prior)[0] == pytest.approx(difference / np.sqrt(1 / 8 + 1 / 4))


def test_planted_words_among_common_ones():
    rng = np.random.default_rng(0)
    common = [f"word{chr(97 + i)}" for i in range(20)]
    said, inside = [], np.arange(400) < 40
    for is_in in inside:
        words = list(rng.choice(common, 8)) + ["the", "of", "and"]
        said.append(" ".join([*words, "exchange rate"] if is_in and rng.random() < 0.7 else words))
    assert telling_terms(said, inside)[:2] == ["exchange", "rate"]


def test_stop_words_alone_are_no_term():
    said = ["is it to be or not to be"] * 30 + ["card"] * 30
    assert telling_terms(said, np.arange(60) < 30) == []
    for term in telling_terms(["where is my new card"] * 30 + ["salary"] * 30, np.arange(60) < 30):
        assert not set(term.split()) <= STOP_WORDS


def test_missing_texts_and_no_texts():
    assert telling_terms([None, "", None], np.array([True, False, True])) == []
    assert telling_terms([], np.zeros(0, dtype=bool)) == []
