"""Texts as sets of hashed shingles: every run of a few characters, or of a few words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from tilth.core.errors import UsageError
from tilth.numerics._pairs import offsets_within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tilth.core.arrays import Bits, IntVector

__all__ = ["ShingleUnit", "Shingles", "mixed", "normalised", "shingles"]

ShingleUnit = Literal["character", "word"]

STEP = np.uint64(0x9E3779B97F4A7C15)
"""Odd multiplier of a rolling hash: 2^64 over the golden ratio."""


@dataclass(frozen=True, slots=True)
class Shingles:
    """Hashed shingles of some texts, with repeats, text after text."""

    hashes: Bits
    """(total,) 64-bit hashes."""
    counts: IntVector
    """(texts,) shingles of each text; 0 for a blank one, else >= 1."""


def normalised(text: str | None) -> str:
    """Fold case, and make each run of white space one space; a missing text is blank."""
    return "" if text is None else " ".join(text.casefold().split())


def shingles(texts: Sequence[str], unit: ShingleUnit, size: int) -> Shingles:
    """Hash every run of `size` units of each normalised text; a shorter text is one shingle as a whole.

    Time and memory O(characters): about 40 bytes per character.
    """
    if size < 1 or unit not in ("character", "word"):
        raise UsageError(f"no shingles of {size} {unit!r}", next_step="give size >= 1 and unit 'character' or 'word'")
    points = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    values = mixed(points.astype(np.uint64))
    lengths = np.fromiter(map(len, texts), dtype=np.intp, count=len(texts))
    if unit == "word":
        values, lengths = _word_hashes(points == ord(" "), values, lengths)
    return _windows(values, lengths, size)


def mixed(values: Bits) -> Bits:
    """Scatter 64-bit numbers so that each bit depends on all (Steele, Lea, Flood 2014, splitmix64)."""
    values = values + STEP
    values ^= values >> np.uint64(30)
    values *= np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> np.uint64(27)
    values *= np.uint64(0x94D049BB133111EB)
    values ^= values >> np.uint64(31)
    return values


def _windows(values: Bits, lengths: IntVector, size: int) -> Shingles:
    """Hash all windows that stay inside one text, after padding short texts to one window."""
    padded = np.where(lengths > 0, np.maximum(lengths, size), 0)
    ends = np.cumsum(padded)
    units = values
    if not np.array_equal(padded, lengths):
        units = np.zeros(int(padded.sum()), dtype=np.uint64)
        units[np.repeat(ends - padded, lengths) + offsets_within(lengths)] = values
    counts = np.where(padded > 0, padded - size + 1, 0)
    rolling = np.zeros(max(len(units) - size + 1, 0), dtype=np.uint64)
    for shift in range(size):
        rolling *= STEP
        rolling += units[shift : shift + len(rolling)]
    inside = np.repeat(ends - padded, counts) + offsets_within(counts)
    return Shingles(mixed(rolling[inside]), counts)


def _word_hashes(is_space: Bits, values: Bits, lengths: IntVector) -> tuple[Bits, IntVector]:
    """Hash each word of each text; words are parted by single spaces."""
    text = np.repeat(np.arange(len(lengths)), lengths)
    starts = np.ones(len(values), dtype=np.bool_)
    starts[1:] = (text[1:] != text[:-1]) | is_space[:-1]
    first = np.flatnonzero(starts)
    place = offsets_within(np.diff(first, append=len(values)))
    letters = np.where(is_space, np.uint64(0), values * _powers(int(place.max(initial=0)) + 1)[place])
    hashes = np.add.reduceat(letters, first) if len(first) else letters
    return mixed(hashes), np.bincount(text[first], minlength=len(lengths)).astype(np.intp)


def _powers(count: int) -> Bits:
    factors = np.full(count, STEP, dtype=np.uint64)
    factors[0] = 1
    return np.cumprod(factors, dtype=np.uint64)
