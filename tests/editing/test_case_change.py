"""Case change: a share of the words that the change concerns."""

from __future__ import annotations

import pytest
from transform_rows import changed, texts

from tilth.core.errors import ConfigError
from tilth.editing.case_change import CaseChange
from tilth.operators.transforming import draw_of


def test_by_hand():
    assert changed(CaseChange(severity=5, to="upper"), "Free entry, don't miss") == "FREE ENTRY, DON'T MISS"
    assert changed(CaseChange(severity=5, to="lower"), "FREE Entry") == "free entry"
    assert changed(CaseChange(severity=5, to="title"), "free entry") == "Free Entry"
    assert changed(CaseChange(severity=5), "FREE entry") == "free ENTRY"


def test_a_share_of_the_words():
    after = changed(CaseChange(severity=3, to="upper"), "a b c d e f g h")
    assert sum(word.isupper() for word in after.split()) == 4


def test_what_is_in_that_case_already_stays():
    assert not CaseChange(to="lower").apply(texts("abc"), draw_of(CaseChange(), 0)).applied.any()


def test_an_unknown_case_is_refused():
    with pytest.raises(ConfigError, match="to cannot be 'camel'"):
        CaseChange(to="camel")
