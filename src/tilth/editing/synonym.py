"""Synonyms: words replaced by others of the same meaning, from a small lexicon of English words or from the user's own.

    words replaced = max(1, share · words that the lexicon has)

Source: Wei, Zou (2019), EDA: Easy Data Augmentation Techniques for Boosting Performance on Text Classification Tasks, section 2
(synonym replacement).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

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
    "small, little",
    "smaller, littler",
    "fast, quick, rapid",
    "quickly, rapidly",
    "begin, start",
    "begins, starts",
    "began, started",
    "beginning, starting",
    "end, finish",
    "ended, finished",
    "buy, purchase",
    "buys, purchases",
    "bought, purchased",
    "buying, purchasing",
    "help, assist",
    "helps, assists",
    "helped, assisted",
    "need, require",
    "needs, requires",
    "needed, required",
    "want, wish",
    "wanted, wished",
    "choose, select, pick",
    "chose, selected, picked",
    "receive, get",
    "received, got",
    "show, display",
    "shows, displays",
    "showed, displayed",
    "try, attempt",
    "tried, attempted",
    "answer, reply",
    "answers, replies",
    "answered, replied",
    "happy, glad",
    "sad, unhappy",
    "good, fine",
    "great, excellent, superb",
    "bad, poor",
    "awful, terrible, dreadful",
    "beautiful, lovely",
    "boring, dull, tedious",
    "funny, amusing",
    "smart, clever",
    "silly, foolish",
    "important, significant",
    "difficult, hard",
    "easy, simple",
    "strange, odd, weird",
    "rich, wealthy",
    "ill, sick",
    "angry, furious",
    "wrong, incorrect",
    "correct, right",
    "movie, film",
    "movies, films",
    "picture, image",
    "pictures, images",
    "car, automobile",
    "house, home",
    "job, work",
    "kid, child",
    "kids, children",
    "error, mistake, fault",
    "errors, mistakes, faults",
    "gift, present",
    "shop, store",
    "street, road",
    "whole, entire",
    "nearly, almost",
    "often, frequently",
    "seldom, rarely",
    "maybe, perhaps",
    "also, too",
    "however, nevertheless",
    "very, really",
    "about, concerning",
    "immediately, instantly",
    "finally, eventually",
    "money, cash",
    "cellphone, mobile",
)
"""Words that may stand for one another, group by group."""


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

    Randomness
    ----------
    seed, operator and row id decide everything
    """

    severity: int = 2
    columns: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    accepts: ClassVar[frozenset[ColumnType]] = frozenset({ColumnType.TEXT})
    label: ClassVar[LabelEffect] = "keep"
    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse what is no severity."""
        refuse_severity(self.severity)

    def apply(self, batch: Batch, draw: Draw) -> Transformed:
        """Return the rows with synonyms in their texts."""
        share, others = at_severity(SHARES, self.severity), lexicon(self.groups or GROUPS)
        names = chosen(batch, self.columns, self.accepts)
        return change_texts(
            batch, names, draw, lambda text, order, kind: words_replaced(text, order, kind, share, others)
        )
