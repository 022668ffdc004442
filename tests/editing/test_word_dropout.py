"""Word dropout: a share of the words, never all."""

from __future__ import annotations

from transform_rows import changed

from tilth.editing.word_dropout import WordDropout
from tilth.operators.transforming import draw_of


def test_a_share_of_the_words():
    words = [f"w{i}" for i in range(20)]
    after = changed(WordDropout(severity=3), " ".join(words)).split()
    assert len(after) == 16
    assert [word for word in words if word in after] == after, "in their order"


def test_never_all():
    assert changed(WordDropout(severity=5), "alone") == "alone"
    assert len(changed(WordDropout(severity=5), "two words").split()) == 1
    assert draw_of(WordDropout(), 0).step == ("transform", "WordDropout")
