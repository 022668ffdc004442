"""Target: what the learner trains on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from tilth.core.arrays import IntVector, Mask, Matrix, Vector

__all__ = ["Target", "TargetKind"]


class TargetKind(StrEnum):
    """The kinds of target; learners and operators say which they accept."""

    CLASS = "class"
    DISTRIBUTION = "distribution"
    NUMBER = "number"


@dataclass(frozen=True, kw_only=True, eq=False)
class Target:
    """The targets of n rows, with a mask of those that have one and the rows' weights.

    Exactly one of `distribution` (n, k; rows sum to 1) and `numbers` (n,) is there; rows outside `mask` are ignored.
    """

    kind: TargetKind
    mask: Mask
    weights: Vector
    distribution: Matrix | None = None
    numbers: Vector | None = None

    @classmethod
    def classes(cls, labels: IntVector, mask: Mask, n_classes: int, weights: Vector | None = None) -> Target:
        """Make one-hot targets of class numbers."""
        hot = np.zeros((len(labels), n_classes))
        rows = np.flatnonzero(mask)
        hot[rows, labels[rows]] = 1.0
        return cls(kind=TargetKind.CLASS, mask=mask, weights=_ones(weights, len(labels)), distribution=hot)

    @classmethod
    def soft(cls, distribution: Matrix, mask: Mask, weights: Vector | None = None) -> Target:
        """Make targets that are distributions over classes."""
        return cls(
            kind=TargetKind.DISTRIBUTION,
            mask=mask,
            weights=_ones(weights, len(distribution)),
            distribution=distribution,
        )

    @classmethod
    def values(cls, numbers: Vector, mask: Mask, weights: Vector | None = None) -> Target:
        """Make numeric targets."""
        return cls(kind=TargetKind.NUMBER, mask=mask, weights=_ones(weights, len(numbers)), numbers=numbers)

    def __len__(self) -> int:
        """Number of rows, with or without a target."""
        return len(self.mask)

    def take(self, rows: IntVector | Mask) -> Target:
        """Return the targets of some rows."""
        return Target(
            kind=self.kind,
            mask=self.mask[rows],
            weights=self.weights[rows],
            distribution=None if self.distribution is None else self.distribution[rows],
            numbers=None if self.numbers is None else self.numbers[rows],
        )

    def only(self, rows: Mask) -> Target:
        """Return the targets with those of some rows alone; the other rows have none; (n,) mask."""
        return replace(self, mask=self.mask & rows)

    def among(self, n_rows: int, rows: IntVector) -> Target:
        """Return the targets of `n_rows` rows of which these are some, at the positions `rows`; the others have none."""

        def spread(values: np.ndarray) -> np.ndarray:
            wide = np.zeros((n_rows, *values.shape[1:]), dtype=values.dtype)
            wide[rows] = values
            return wide

        return Target(
            kind=self.kind,
            mask=spread(self.mask),
            weights=spread(self.weights),
            distribution=None if self.distribution is None else spread(self.distribution),
            numbers=None if self.numbers is None else spread(self.numbers),
        )


def _ones(weights: Vector | None, n: int) -> Vector:
    return np.ones(n) if weights is None else weights
