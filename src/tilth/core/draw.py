"""Draw: the random numbers of rows in one step, the same for every order of rows and every size of block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tilth.core.ids import Digests, key_of, mix
from tilth.core.rng import row_uniforms, uniforms_of

if TYPE_CHECKING:
    from tilth.core.arrays import Bits, IntVector, Matrix, Vector

__all__ = ["Draw", "RowDraws"]

_STRIDE = np.uint64(0x9E3779B97F4A7C15)
"""The odd number by which SplitMix64 counts (Steele, Lea, Flood 2014)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Numbers keyed by a seed and a step and counted by the digest of a row's id, never by its position.

    Parameters
    ----------
    seed : decides everything
    step : names what draws, such as an operator: other steps get independent numbers
    """

    seed: int
    step: tuple[str | int, ...] = ()

    def child(self, *what: str | int) -> Draw:
        """Return the draw of a part of this step."""
        return Draw(seed=self.seed, step=(*self.step, *what))

    def uniforms(self, digests: Digests) -> Vector:
        """Return one number in [0, 1) per row; (n, 2) -> (n,)."""
        return row_uniforms(digests, self.seed, *self.step)

    def several(self, digests: Digests, width: int) -> Matrix:
        """Return `width` numbers in [0, 1) per row; (n, 2) -> (n, width)."""
        counted = np.arange(width, dtype=np.uint64) * _STRIDE
        return uniforms_of(mix(self._words(digests)[:, None] + counted))

    def each(self, digests: Digests, counts: IntVector) -> Vector:
        """Return as many numbers in [0, 1) as each row has parts, row after row; (n, 2), (n,) -> (sum of counts,).

        The number of a part depends on its row and its place in the row only.
        """
        ends = np.cumsum(counts)
        places = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - counts, counts)
        with np.errstate(over="ignore"):
            return uniforms_of(mix(np.repeat(self._words(digests), counts) + places.astype(np.uint64) * _STRIDE))

    def generators(self, digests: Digests) -> list[np.random.Generator]:
        """Return one generator per row, for who needs other distributions; (n, 2) -> n generators."""
        words = self._words(digests)
        with np.errstate(over="ignore"):
            keys = np.column_stack([words, mix(words + _STRIDE)])
        return [np.random.Generator(np.random.Philox(key=key)) for key in keys]

    def _words(self, digests: Digests) -> Bits:
        with np.errstate(over="ignore"):
            return mix(digests[:, 0] ^ mix(digests[:, 1] + key_of(self.seed, *self.step)[0]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowDraws:
    """The random numbers of the rows of one block: what a function of a whole block draws from.

    Parameters
    ----------
    draw : of the step
    digests : (n, 2) of the rows' ids
    """

    draw: Draw
    digests: Digests

    def uniforms(self, what: str = "") -> Vector:
        """Return one number in [0, 1) per row, (n,); another word gives other numbers."""
        return self.draw.child("uniforms", what).uniforms(self.digests)

    def generators(self, what: str = "") -> list[np.random.Generator]:
        """Return one generator per row; another word gives others."""
        return self.draw.child("generators", what).generators(self.digests)
