"""Slots: what fills a place, what does not, and that words which tell classes apart do not stand for one another."""

from __future__ import annotations

import numpy as np

from tilth.numerics.text_slots import slots_filled, slots_in


def filled(text, slots, share=1.0, kind=0.0):
    return slots_filled(text, np.zeros(len(text) + 1), np.full(len(text) + 1, kind), share, slots)


def test_numbers_and_names_without_labels():
    texts = ["pay 25 now", "pay 40 now", "we met Bob in Paris.", "we met Anna in Rome.", "so good here", "so bad here"]
    assert slots_in(texts) == {
        "in _ .": (("Paris", "Rome"),),
        "met _ in": (("Anna", "Bob"),),
        "pay _ now": (("25", "40"),),
    }
    assert filled("pay 25 now", slots_in(texts)) == "pay 40 now"
    assert filled("pay 99 now", slots_in(texts)) == "pay 99 now", "only what is known fills a slot"
    assert slots_in([]) == {}


def test_plain_words_that_say_the_same_of_the_label():
    pos, neg = ["a great film here", "a lovely film here"] * 8, ["a dull film here", "a poor film here"] * 8
    neutral = ["see this movie again", "see this show again"] * 8
    labels = ["pos"] * 16 + ["neg"] * 16 + ["pos", "pos", "neg", "neg"] * 4
    found = slots_in([*pos, *neg, *neutral], labels)
    assert found["a _ film"] == (("dull", "poor"), ("great", "lovely"))
    assert found["this _ again"] == (("movie", "show"),)
    assert filled("what a great film", found) == "what a lovely film"
    assert "a _ film" not in slots_in([*pos, *neg]), "without labels nobody knows"


def test_neighbours_do_not_both_change_and_articles_agree():
    slots = {"a _ owl": (("big", "tiny"),), "big _ here": (("owl", "dog"),), "buy _ now": (("cars", "owls"),)}
    assert filled("a big owl here", slots) == "a tiny owl here"
    assert filled("get a car", {"a _ ": (("car", "owl"),)}) == "get an owl"


def test_a_share_and_first_words():
    slots = {"x _ x": (("1", "2"),)}
    assert filled("x 1 x 1 x 1 x 1 x", slots, 0.5).count("2") == 2
    assert slots_in(["Bob is here", "Anna is here"]) == {}, "a first word has its capital for another reason"
