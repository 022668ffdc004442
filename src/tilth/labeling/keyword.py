"""Keyword: rows in which one of some words stands.

    vote = says   where a cell holds one of the words, as a whole word; else it abstains

Source: Ratner, Bach, Ehrenberg, Fries, Wu, Ré (2017), Snorkel: rapid training data creation with weak supervision,
VLDB 11, section 2.1 (declarative labeling functions).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tilth.core.errors import ConfigError
from tilth.core.said import Said
from tilth.operators.batch import Batch
from tilth.operators.text_cells import any_matches, whole_words
from tilth.operators.voting import said_where

__all__ = ["Keyword"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyword:
    """Vote for a class where one of some words or phrases stands, as a whole word, in any case.

    Parameters
    ----------
    words : words or phrases; spaces in a phrase stand for any spaces
    says : the class
    columns : where to look; () looks into every text that a labeler may read
    """

    words: tuple[str, ...]
    says: str
    columns: tuple[str, ...] = ()

    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse no word, and an empty one."""
        if not self.words or not all(word.strip() for word in self.words):
            raise ConfigError("a keyword labeler needs words", next_step="list them: words: [subscribe, check out]")

    @classmethod
    def example(cls) -> Keyword:
        """Return a labeler that finds begging."""
        return cls(words=("subscribe", "check out"), says="spam", columns=("text",))

    def vote(self, batch: Batch) -> Said:
        """Return the class where a word stands, null elsewhere."""
        return said_where(any_matches(batch, whole_words(self.words), ignore_case=True), self.says)
