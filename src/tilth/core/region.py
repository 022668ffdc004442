"""Region: a part of the space of embeddings, as numbers that say of any row how far it belongs."""

from __future__ import annotations

from dataclasses import dataclass

from tilth.core.arrays import Matrix, Vector

__all__ = ["Region"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Region:
    """One component of a mixture of Gaussians with diagonal spread, on a projection of the features.

        membership = p(component | projected features), one of m

    Parameters
    ----------
    centre : (d,) what is taken off features first
    directions : (d, p) columns onto which they are projected
    means : (m, p) of the components
    variances : (m, p), > 0
    log_weights : (m,) log of the share of each component
    index : which component it is
    least : membership in (0, 1] from which a row counts as a member
    features : digest of the encoders that the features come from: in another space it says nothing
    title : what lies there, in a few words
    """

    centre: Vector
    directions: Matrix
    means: Matrix
    variances: Matrix
    log_weights: Vector
    index: int
    least: float = 0.5
    features: str = ""
    title: str = ""
