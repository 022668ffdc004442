"""Regions of the rows of a view: as rules, which are fitted again to all rows once they stood their test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tilth.numerics.region_membership import Spread, contrast_region, region_membership
from tilth.numerics.regions import principal_axes
from tilth.slicing._shared.crossing import Rule

if TYPE_CHECKING:
    from tilth.core.arrays import FloatMatrix32, Matrix, Vector
    from tilth.core.region import Region
    from tilth.numerics.regions import Axes
    from tilth.slicing._shared.failures import Failures

__all__ = ["Space"]

REFITS = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Space:
    """Principal axes of all rows, which read no score, and the rows' places on them.

    Parameters
    ----------
    failures : all rows that have a score
    features : (n, d) of all rows of the view
    axes : of the rows that have a score
    points : (m, p) their places
    spread : of the points
    """

    failures: Failures
    features: FloatMatrix32
    axes: Axes
    points: Matrix
    spread: Spread

    @classmethod
    def of(cls, failures: Failures, features: FloatMatrix32, most: int) -> Space:
        """Return the space of at most so many axes."""
        axes = principal_axes(failures.features, most)
        points = axes.of(failures.features)
        return cls(failures=failures, features=features, axes=axes, points=points, spread=Spread(points))

    def rule(self, points: Matrix, told: Vector, inside: Vector, *, refits: int = REFITS) -> Rule:
        """Return the rule of the region that tells some rows from all; its directions are learnt from these points only."""
        region = contrast_region(self.axes, points, told, inside, self.spread)
        return self.of_region(region, refits=refits)

    def of_region(self, region: Region, *, refits: int = 0) -> Rule:
        """Return a region as a rule."""
        return Rule(
            membership=region_membership(region, self.features),
            made_of={"region": region},
            refit=(lambda belongs: self._again(belongs, refits - 1)) if refits else None,
        )

    def _again(self, belongs: Vector, refits: int) -> Rule:
        inside = belongs[self.failures.rows]
        return self.rule(self.points, inside * self.failures.worse, inside, refits=refits)
