"""Slots of texts: places between the same two words that the data fill in different ways.

    "call 0800 now", "call 1234 now", "a film with Bob in it", "a film with Anna in it"
    →  call _ now: 0800, 1234;   with _ in: Anna, Bob

Numbers, words with a capital and plain words are told apart: each fills the places of its own kind only. Plain words count where labels
are known, and stand for one another where they say the same of the label: what follows "very" may be good or bad.

Source: Ribeiro, Wu, Guestrin, Singh (2020), Beyond Accuracy: Behavioral Testing of NLP Models with CheckList, section 3 (templates and
lexicons suggested in context); Wei, Zou (2019), EDA (label-preserving replacement).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from tilth.core.arrays import Vector
from tilth.numerics.articles import articled

__all__ = ["MOST_SLOTS", "Slots", "slots_filled", "slots_in"]

Slots = Mapping[str, tuple[tuple[str, ...], ...]]
"""Words before and behind, with "_" between -> groups of words that may stand for one another there."""
Kind = Literal["number", "name", "word"]
MOST_SLOTS = 5_000
MOST_FILLERS = 50
LEAST_USES = 2
"""Different places of the data in which two fillers of a slot must stand."""
_SAYS = 1.5
"""How many times likelier a class must be with a word than without, for the word to speak for it."""
_PRIOR = 3.0
"""Rows that are added to each word, spread as classes are: a rare word says nothing."""
_TOKEN = re.compile(r"[^\W_]+(?:['’.,][^\W_]+)*|[^\w\s]")
_STAYS = frozenset(
    re.findall(
        r"\w+",
        "a an the and or but not no nor never is are was were be been am do does did has have had can could will would shall should "
        "may might must i you he she it we they me him her us them my your his its our their this that these those who which what when "
        "where why how of in on at to from by with for as if than then so too very more most less least without few little hardly ",
    )
)
"""Words that hold a sentence together, or turn it: they fill no slot."""


def slots_in(
    texts: Sequence[str], labels: Sequence[str | None] | None = None
) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Return the slots of n texts, and what may fill each; O(words).

    Parameters
    ----------
    texts : n
    labels : n classes, None where one is not known; without labels plain words fill no slot

    Returns
    -------
    dict
        "before _ behind" (in small letters, "" at the ends of a text) -> groups of words, each of at least two, in alphabetical order

    Examples
    --------
    >>> slots_in(["call 0800 now", "call 1234 now", "so call me"])
    {'call _ now': (('0800', '1234'),)}
    """
    fillers: dict[str, Counter[str]] = defaultdict(Counter)
    uses, shares = Counter[str](), Counter(one for one in labels or () if one is not None)
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for place, text in enumerate(texts):
        label = labels[place] if labels else None
        for key, word in _places(text):
            fillers[key][word] += 1
        for word in {found.group() for found in _TOKEN.finditer(text)}:
            uses[word] += 1
            if label is not None:
                votes[word.lower()][label] += 1
    says = {word: _spoken_for(found, shares) for word, found in votes.items()}
    made = {}
    for key, words in sorted(fillers.items(), key=lambda pair: (-sum(pair[1].values()), pair[0])):
        groups = _groups(words, uses, says if labels else None)
        if groups:
            made[key] = groups
        if len(made) == MOST_SLOTS:
            break
    return dict(sorted(made.items()))


def _places(text: str) -> Iterable[tuple[str, str]]:
    """Yield the slot and the filler of each word that may fill one."""
    for key, found in _positions(text):
        if _kind(text, found) is not None:
            yield key, found.group()


def _positions(text: str) -> Iterable[tuple[str, re.Match[str]]]:
    tokens = list(_TOKEN.finditer(text))
    words = ["", *(found.group().lower() for found in tokens), ""]
    for place, found in enumerate(tokens):
        before, behind = words[place], words[place + 2]
        if before or behind:
            yield f"{before} _ {behind}", found


def _kind(text: str, found: re.Match[str]) -> Kind | None:
    """Return what a word is, None where it fills no slot: a first word has its capital for another reason."""
    word = found.group()
    if word[0].isdigit():
        return "number"
    if not word[0].isalpha() or word.lower() in _STAYS or (len(word) > 1 and word.isupper()):
        return None
    if word[0].isupper():
        return "name" if text[: found.start()].rstrip()[-1:].isalnum() or text[: found.start()].endswith(", ") else None
    return "word" if len(word) > 2 else None


def _kind_of(word: str) -> Kind:
    return "number" if word[0].isdigit() else "name" if word[0].isupper() else "word"


def _spoken_for(votes: Counter[str], shares: Counter[str]) -> str:
    """Return the class that a word speaks for, "" where for none."""
    n, rows = sum(shares.values()), sum(votes.values())
    lifts = {
        label: (votes[label] + _PRIOR * shares[label] / n) / (rows + _PRIOR) * n / shares[label] for label in votes
    }
    best = max(sorted(lifts), key=lambda label: lifts[label])
    return best if lifts[best] >= _SAYS else ""


def _groups(words: Counter[str], uses: Counter[str], says: Mapping[str, str] | None) -> tuple[tuple[str, ...], ...]:
    """Return the fillers of a slot that may stand for one another, group by group."""
    parts: dict[tuple[str, str], list[str]] = defaultdict(list)
    for word in sorted(words, key=lambda word: (-words[word], word)):
        kind = _kind_of(word)
        if kind == "word" and (says is None or uses[word] < LEAST_USES):
            continue
        parts[kind, "" if says is None or kind == "number" else says.get(word.lower(), "")].append(word)
    kept = [tuple(sorted(group[:MOST_FILLERS])) for group in parts.values() if len(group) >= LEAST_USES]
    return tuple(sorted(kept))


def slots_filled(text: str, order: Vector, kind: Vector, share: float, slots: Slots) -> str:
    """Return a text in which a share of the slots, at least one, hold another of their fillers; neighbours do not both change.

    Parameters
    ----------
    text : n signs
    order, kind : (n + 1,) in [0, 1): which slots, and which filler
    share : of the slots that the text has, in (0, 1]
    slots : from `slots_in`

    Examples
    --------
    >>> slots_filled("call 0800 now", np.zeros(14), np.zeros(14), 1.0, {"call _ now": (("0800", "1234"),)})
    'call 1234 now'
    """
    found = []
    for place, (key, word) in enumerate(_positions(text)):
        group = next((one for one in slots.get(key, ()) if word.group() in one), ())
        others = [other for other in group if other != word.group()]
        if others:
            found.append((place, word, others))
    wanted = sorted(found, key=lambda one: float(order[one[1].start()]))[: max(1, round(share * len(found)))]
    changes, taken = list[tuple[int, int, str]](), set[int]()
    for place, word, others in wanted:
        if {place - 1, place + 1} & taken:
            continue  # the words around a slot are what makes it one
        taken.add(place)
        other = others[int(kind[word.start()] * len(others))]
        changes.append((word.start(), word.end(), other))
        if (article := articled(text, word.start(), word.group(), other)) is not None:
            changes.append(article)
    for start, stop, other in sorted(changes, reverse=True):
        text = text[:start] + other + text[stop:]
    return text
