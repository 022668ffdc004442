"""Metadata slices: the values and ranges of columns, up to three together, on which the model does worse than elsewhere.

    worse by >= mean score elsewhere - mean score inside - z_d s sqrt(N / (n (N - n)))

The search is exact over conjunctions of values (categories, truth values, missing cells), of ranges of numbers and dates, and of
the length of texts; the bound, the tests and the false discoveries are those of `numerics.worst_slices`.

Source: Sagadeeva, Boehm (2021), SliceLine: fast, linear-algebra-based slice finding for ML model debugging, SIGMOD; Blanchard,
Roquain (2008), Two simple sufficient conditions for FDR control, Electronic Journal of Statistics 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tilth.core.found_slice import FoundSlice
from tilth.core.slice import Slice
from tilth.numerics.joint_counts import JointCounts
from tilth.numerics.selected import selected_tail
from tilth.numerics.worst_slices import WorstSlice, worst_slices
from tilth.slicing._shared import Feature, Scored, estimate_of, features_of, scored_rows, summary_of

if TYPE_CHECKING:
    from tilth.core.arrays import Vector
    from tilth.core.estimate import Estimate
    from tilth.operators.view import Scope, View

__all__ = ["Lattice", "joint_counts", "predicate"]

_ALIKE = 3


def joint_counts(features: Sequence[Feature], losses: Vector, rows: np.ndarray | None = None) -> JointCounts:
    """Return the joint counts of features and (n,) losses, on some (n,) rows of the features or on all.

    What is kept of them can be carried through an edit; see `JointCounts`.
    """
    codes = [feature.codes if rows is None else feature.codes[rows] for feature in features]
    return JointCounts(codes, [len(feature.conditions) for feature in features], losses)


def predicate(features: Sequence[Feature], limits: Sequence[tuple[int, int, int]]) -> str:
    """Return a conjunction as an SQL predicate."""
    return " AND ".join(features[f].condition(low, high).where for f, low, high in limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lattice:
    """Find the values and ranges of columns, up to three together, on which the model does worse than elsewhere.

    What is reported is worse than the other rows, worse than each of its own conditions alone, and not explained by another
    slice that is reported. Expect an interval to hold after the search: it is as wide as all that was looked at demands.

    Parameters
    ----------
    depth : int
        Most conditions of a slice, 1 to 3; default 3.
    bins : int
        About how many ranges numbers and dates are cut into; default 10.
    least_rows : int
        Rows of a slice at least; default 30: fewer say little, and identify people.
    least_share : float
        Share of all rows that a slice holds at least, in [0, 1]; default 0.005.
    most : int
        Slices at most; default 10.
    level : float
        Greatest q-value of a slice that is reported: the expected share of false ones among them; default 0.05.
    overlap : float
        Of two slices with a greater share of common rows (among those of either) one is kept; default 0.5.

    Raises
    ------
    NotApplicable
        Fewer than two rows have a score.

    Randomness
    ----------
    None.

    Source
    ------
    Sagadeeva, Boehm (2021), SliceLine, SIGMOD.
    """

    depth: int = 3
    bins: int = 10
    least_rows: int = 30
    least_share: float = 0.005
    most: int = 10
    level: float = 0.05
    overlap: float = 0.5

    needs: ClassVar[frozenset[str]] = frozenset({"groups", "scores", "table"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 2

    def discover(self, view: View) -> Sequence[FoundSlice]:
        """Return the slices, the one whose score is surely lowest first; an empty list where nothing is surely worse."""
        scored = scored_rows(view)
        fewest = max(self.least_rows, int(np.ceil(self.least_share * len(scored.rows))))
        features = features_of(view.table, view.schema, bins=self.bins, least_rows=fewest)
        if not features:
            return []
        found = worst_slices(
            joint_counts(features, scored.losses, scored.rows),
            [feature.n_ordered for feature in features],
            depth=self.depth,
            least_rows=fewest,
            most=self.most,
            level=self.level,
            overlap=self.overlap,
            groups=scored.groups,
        )
        slices = [self._slice(view, features, scored, one, len(found)) for one in found]
        return sorted(slices, key=lambda one: (one.score.high, one.q_value, one.slice.name))

    def _slice(
        self, view: View, features: Sequence[Feature], scored: Scored, found: WorstSlice, chosen: int
    ) -> FoundSlice:
        conditions = [features[f].condition(low, high) for f, low, high in found.limits]
        inside = np.ones(len(view), dtype=bool)
        for f, low, high in found.limits:
            inside &= (features[f].codes >= low) & (features[f].codes <= high)
        score = self._score(scored, found, chosen)
        elsewhere = float(scored.scores[~found.inside].mean())
        name = " and ".join(condition.words for condition in conditions)
        return FoundSlice(
            slice=Slice(
                name=name,
                where=" AND ".join(condition.where for condition in conditions),
                operator=view.spec,
                summary=summary_of(
                    name, score.value, elsewhere, int(found.inside.sum()), len(scored.rows), view.schema
                ),
                facts={
                    "elsewhere": elsewhere,
                    "worse_by_at_least": found.worth,
                    "nearly_the_same": [predicate(features, limits) for limits in found.alike[:_ALIKE]],
                },
            ),
            membership=inside.astype(np.float64),
            score=score,
            overall=float(scored.scores.mean()),
            p_value=found.p_value,
            q_value=found.q_value,
        )

    def _score(self, scored: Scored, found: WorstSlice, chosen: int) -> Estimate:
        """Return the mean score with an interval that holds after the search."""
        groups = None if scored.groups is None else scored.groups[found.inside]
        level = 1 - selected_tail(0.95, chosen, found.share, self.most)
        return estimate_of(scored.scores[found.inside], level, groups)
