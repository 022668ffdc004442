"""Articles: by hand, with the words that are not spoken as they are spelt."""

from __future__ import annotations

import pytest

from tilth.numerics.articles import article_for, articled, takes_an


@pytest.mark.parametrize(
    "word", ["apple", "Hour", "honest", "umbrella", "uninteresting", "unidentified", "école", "owl", "ox"]
)
def test_an(word):
    assert takes_an(word)


@pytest.mark.parametrize("word", ["car", "house", "university", "user", "European", "one", "unique", "UK", "7"])
def test_a(word):
    assert not takes_an(word)


def test_the_article_keeps_its_case():
    assert [article_for(one, "owl") for one in ("a", "A", "An", "AN")] == ["an", "An", "An", "An"]
    assert article_for("A", "OWL") == "AN"
    assert article_for("AN", "CAR") == "A"


def test_only_an_article_right_before_the_word_changes():
    assert articled("a car", 2, "car", "owl") == (0, 1, "an")
    assert articled("banana car", 7, "car", "owl") is None
    assert articled("a, car", 3, "car", "owl") is None
    assert articled("an car", 3, "car", "owl") is None
    assert articled("vitamin-a car", 10, "car", "owl") is None
