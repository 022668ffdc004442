"""Changes of one text, each a function of the text and of numbers in [0, 1) drawn per sign: typing slips, case, words, numbers.

Signs and words are chosen by the numbers at their first sign: the k least are changed. So a stronger change of the same text
with the same numbers contains a weaker one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from tilth.core.arrays import Vector
from tilth.numerics.articles import articled

__all__ = [
    "CASES",
    "in_case_of",
    "negated",
    "numbers_moved",
    "typed",
    "words_cased",
    "words_dropped",
    "words_replaced",
    "words_swapped",
]

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
"""A word of letters, with apostrophes inside."""
PART = re.compile(r"\S+")
"""What stands between spaces."""
NUMBER = re.compile(r"(?<![\w.,])\d+(?:[.,]\d+)?(?![\w])")
LONGEST_NUMBER = 9
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_BESIDE = {sign: row[max(at - 1, 0) : at] + row[at + 1 : at + 2] for row in _ROWS for at, sign in enumerate(row)}
CASES: Mapping[str, Callable[[str], str]] = {
    "swap": lambda word: word.lower() if word.isupper() else word.upper(),
    "lower": str.lower,
    "upper": str.upper,
    "title": lambda word: word[:1].upper() + word[1:].lower(),
}
"""What a word's case may become."""


def _least(places: Sequence[int], order: Vector, n: int) -> list[int]:
    """Return the n places with the least numbers, in their order in the text."""
    ranked = sorted(places, key=lambda place: float(order[place]))
    return sorted(ranked[: max(n, 0)])


def _count(n: int, share: float) -> int:
    """Return a share of n things, at least one."""
    return max(1, round(share * n))


def typed(text: str, order: Vector, kind: Vector, share: float) -> str:
    """Return a text with slips of typing at a share of its letters, at least one.

    A letter changes places with the next, is left out, typed twice, or becomes a neighbour on the keyboard.

    Parameters
    ----------
    text : n signs
    order, kind : (n + 1,) in [0, 1): which letters, and which slip
    share : of the letters, in (0, 1]

    Examples
    --------
    >>> import numpy as np
    >>> typed("hello", np.array([0.9, 0.1, 0.8, 0.7, 0.6, 0]), np.full(6, 0.6), 0.2)
    'heello'
    """
    letters = [at for at, sign in enumerate(text) if sign.isalpha()]
    signs = list(text)
    for at in reversed(_least(letters, order, _count(len(letters), share))):
        _slip(signs, text, at, float(kind[at]))
    return "".join(signs)


def _slip(signs: list[str], text: str, at: int, kind: float) -> None:
    following = text[at + 1] if at + 1 < len(text) else ""
    if kind < 0.25 and following.isalpha() and following != text[at] and len(signs[at + 1]) == 1:
        signs[at], signs[at + 1] = signs[at + 1], signs[at]
    elif 0.25 <= kind < 0.5 and (following.isalpha() or (at and text[at - 1].isalpha())):
        signs[at] = ""
    elif kind >= 0.75 and (beside := _BESIDE.get(text[at].lower())):
        other = beside[int((kind - 0.75) * 4 * len(beside))]
        signs[at] = other.upper() if text[at].isupper() else other
    else:
        signs[at] += text[at].lower()


def words_cased(text: str, order: Vector, share: float, to: str) -> str:
    """Return a text in which a share of the words that another case would change has it, at least one; (n + 1,) numbers.

    Examples
    --------
    >>> import numpy as np
    >>> words_cased("free entry", np.array([0.2] * 5 + [0.1] * 6), 0.5, "upper")
    'free ENTRY'
    """
    found = {m.start(): m for m in WORD.finditer(text) if CASES[to](m.group()) != m.group()}
    places = _least(list(found), order, _count(len(found), share))
    return _replaced(text, [(found[at].start(), found[at].end(), CASES[to](found[at].group())) for at in places])


def words_dropped(text: str, order: Vector, share: float) -> str:
    """Return a text without a share of its words, at least one and never all; (n + 1,) numbers.

    Examples
    --------
    >>> import numpy as np
    >>> words_dropped("not very good", np.array([0.5] * 4 + [0.1] * 5 + [0.5] * 5), 0.3)
    'not good'
    """
    found = {m.start(): m for m in PART.finditer(text)}
    places = _least(list(found), order, min(_count(len(found), share), len(found) - 1))
    starts = [*found, len(text)]
    ends = dict(zip(found, starts[1:], strict=True))
    left = _replaced(text, [(at, ends[at], "") for at in places])
    return left.rstrip() if text and not text[-1].isspace() else left


def words_swapped(text: str, order: Vector, share: float) -> str:
    """Return a text in which a share of its words has changed places with the next, at least one; (n + 1,) numbers.

    Examples
    --------
    >>> import numpy as np
    >>> words_swapped("call me now", np.array([0.1] + [0.5] * 11), 0.3)
    'me call now'
    """
    found = list(PART.finditer(text))
    first = {one.start(): place for place, one in enumerate(found[:-1])}
    changes, moved = [], set[int]()
    for at in _least(list(first), order, _count(len(found), share)):
        place = first[at]
        one, other = found[place], found[place + 1]
        if not {place, place + 1} & moved and one.group() != other.group():
            moved |= {place, place + 1}
            changes.append((one.start(), other.end(), other.group() + text[one.end() : other.start()] + one.group()))
    return _replaced(text, changes)


def words_replaced(
    text: str,
    order: Vector,
    kind: Vector,
    share: float,
    others: Mapping[str, Sequence[str]],
    *,
    articles: bool = False,
) -> str:
    """Return a text with a share of the words that have others in their place replaced by one of these, at least one.

    Parameters
    ----------
    text : n signs
    order, kind : (n + 1,) in [0, 1): which words, and by which
    share : of the words that have others
    others : word in lower case -> the words that may stand for it; the case of the word's letters is kept
    articles : whether "a" and "an" before a word agree with it afterwards, as in English

    Examples
    --------
    >>> import numpy as np
    >>> words_replaced("A Big dog", np.zeros(10), np.zeros(10), 1.0, {"big": ["large"]})
    'A Large dog'
    """
    found = {m.start(): m for m in WORD.finditer(text) if others.get(m.group().lower())}
    changes = []
    for at in _least(list(found), order, _count(len(found), share)):
        word = found[at].group()
        choice = others[word.lower()]
        other = in_case_of(word, choice[int(kind[at] * len(choice))])
        changes.append((at, found[at].end(), other))
        if articles and (article := articled(text, at, word, other)) is not None:
            changes.append(article)
    return _replaced(text, changes)


def in_case_of(word: str, other: str) -> str:
    """Return another word in the case of a word: all capitals, a capital first, or as it is.

    Examples
    --------
    >>> in_case_of("BIG", "large"), in_case_of("Big", "large"), in_case_of("big", "large")
    ('LARGE', 'Large', 'large')
    """
    if len(word) > 1 and word.isupper():
        return other.upper()
    return other[:1].upper() + other[1:] if word[:1].isupper() else other


def numbers_moved(text: str, kind: Vector, width: float) -> str:
    """Return a text whose numbers are moved by up to a share of themselves, at least by one in the last place; (n + 1,) numbers.

    Digits behind the point stay as many. Of what counts nothing (a leading zero, more than nine digits: a code, a telephone)
    the last digit alone is another.

    Examples
    --------
    >>> import numpy as np
    >>> numbers_moved("7.50 for 2", np.full(11, 0.999), 0.1)
    '8.25 for 3'
    """
    changes = []
    for found in NUMBER.finditer(text):
        at, raw = found.start(), found.group()
        changes.append((at, found.end(), _moved(raw, float(kind[at]), width)))
    return _replaced(text, changes)


def _moved(raw: str, kind: float, width: float) -> str:
    mark = next((sign for sign in raw if sign in ".,"), "")
    whole, _, behind = raw.partition(mark) if mark else (raw, "", "")
    if len(whole) + len(behind) > LONGEST_NUMBER or (len(whole) > 1 and whole[0] == "0"):
        return raw[:-1] + str((int(raw[-1]) + 1 + int(kind * 9)) % 10)
    old = int(whole + behind)
    new = round(old * (1 + width * (2 * kind - 1)))
    if new == old:
        new = old + 1 if kind >= 0.5 or old == 0 else old - 1
    digits = str(new).rjust(len(behind) + 1, "0")
    return digits[: len(digits) - len(behind)] + mark + digits[len(digits) - len(behind) :] if mark else digits


# -- negation ----------------------------------------------------------------------------------------------------------

_NEGATED = re.compile(
    r"\b(?P<short>ca|wo|sha)n['’]?t\b|\b(?P<verb>is|are|was|were|do|does|did|has|have|had|could|would|should|must|need)n['’]t\b"
    r"|\b(?P<can>can)not\b|(?P<clipped>['’](?:s|re|m|ll|d|ve))\s+not\b"
    r"|\b(?P<plain>am|is|are|was|were|do|does|did|has|have|had|can|could|will|would|shall|should|must|may|might)\s+not\b",
    re.IGNORECASE,
)
_POSITIVE = re.compile(
    r"\b(?:(?P<am>am)|(?P<verb>is|are|was|were|does|did|could|would|should|must|can|will))\b(?!\s+not\b|n['’]t)",
    re.IGNORECASE,
)
_WHOLE = {"ca": "can", "wo": "will", "sha": "shall"}
_SHORT = {"can": "can't", "will": "won't"}


def negated(text: str) -> str:
    """Return an English text whose first negation is taken out, or whose first auxiliary verb is negated; else the same text.

    Examples
    --------
    >>> negated("I don't like it."), negated("It is good."), negated("Great!")
    ('I do like it.', "It isn't good.", 'Great!')
    """
    found = _NEGATED.search(text)
    if found is not None:
        verb = next(group for group in found.groups() if group)
        plain = in_case_of(verb, _WHOLE.get(verb.lower(), verb.lower()))
        return _replaced(text, [(found.start(), found.end(), plain)])
    found = _POSITIVE.search(text)
    if found is None:
        return text
    verb = found.group()
    lower = verb.lower()
    other = f"{lower} not" if lower == "am" else _SHORT.get(lower, f"{lower}n't")
    return _replaced(text, [(found.start(), found.end(), in_case_of(verb, other))])


def _replaced(text: str, changes: Sequence[tuple[int, int, str]]) -> str:
    """Return a text with parts [start, stop) replaced, which do not overlap."""
    parts, end = [], 0
    for start, stop, other in sorted(changes):
        parts += [text[end:start], other]
        end = stop
    return "".join([*parts, text[end:]])
