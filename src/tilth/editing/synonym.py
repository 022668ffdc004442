"""Synonyms: words replaced by others of the same meaning, from a small lexicon of English words or from the user's own.

Letters keep their case, and "a" and "an" agree with the word behind them.

    words replaced = max(1, share · words that the lexicon has)

Source: Wei, Zou (2019), EDA: Easy Data Augmentation Techniques for Boosting Performance on Text Classification Tasks, section 2
(synonym replacement).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tilth.core.arrays import Vector
from tilth.core.draw import Draw
from tilth.core.schema import ColumnType
from tilth.core.transformed import LabelEffect, Transformed
from tilth.numerics.text_changes import words_replaced
from tilth.operators.batch import Batch
from tilth.operators.transforming import at_severity, change_texts, chosen, refuse_severity

__all__ = ["Synonym", "lexicon"]

SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Of the words that have a synonym, by severity."""
GROUPS = (
    "big, large",
    "bigger, larger",
    "biggest, largest",
    "huge, enormous",
    "small, tiny",
    "fast, quick, rapid",
    "quickly, rapidly",
    "began, started",
    "begins, starts",
    "buy, purchase",
    "buys, purchases",
    "bought, purchased",
    "buying, purchasing",
    "helped, assisted",
    "needed, required",
    "choose, select",
    "chose, selected",
    "showed, displayed",
    "tried, attempted",
    "ended, concluded",
    "happy, glad",
    "sad, unhappy",
    "great, excellent, superb",
    "awful, terrible, dreadful",
    "horrible, horrific",
    "beautiful, lovely",
    "wonderful, marvellous",
    "amazing, astonishing",
    "boring, dull, tedious",
    "funny, amusing",
    "smart, clever",
    "silly, foolish",
    "stupid, idiotic",
    "important, significant",
    "difficult, tough",
    "easy, simple",
    "strange, odd, weird",
    "rich, wealthy",
    "ill, sick",
    "angry, furious",
    "afraid, scared",
    "annoying, irritating",
    "delicious, tasty",
    "expensive, costly",
    "cheap, inexpensive",
    "brave, courageous",
    "wrong, incorrect",
    "correct, accurate",
    "movie, film",
    "movies, films",
    "picture, image",
    "pictures, images",
    "photo, photograph",
    "photos, photographs",
    "car, automobile",
    "cars, automobiles",
    "kid, child",
    "kids, children",
    "error, mistake",
    "errors, mistakes",
    "shop, store",
    "shops, stores",
    "street, road",
    "doctor, physician",
    "doctors, physicians",
    "lawyer, attorney",
    "lawyers, attorneys",
    "garbage, trash",
    "sofa, couch",
    "holiday, vacation",
    "mom, mother",
    "dad, father",
    "whole, entire",
    "nearly, almost",
    "often, frequently",
    "seldom, rarely",
    "sometimes, occasionally",
    "usually, normally",
    "maybe, perhaps",
    "certainly, definitely",
    "however, nevertheless",
    "very, really",
    "immediately, instantly",
    "finally, eventually",
    "money, cash",
    "purchaser, buyer",
)
"""Words that may stand for one another, group by group: of one meaning in nearly all uses, and in one form. Words of several
meanings are left out: a present is no gift in "at present", a little is not a small."""


def lexicon(groups: tuple[str, ...]) -> dict[str, list[str]]:
    """Return word -> the other words of its groups, all in lower case; n groups with commas between their words.

    Examples
    --------
    >>> lexicon(("big, large", "large, wide"))["large"]
    ['big', 'wide']
    """
    found: dict[str, list[str]] = {}
    for group in groups:
        words = [word.strip().lower() for word in group.split(",") if word.strip()]
        for word in words:
            found.setdefault(word, []).extend(other for other in words if other != word)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Synonym:
    """Replace words by synonyms.

    Parameters
    ----------
    severity : 1 to 5: 10, 25, 50, 75 or 100 % of the words that have a synonym, at least one
    columns : what it changes; () for every text column
    groups : words that may stand for one another, with commas between; () for the list that comes with tilth
    articles : whether "a" and "an" agree with the word behind them afterwards, as in English

    Randomness
    ----------
    seed, operator and row id decide everything
    """

    severity: int = 2
    columns: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    articles: bool = True

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.TEXT})
    label: ClassVar[LabelEffect] = "keep"
    revision: ClassVar[int] = 2

    def __post_init__(self) -> None:
        """Refuse what is no severity."""
        refuse_severity(self.severity)

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows with synonyms in their texts."""
        share, others = at_severity(SHARES, self.severity), lexicon(self.groups or GROUPS)
        names = chosen(batch, self.columns, self.accepts)

        def change(text: str, order: Vector, kind: Vector) -> str:
            return words_replaced(text, order, kind, share, others, articles=self.articles)

        return change_texts(batch, names, draw, change)
