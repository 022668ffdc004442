"""Changes of one text: what they keep, and that a stronger change contains a weaker one."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest

from tilth.numerics.text_changes import negated, numbers_moved, typed, words_cased, words_dropped, words_swapped

TEXTS = ["Der Bär isst 3 Äpfel.", "a", "1 2 3", "  spaces  around ", "émile's naïve café", "混ぜた text 123", "x" * 40]


def numbers(text, seed=0):
    return np.random.default_rng(seed).random((2, len(text) + 1))


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("share", [0.01, 0.3, 1.0])
def test_nothing_but_what_is_promised(text, share):
    order, kind = numbers(text)
    assert sorted(words_swapped(text, order, share).split()) == sorted(text.split())
    assert words_cased(text, order, share, "upper").lower() == text.lower()
    left = words_dropped(text, order, share).split()
    assert left
    assert all(word in text.split() for word in left)
    assert abs(len(typed(text, order, kind, share)) - len(text)) <= max(1, round(share * len(text)))
    assert re.sub(r"\d", "", numbers_moved(text, kind, share)) == re.sub(r"\d", "", text)


def test_more_contains_less():
    text = " ".join(f"word{chr(97 + i)}" for i in range(26))
    order, _ = numbers(text)
    changed = [
        {at for at, sign in enumerate(words_cased(text, order, share, "upper")) if sign.isupper()}
        for share in (0.1, 0.3, 0.8)
    ]
    assert all(less < more for less, more in pairwise(changed))
    left = [set(words_dropped(text, order, share).split()) for share in (0.1, 0.3, 0.8)]
    assert all(more < less for less, more in pairwise(left))


def test_negation_and_back():
    for text in ("It is so", "They can go", "She was there, and he is not"):
        assert negated(text) != text
    assert negated(negated("They can go")) == "They can go"
    assert negated("want wont") == "want will"
    assert negated("") == ""
