"""Pattern: rows whose text follows a phrase with gaps (Hearst patterns).

    "{X} such as {Y}"             X and Y stand for one to three words each
    "{person1} married {person2}"  with cells: [person1, person2], for the row's own cells

    vote = says   where one of the patterns stands in the text; else it abstains

Source: Hearst (1992), Automatic acquisition of hyponyms from large text corpora, COLING.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.errors import ConfigError, first_three
from tilth.core.said import Said
from tilth.operators.batch import Batch
from tilth.operators.text_cells import cell_words, whole_words
from tilth.operators.voting import said_where

__all__ = ["Pattern"]

_GAP = re.compile(r"\{([^{}]+)\}")
_WORDS = r"[\p{L}\p{N}_'’-]+(?:\s+[\p{L}\p{N}_'’-]+){0,2}"
_FIRST_SIGN, _ANY = 0xE000, "\ue8ff"
"""Signs of the private use area stand for the row's own cells while a text is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Vote for a class where a text follows a phrase with gaps, such as "{X} such as {Y}".

    Parameters
    ----------
    patterns : phrases; a name in braces is a gap of one to three words
    says : the class
    column : the text
    cells : columns whose own cell fills the gap of their name
    """

    patterns: tuple[str, ...]
    says: str
    column: str
    cells: tuple[str, ...] = ()

    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse no pattern, a pattern of gaps only, and a cell that no pattern has a gap for."""
        for pattern in self.patterns:
            if not _GAP.sub("", pattern).strip():
                raise ConfigError(
                    f"the pattern {pattern!r} has no words", next_step='write one such as "{X} such as {Y}"'
                )
        gaps = {name for pattern in self.patterns for name in _GAP.findall(pattern)}
        unused = [name for name in self.cells if name not in gaps]
        if not self.patterns or unused:
            what = f"no pattern has a gap for {first_three(unused)}" if unused else "a pattern labeler needs patterns"
            raise ConfigError(what, next_step='write patterns: ["{X} such as {Y}"]; cells names columns in braces')

    @classmethod
    def example(cls) -> Pattern:
        """Return a labeler that finds what something is a kind of."""
        return cls(patterns=("{X} such as {Y}",), says="spam", column="text")

    @property
    def columns(self) -> tuple[str, ...]:
        """The text and the cells."""
        return (self.column, *self.cells)

    def vote(self, batch: Batch) -> Said:
        """Return the class where a pattern stands in the text, null elsewhere."""
        texts = cell_words(batch.column(self.column))
        if self.cells:
            texts = self._marked(texts, batch)
        expression = "|".join(f"(?:{self._expression(pattern)})" for pattern in self.patterns)
        return said_where(
            np.asarray(pc.match_substring_regex(texts, expression, ignore_case=True).fill_null(False)), self.says
        )

    def _expression(self, pattern: str) -> str:
        """Return a pattern as RE2 reads it."""
        parts = _GAP.split(pattern)
        for place in range(1, len(parts), 2):
            parts[place] = self._sign(parts[place]) if parts[place] in self.cells else _ANY
        joined = whole_words(["".join(parts)])
        return joined.replace(_ANY, _WORDS)

    def _sign(self, name: str) -> str:
        return chr(_FIRST_SIGN + self.cells.index(name))

    def _marked(self, texts: pa.Array, batch: Batch) -> pa.Array:
        """Return texts in which each row's own cells are replaced by signs, the longest cell first."""
        cells = [cell_words(batch.column(name)).to_pylist() for name in self.cells]
        signs = [self._sign(name) for name in self.cells]
        marked = [
            _replaced(text, zip(own, signs, strict=True)) for text, *own in zip(texts.to_pylist(), *cells, strict=True)
        ]
        return pa.array(marked, pa.string())


def _replaced(text: str | None, pairs: Iterable[tuple[str | None, str]]) -> str | None:
    if text is None:
        return None
    for cell, sign in sorted(pairs, key=lambda pair: -len(pair[0] or "")):
        if cell:
            text = re.sub(rf"(?<!\w){re.escape(cell)}(?!\w)", sign, text, flags=re.IGNORECASE)
    return text
