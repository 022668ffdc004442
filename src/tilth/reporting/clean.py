"""Clean text: cells and messages are strangers' input; what a terminal or a browser would obey is made visible."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["brief", "listed", "one_line", "shortened", "visible"]

LONGEST_WORD = 120
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def visible(text: str) -> str:
    r"""Return text whose control signs and turns of direction are written out: \x1b, \u202e."""
    text = _LONE_SURROGATE.sub("\ufffd", text.replace("\r\n", "\n"))
    return _OBEYED.sub(lambda sign: sign.group().encode("unicode_escape").decode(), text)


def one_line(text: str) -> str:
    """Return visible text on one line, with single spaces."""
    return visible(" ".join(text.split()))


def shortened(text: str, longest: int) -> str:
    """Return visible text of at most so many signs, and say how many there were."""
    if len(text) <= longest:
        return visible(text)
    return f"{visible(text[:longest].rstrip())} … ({len(text):,} signs in all)"


def brief(text: str, longest: int = 400) -> str:
    """Return clean text on one line of at most so many signs, and say how many there were."""
    line = one_line(text[: 2 * longest])
    if len(text) <= 2 * longest and len(line) <= longest:
        return line
    return f"{line[:longest].rstrip()} … ({len(text):,} signs in all)"


def listed(words: Iterable[str], most: int) -> str:
    """Return the first words on one line and how many more there are: "a, b, c and 74 more"."""
    items = list(words)
    shown = ", ".join(brief(word, LONGEST_WORD) for word in items[:most])
    return shown if len(items) <= most else f"{shown} and {len(items) - most:,} more"
