"""Template fill: slots of train rows, with and without labels."""

from __future__ import annotations

import pyarrow as pa
from transform_rows import changed, texts

from tilth.editing.template_fill import TemplateFill
from tilth.operators.transforming import draw_of

TALK = ("call 0800 now", "call 1234 now", "what a fine day", "what a great day", "what a fine day", "what a great day")


def test_what_it_learns_fills_texts():
    made = TemplateFill(severity=5).learn(texts(*TALK))
    assert set(made.slots) == {"call _ now"}
    assert changed(made, "please call 1234 now") == "please call 0800 now"
    told = TemplateFill(severity=5).learn(texts(*TALK), pa.array(["b", "b", "a", "a", "a", "a"]))
    assert changed(told, "what a fine day") == "what a great day"


def test_given_slots_stay_and_none_change_nothing():
    given = TemplateFill(slots={"a _ b": "1 2 | x y"})
    assert [changed(given, text) for text in ("a 1 b", "a y b")] == ["a 2 b", "a x b"]
    assert given.learn(texts(*TALK)) == given
    assert not TemplateFill().apply(texts("call 1234 now"), draw_of(TemplateFill(), 0)).applied.any()


def test_the_order_of_rows_plays_no_part():
    labels = ["b", "b", "a", "a", "a", "a"]
    one = TemplateFill().learn(texts(*TALK), pa.array(labels))
    assert one.slots == TemplateFill().learn(texts(*TALK[::-1]), pa.array(labels[::-1])).slots
