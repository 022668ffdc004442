"""A bottom-k sample of rows: the k rows with the smallest draws, the same for every block size and order of arrival.

Each row's draw comes from the digest of its id, so that two samples merge into the sample of both (Thompson 1992's bottom-k
sketch, keyed as in Cohen and Kaplan 2007, PODC). All that encoders learn beyond counts is learnt from such a sample in
the order of its draws; fitted states are therefore equal to the last bit whatever the layout.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Vector
from tilth.core.ids import Digests
from tilth.core.rng import row_uniforms

__all__ = ["Sample", "empty", "merge", "take_in"]

Values: TypeAlias = Any
"""(m,) or (m, d) NumPy, or m cells of Arrow."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The rows kept so far, smallest draw first: draws (m,), id digests (m, 2) that break ties, and m values."""

    draws: Vector
    digests: Digests
    values: Values

    def __len__(self) -> int:
        """Number of rows kept."""
        return len(self.draws)


def empty(values: Values) -> Sample:
    """Return a sample without rows; `values` gives type and shape."""
    return Sample(np.zeros(0), np.zeros((0, 2), dtype=np.uint64), values[:0])


def take_in(
    sample: Sample,
    digests: Digests,
    rows: IntVector,
    values_of: Callable[[IntVector], Values],
    limit: int,
    step: str,
) -> Sample:
    """Return the sample of the rows kept so far and some rows of a block.

    Parameters
    ----------
    sample : what was kept so far
    digests : (n, 2) id digests of the block
    rows : positions in the block that may be drawn
    values_of : gives the values of some positions; called once, only for rows that get in
    limit : rows to keep, at least 1
    step : name of the stream of draws
    """
    draws = row_uniforms(digests[rows], 0, "encoding", step)
    if len(sample) == limit:
        near = draws <= sample.draws[-1]
        rows, draws = rows[near], draws[near]
    best = _order(draws, digests[rows])[:limit]
    rows = rows[best]
    return merge(sample, Sample(draws[best], digests[rows], values_of(rows)), limit)


def merge(left: Sample, right: Sample, limit: int) -> Sample:
    """Return the sample of the rows of both."""
    draws = np.concatenate([left.draws, right.draws])
    digests = np.concatenate([left.digests, right.digests])
    kept = _order(draws, digests)[:limit]
    return Sample(draws[kept], digests[kept], _join(left.values, right.values, kept))


def _order(draws: Vector, digests: Digests) -> IntVector:
    return np.lexsort((digests[:, 1], digests[:, 0], draws))


def _join(left: Values, right: Values, rows: IntVector) -> Values:
    if isinstance(left, np.ndarray):
        return np.concatenate([left, right])[rows]
    return pa.concat_arrays([left, right]).take(pa.array(rows))
