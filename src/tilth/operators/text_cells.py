"""Text of a block for labelers: which columns hold any, which rows match an expression, words as an expression."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import Mask
from tilth.core.errors import ConfigError
from tilth.operators.batch import Batch

__all__ = ["any_matches", "cell_words", "plain_words", "refuse_expression", "whole_words"]

OUTSIDE = r"[^\p{L}\p{N}_]"
"""A sign that is part of no word, in any script."""
_WORD = re.compile(r"\w+")


def texts_of(batch: Batch) -> list[pa.Array]:
    """Return the columns of a batch that hold text or categories."""
    return [plain for cells in batch.columns.values() if pa.types.is_string((plain := _plain(cells)).type)]


def any_matches(batch: Batch, expression: str, *, ignore_case: bool) -> Mask:
    """Return the rows of which some text cell matches an RE2 expression; (n,), false where cells are missing."""
    hits = np.zeros(len(batch), dtype=bool)
    for cells in texts_of(batch):
        hits |= np.asarray(pc.match_substring_regex(cells, expression, ignore_case=ignore_case).fill_null(False))
    return hits


def refuse_expression(expression: str, what: str) -> None:
    """Raise ConfigError where RE2 cannot read an expression."""
    try:
        pc.match_substring_regex(pa.array([""]), expression)
    except pa.ArrowInvalid as error:
        reason = str(error).partition("Invalid regular expression: ")[2] or str(error)
        raise ConfigError(
            f"{what} {expression!r} cannot be read: {reason}",
            next_step="write it as RE2 reads it: without look-around and back-references, \\p{L} for any letter",
        ) from None


def whole_words(words: Iterable[str]) -> str:
    r"""Return the RE2 expression that finds any of some words or phrases, not inside of other words.

    Examples
    --------
    >>> whole_words(["check out", "$$$"])
    '(?:^|[^\\p{L}\\p{N}_])check\\s+out(?:$|[^\\p{L}\\p{N}_])|\\$\\$\\$'
    """
    groups: dict[tuple[bool, bool], list[str]] = {}
    for word in dict.fromkeys(words):
        ends = (word[:1].isalnum() or word[:1] == "_", word[-1:].isalnum() or word[-1:] == "_")
        groups.setdefault(ends, []).append(r"\s+".join(map(_escaped, word.split())))
    return "|".join(_bounded(found, *ends) for ends, found in groups.items())


def _escaped(word: str) -> str:
    return "".join(f"\\{sign}" if sign.isascii() and not sign.isalnum() and sign != "_" else sign for sign in word)


def _bounded(words: Sequence[str], before: bool, after: bool) -> str:
    inner = words[0] if len(words) == 1 else f"(?:{'|'.join(words)})"
    return f"{f'(?:^|{OUTSIDE})' if before else ''}{inner}{f'(?:$|{OUTSIDE})' if after else ''}"


def cell_words(cells: pa.Array) -> pa.Array:
    """Return cells as text without spaces around: 7.0 is "7"; null stays null."""
    plain = _plain(cells)
    if pa.types.is_floating(plain.type):
        whole = np.asarray(plain.fill_null(0.5), dtype=np.float64)
        is_whole = np.isfinite(whole) & (whole == np.floor(whole)) & (np.abs(whole) < 2**53)
        numbers = pa.array(np.where(is_whole, whole, 0).astype(np.int64))
        missing = pa.scalar(None, pa.string())
        words = pc.if_else(pa.array(is_whole), numbers.cast(pa.string()), plain.cast(pa.string()))
        return pc.if_else(plain.is_null(nan_is_null=True), missing, words)
    return pc.utf8_trim_whitespace(plain.cast(pa.string()))


def plain_words(text: str) -> list[str]:
    """Return the words of a text, case folded."""
    return _WORD.findall(text.casefold())


def _plain(cells: pa.Array) -> pa.Array:
    """Return cells without a dictionary, texts as short strings."""
    if pa.types.is_dictionary(cells.type):
        cells = cells.cast(cells.type.value_type)
    return cells.cast(pa.string()) if pa.types.is_large_string(cells.type) else cells
