"""Negation: toggles the first negation or auxiliary; the label may be another one."""

from __future__ import annotations

import pytest
from transform_rows import changed, texts

from tilth.editing.negation import Negation
from tilth.operators.transforming import draw_of


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("It is good.", "It isn't good."),
        ("It isn't good.", "It is good."),
        ("I can't go", "I can go"),
        ("We won't", "We will"),
        ("You cannot see", "You can see"),
        ("It's not bad", "It's bad"),
        ("I am here", "I am not here"),
        ("WAS GREAT", "WASN'T GREAT"),
        ("You do not know", "You do know"),
        ("Great!", "Great!"),
    ],
)
def test_by_hand(before, after):
    assert changed(Negation(), before) == after


def test_it_may_turn_the_label_and_says_where_it_does_not_apply():
    after = Negation().apply(texts("It is good.", "Great!", None), draw_of(Negation(), 0))
    assert Negation.label == "set"
    assert after.applied.tolist() == [True, False, False]
