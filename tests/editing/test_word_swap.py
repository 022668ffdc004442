"""Word swap: neighbours change places; no word is lost."""

from __future__ import annotations

from transform_rows import changed

from tilth.editing.word_swap import WordSwap
from tilth.operators.transforming import draw_of


def test_words_stay_and_their_order_changes():
    text = " ".join(f"w{i}" for i in range(20))
    for severity in (1, 3, 5):
        after = changed(WordSwap(severity=severity), text)
        assert sorted(after.split()) == sorted(text.split())
        assert after != text


def test_one_word_stays():
    assert changed(WordSwap(severity=5), "alone") == "alone"
    assert draw_of(WordSwap(), 0).seed == 0
