"""text_recombination: parts and slots by hand, and nothing that was there."""

from __future__ import annotations

from tilth.numerics.text_recombination import normal_form, parts_of, recombined, with_part, with_slots


def test_parts_are_sentences_or_else_clauses():
    assert parts_of("It broke. I want my money back!") == ["It broke.", "I want my money back!"]
    assert parts_of("It broke, and I wait") == ["It broke,", "and I wait"]
    assert parts_of("one") == ["one"]
    assert parts_of("  ") == []


def test_a_part_comes_from_the_same_end():
    assert with_part("A one. B two.", "C three. D four. E five.", 0.9) == "A one. E five."
    assert with_part("A one. B two.", "C three. D four.", 0.0) == "C three. B two."
    assert with_part("A one.", "C three. D four.", 0.0) is None


def test_a_slot_is_filled_and_another_stays():
    mine, other = "send 20 euros to anna today", "send 50 euros to ben today"
    assert with_slots(mine, other, 0.0) == "send 50 euros to anna today"
    assert with_slots(mine, other, 0.9) == "send 20 euros to ben today"
    assert with_slots(mine, "send 50 euros to anna today", 0.0) is None, "one slot gives the other text"
    assert with_slots(mine, "quite another thing", 0.0) is None
    assert with_slots("", mine, 0.0) is None


def test_what_comes_out_is_new():
    mine, other = "send 20 euros to anna today", "send 50 euros to ben today"
    known = {normal_form(text) for text in (mine, other, "Send 50  euros to Anna today")}
    assert recombined(mine, [other], 0.0, known) is None
    assert recombined(mine, [other], 0.9, known) == ("send 20 euros to ben today", 0)
    assert recombined(mine, ["no such pattern", other], 0.9, known) == ("send 20 euros to ben today", 1)
