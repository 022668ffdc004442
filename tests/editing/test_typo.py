"""Typos: at a share of the letters, at least one; stronger ones contain weaker ones."""

from __future__ import annotations

import pytest
from transform_rows import changed, texts

from tilth.core.errors import ConfigError, NotApplicable
from tilth.editing.typo import Typo
from tilth.operators.transforming import draw_of

LONG = "the quick brown fox jumps over the lazy dog " * 10


def test_the_share_of_letters_rises_with_severity():
    def distance(severity):
        after = changed(Typo(severity=severity), LONG)
        return abs(len(after) - len(LONG)) + sum(a != b for a, b in zip(after.split(), LONG.split(), strict=False))

    found = [distance(severity) for severity in (1, 2, 3, 4, 5)]
    assert found == sorted(found)
    assert found[0] >= 1


def test_a_short_text_gets_one_and_what_has_no_letter_none():
    batch = texts("ok", "123 !", "", None)
    after = Typo(severity=1).apply(batch, draw_of(Typo(), 0))
    assert after.applied.tolist() == [True, False, False, False]
    assert after.columns["text"].to_pylist()[1:] == ["123 !", "", None]


def test_another_seed_makes_other_slips():
    batch = texts(LONG)
    made = [Typo().apply(batch, draw_of(Typo(), seed)).columns["text"][0].as_py() for seed in (0, 1, 0)]
    assert made[0] != made[1]
    assert made[0] == made[2]


def test_what_it_refuses():
    with pytest.raises(ConfigError, match="severity cannot be 6"):
        Typo(severity=6)
    with pytest.raises(NotApplicable, match="columns of type text"):
        Typo().apply(texts(numbers=[1.0]), draw_of(Typo(), 0))
