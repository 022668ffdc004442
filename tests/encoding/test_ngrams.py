"""Hashed n-grams against the same n-grams written as loops."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilth.encoding import _ngrams
from tilth.encoding._ngrams import Counts, ngram_counts


def hashed(texts: list[str | None]) -> tuple[Counts, Counts]:
    return ngram_counts(pa.array(texts, pa.string()), words=(1, 2), characters=(3, 5), bits=32)


def words_of(text: str) -> Counter:
    words = "".join(sign if sign.isalnum() else " " for sign in text.lower()).split()
    return Counter([*words, *pairwise(words)])


def characters_of(text: str) -> Counter:
    padded = [f" {word} " for word in text.lower().split()]
    return Counter(word[i : i + n] for word in padded for n in (3, 4, 5) for i in range(len(word) - n + 1))


def times_of(counts: Counts, row: int) -> list[int]:
    return sorted(counts.times[counts.rows == row].tolist())


TEXTS = st.lists(st.text(alphabet="ab1 .!é雨", max_size=12), min_size=1, max_size=6)


@given(TEXTS)
def test_counts_are_those_of_loops(texts: list[str]) -> None:
    words, characters = hashed(texts)
    for row, text in enumerate(texts):
        assert times_of(words, row) == sorted(words_of(text).values())
        assert times_of(characters, row) == sorted(characters_of(text).values())


@given(TEXTS, TEXTS)
def test_equal_ngrams_share_a_bucket_and_others_do_not(left: list[str], right: list[str]) -> None:
    texts = left + right
    for counts, ngrams in zip(hashed(texts), (words_of, characters_of), strict=True):
        assert len(np.unique(counts.buckets)) == len({gram for text in texts for gram in ngrams(text)})


def test_a_row_does_not_depend_on_its_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["Grüß Gott, Welt!", "", None, "spade & seed", "雨が降る", "x" * 40]
    whole = hashed(texts)
    monkeypatch.setattr(_ngrams, "_CHUNK", 8)
    for one, other in zip(whole, hashed(texts), strict=True):
        for name in ("rows", "buckets", "times"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_case_width_and_blanks_are_folded() -> None:
    (one, two), _ = hashed(["Ｓoil\t\n RAIN"]), None
    (plain, characters) = hashed(["soil rain"])
    np.testing.assert_array_equal(one.buckets, plain.buckets)
    np.testing.assert_array_equal(two.buckets, characters.buckets)


def test_no_text_has_no_ngrams() -> None:
    for texts in ([], [None, ""], ["  "]):
        for counts in hashed(texts):
            assert counts.n_rows == len(texts) and not len(counts.rows)
