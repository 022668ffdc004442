"""Entity swap: names, places, days and numbers in texts swapped for others of their kind that occur in the data.

    entities swapped = max(1, share · entities of the text that have others of their kind)

A word counts as an entity where it stands with a capital inside of sentences at least twice, and in small letters in at most a tenth
of its uses. Short lists tell first names, places and days; all others are one kind more. A number is swapped for one of as many digits.

Source: Ribeiro, Wu, Guestrin, Singh (2020), Beyond Accuracy: Behavioral Testing of NLP Models with CheckList, section 2.2 (change
names, locations, numbers).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from tilth.core.arrays import Vector
from tilth.core.draw import Draw
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.text_changes import words_replaced
from tilth.operators.batch import Batch
from tilth.operators.transforming import at_severity, change_texts, chosen, refuse_severity

__all__ = ["EntitySwap", "entities_in"]

SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Of the entities, by severity."""
LEAST_USES = 2
MOST_SMALL = 0.1
MOST_KEPT = 500
"""Entities of one kind that are learnt, the commonest first."""
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_INSIDE = re.compile(r"(?:(?<=[^\W\d_A-Z] )|(?<=[^\W\d_A-Z], ))[A-ZÀ-Þ][^\W\d_]+\b(?!['’])")
"""A word with a capital behind a word that ends in a small letter."""
_NUMBER = re.compile(r"(?<![\w.,])\d{1,9}(?![\w.,]*\w)")
NAMES = frozenset(
    _WORD.findall(
        "Adam Alex Alice Amy Andrew Anna Anne Barbara Ben Bob Brian Carlos Charles Chris Daniel David Donna Edward Elizabeth Emily Emma "
        "Eric Frank George Helen Henry Jack Jacob James Jane Jason Jennifer Jessica Jim Joe John Joseph Julia Karen Kate Kevin Laura Lee "
        "Linda Lisa Lucy Maria Mark Martin Mary Matthew Michael Mike Nancy Nick Olivia Oliver Patricia Paul Peter Rachel Richard Robert "
        "Sam Sandra Sarah Scott Sophia Stephen Steve Steven Susan Thomas Tim Tom William"
    )
)
PLACES = frozenset(
    _WORD.findall(
        "Africa America Amsterdam Asia Australia Berlin Boston Britain California Canada Chicago China Dallas Delhi England Europe Florida "
        "France Germany Glasgow Greece Hollywood Houston India Iraq Ireland Israel Italy Japan Korea Leeds Liverpool London Madrid "
        "Manchester Mexico Miami Moscow Paris Poland Rome Russia Scotland Seattle Singapore Spain Sydney Texas Tokyo Toronto Turkey UK "
        "USA Vietnam Wales Washington"
    )
)
DAYS = frozenset(
    _WORD.findall(
        "Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April June July August September October "
        "November December"
    )
)


def entities_in(texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the entities that texts hold, by kind: names, places, days, others, numbers; the commonest first, n texts."""
    inside, small, numbers = Counter[str](), Counter[str](), Counter[str]()
    for text in texts:
        inside.update(_INSIDE.findall(text))
        small.update(word for word in _WORD.findall(text) if word.islower())
        numbers.update(_NUMBER.findall(text))
    found = {
        word: uses
        for word, uses in inside.items()
        if uses >= LEAST_USES
        and not word.isupper()
        and small[word.lower()] <= MOST_SMALL * (uses + small[word.lower()])
    }
    kinds = {"names": NAMES, "places": PLACES, "days": DAYS}
    listed = frozenset[str]().union(*kinds.values())
    parts = {kind: {word: found[word] for word in found if word in words} for kind, words in kinds.items()}
    parts["others"] = {word: uses for word, uses in found.items() if word not in listed}
    parts["numbers"] = dict(numbers)
    return {kind: _commonest(uses) for kind, uses in parts.items()}


def _commonest(uses: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(sorted(uses, key=lambda word: (-uses[word], word))[:MOST_KEPT])


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitySwap:
    """Swap names, places, days and numbers for others that occur in the data.

    Parameters
    ----------
    severity : 1 to 5: 10, 25, 50, 75 or 100 % of a text's entities, at least one
    columns : what it changes; () for every text column
    names, places, days, others, numbers : what may be swapped within each kind; learnt from train rows where none is given

    Randomness
    ----------
    seed, operator and row id decide everything
    """

    severity: int = 3
    columns: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    days: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.TEXT})
    label: ClassVar[LabelEffect] = "keep"
    revision: ClassVar[int] = 2

    def __post_init__(self) -> None:
        """Refuse what is no severity."""
        refuse_severity(self.severity)

    def learn(self, train: Batch) -> EntitySwap:
        """Return the transform with the entities of train rows, for each kind of which none is given."""
        names = chosen(train, self.columns, self.accepts)
        found = entities_in(text for name in names for text in train.column(name).to_pylist() if text)
        learnt: dict[str, Any] = {kind: getattr(self, kind) or words for kind, words in found.items()}
        return replace(self, **learnt)

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows with other entities in their texts."""
        share = at_severity(SHARES, self.severity)
        kinds = (self.names, self.places, self.days, self.others)
        words = {word.lower(): [one for one in kind if one != word] for kind in kinds for word in kind}
        capitals = frozenset(word for kind in kinds for word in kind)
        by_digits: dict[int, list[str]] = {}
        for number in self.numbers:
            by_digits.setdefault(len(number), []).append(number)

        def change(text: str, order: Vector, kind: Vector) -> str:
            known = {one.lower(): words[one.lower()] for one in _WORD.findall(text) if one in capitals}
            return words_replaced(
                _other_numbers(text, order, share, by_digits), order, kind, share, known, articles=True
            )

        return change_texts(batch, chosen(batch, self.columns, self.accepts), draw, change)


def _other_numbers(text: str, order: Vector, share: float, by_digits: Mapping[int, list[str]]) -> str:
    """Return a text of the same length in which a share of the numbers are others that occur in the data."""
    found = [m for m in _NUMBER.finditer(text) if len(set(by_digits.get(len(m.group()), ())) - {m.group()})]
    ranked = sorted(found, key=lambda m: float(order[m.start()]))[: max(1, round(share * len(found)))]
    for one in ranked:
        choice = [number for number in by_digits[len(one.group())] if number != one.group()]
        place = int(np.floor(order[one.end()] * len(choice)))
        text = text[: one.start()] + choice[place] + text[one.end() :]
    return text
