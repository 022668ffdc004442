"""Lookup: rows whose cell stands in a dictionary or a knowledge base (distant supervision).

    vote = entries[cell]                            match: cell
    vote = entries[w], w any run of words of it     match: words; where runs name different classes, it abstains

Case and repeated spaces make no difference.

Source: Mintz, Bills, Snow, Jurafsky (2009), Distant supervision for relation extraction without labeled data, ACL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.errors import ConfigError
from tilth.core.said import Said
from tilth.operators.batch import Batch
from tilth.operators.text_cells import cell_words, plain_words

__all__ = ["Lookup"]

MATCHES = ("cell", "words")


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """Vote for the class that a dictionary, or a file of keys and classes, gives for a cell.

    Parameters
    ----------
    column : the column whose cells are looked up
    entries : key -> class
    file : a table of keys and classes, which the project reads into `entries`
    key, value : its columns; where they are not named, the first and the second
    match : cell compares the whole cell; words finds keys as words inside of the text
    says : the class of every key, where the file gives none
    """

    column: str
    entries: Mapping[str, str] = field(default_factory=dict)
    file: str = ""
    key: str = ""
    value: str = ""
    match: str = "cell"
    says: str = ""

    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse what names neither entries nor a file, and another way to match."""
        if not self.entries and not self.file:
            raise ConfigError("a lookup needs entries", next_step="write entries: {KEY: CLASS}, or file: FILE")
        if self.match not in MATCHES:
            raise ConfigError(f"match cannot be {self.match!r}", next_step=f"write one of {', '.join(MATCHES)}")

    @classmethod
    def example(cls) -> Lookup:
        """Return a labeler that knows three phrases."""
        entries = {"what a song": "ham", "Check out my channel": "spam", "subscribe": "spam"}
        return cls(column="text", entries=entries, match="words")

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    def vote(self, batch: Batch) -> Said:
        """Return the class of each cell's key, null where it has none."""
        if not self.entries:
            raise ConfigError(f"{self.file} was not read", next_step="run the labeler in its project")
        coded = pc.dictionary_encode(cell_words(batch.column(self.column)))
        find = self._whole if self.match == "cell" else self._inside
        found = pa.array([find(text) for text in coded.dictionary.to_pylist()], pa.string())
        return Said(names=found.take(coded.indices))

    @cached_property
    def _keys(self) -> tuple[dict[str, str], int]:
        """Entries by their key as it is compared, and the most words of a key."""
        fold = _folded if self.match == "cell" else _run
        keys = {fold(key): self.says or name for key, name in self.entries.items() if key.strip()}
        return keys, max((key.count(" ") + 1 for key in keys), default=0)

    def _whole(self, text: str) -> str | None:
        return self._keys[0].get(_folded(text))

    def _inside(self, text: str) -> str | None:
        keys, longest = self._keys
        words, found = plain_words(text), set()
        for start in range(len(words)):
            for end in range(start + 1, min(start + longest, len(words)) + 1):
                name = keys.get(" ".join(words[start:end]))
                if name is not None:
                    found.add(name)
        return found.pop() if len(found) == 1 else None


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _run(text: str) -> str:
    return " ".join(plain_words(text))
