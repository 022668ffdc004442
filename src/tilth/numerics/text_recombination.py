"""Texts made of parts of others: sentences and clauses exchanged, and slots where two texts of one pattern differ.

    parts  a text of several sentences, or else clauses, takes one part from a partner, at the same end of it
    slots  two texts that agree but for several spans of words: some of the spans come from the partner

What comes out is no text that was there before.

Source: Andreas (2020), Good-Enough Compositional Data Augmentation, ACL (fragments that occur in one context are exchanged); Jia, Liang
(2016), Data Recombination for Neural Semantic Parsing, ACL.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["normal_form", "parts_of", "recombined", "with_part", "with_slots"]

_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")
_CLAUSE = re.compile(r"(?<=,)\s+|\s+(?=(?:and|but|because|so|or|when|if|while)\s)")
_SPACE = re.compile(r"\s+")
LEAST_ALIKE = 0.5
"""Share of the words that two texts of one pattern have in common, in their order."""


def normal_form(text: str) -> str:
    """Return a text as it is compared: without cases and without runs of blanks."""
    return _SPACE.sub(" ", text).strip().casefold()


def parts_of(text: str) -> list[str]:
    """Return the sentences of a text, or the clauses where it is one sentence.

    Examples
    --------
    >>> parts_of("It broke. I want my money back!")
    ['It broke.', 'I want my money back!']
    >>> parts_of("It broke, and I want my money back")
    ['It broke,', 'and I want my money back']
    """
    parts = [part for part in _SENTENCE.split(text.strip()) if part]
    return parts if len(parts) > 1 else [part for part in _CLAUSE.split(text.strip()) if part]


def with_part(text: str, other: str, where: float) -> str | None:
    """Return a text in which one part is the other's at the same share of its length, `where` in [0, 1); None where one has one part.

    Examples
    --------
    >>> with_part("It broke. I am sad.", "It is late. Send it back.", 0.6)
    'It broke. Send it back.'
    """
    mine, theirs = parts_of(text), parts_of(other)
    if len(mine) < 2 or len(theirs) < 2:
        return None
    at, of = int(where * len(mine)), int(where * len(theirs))
    return " ".join([*mine[:at], theirs[of], *mine[at + 1 :]])


def with_slots(text: str, other: str, where: float) -> str | None:
    """Return a text in which some, not all, of the spans that differ from the other are the other's; None where that is not two texts
    of one pattern.

    Examples
    --------
    >>> with_slots("send 20 euros to anna today", "send 50 euros to ben today", 0.0)
    'send 50 euros to anna today'
    """
    mine, theirs = text.split(), other.split()
    plain = [[word.casefold() for word in words] for words in (mine, theirs)]
    matcher = SequenceMatcher(None, plain[0], plain[1], autojunk=False)
    spans = [op for op in matcher.get_opcodes() if op[0] != "equal"]
    if len(spans) < 2 or matcher.ratio() < LEAST_ALIKE:
        return None
    taken = spans[int(where * len(spans))]
    _, start, end, first, last = taken
    return " ".join([*mine[:start], *theirs[first:last], *mine[end:]])


def recombined(text: str, partners: Sequence[str], where: float, known: Collection[str]) -> tuple[str, int] | None:
    """Return a text that was not there and which partner it is made with; parts first, then slots; None where nothing new comes out.

    `known` are normal forms of the texts that are there.
    """
    for make in (with_part, with_slots):
        for place, other in enumerate(partners):
            made = make(text, other, where)
            if made is not None and normal_form(made) and normal_form(made) not in known:
                return made, place
    return None
