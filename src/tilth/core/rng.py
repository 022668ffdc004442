"""Randomness: one seed per recipe, a child per step, a counter per row.

Whole operators draw from a `numpy.random.Generator` spawned for their step, so that adding a step changes no other step's
draws. Maps and folds draw per row: a counter-based generator keyed by seed and operator and counted by the digest of the
row id, so that neither batch size nor engine matters (Salmon et al. 2011, SC'11, section 2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tilth.core.ids import Digests, key_of, mix

if TYPE_CHECKING:
    from tilth.core.arrays import Bits, Vector

__all__ = ["generator", "row_uniforms", "uniforms_of"]


def generator(seed: int, *step: object) -> np.random.Generator:
    """Return the generator of one step; the step's name and numbers select an independent stream."""
    entropy = [int(word) for word in key_of("step", *step)]
    return np.random.default_rng(np.random.SeedSequence([seed, *entropy]))


def row_uniforms(digests: Digests, seed: int, *step: object) -> Vector:
    """Return one uniform number in [0, 1) per row digest (n, 2), the same for every order of rows."""
    with np.errstate(over="ignore"):
        words = mix(digests[:, 0] ^ mix(digests[:, 1] + key_of(seed, *step)[0]))
    return uniforms_of(words)


def uniforms_of(words: Bits) -> Vector:
    """Return random 64-bit words as numbers in [0, 1); any shape."""
    return np.asarray((words >> np.uint64(11)).astype(np.float64) * 2.0**-53)
