"""Number jitter: by up to a share, with as many digits behind the point."""

from __future__ import annotations

import re

from transform_rows import changed, texts

from tilth.editing.number_jitter import NumberJitter
from tilth.operators.transforming import draw_of


def test_within_the_width():
    for severity, width in ((1, 0.05), (3, 0.25), (5, 0.9)):
        after = changed(NumberJitter(severity=severity), "pay 1000 or 20.00 to us")
        whole, part = (float(one) for one in re.findall(r"[\d.]+", after))
        assert abs(whole - 1000) <= 1000 * width
        assert whole != 1000
        assert abs(part - 20) <= 20 * width
        assert re.search(r"\.\d\d to us", after)


def test_codes_keep_their_length():
    after = changed(NumberJitter(severity=5), "call 08001234567")
    assert after != "call 08001234567"
    assert after[:-1] == "call 0800123456"


def test_words_with_digits_and_texts_without_numbers_stay():
    after = NumberJitter().apply(texts("win4u b2b", "none"), draw_of(NumberJitter(), 0))
    assert not after.applied.any()
