"""Worst slices: of all conjunctions of ranges and values, the few that a person should look at.

The search gives candidates by how much worse they surely are. Going through them in that order, one is reported if its exact
p-value stands the error set aside for it, if it is worse than each of its parts, and if it is bad where the reported ones do not
reach. Places that are left go to those that are worse than rows which lie in the same of the reported ones. Of two that share
most of their rows the one with fewer conditions is kept, unless the other is worse within it; of two with as many, the better
one. A slice gives way to one around it where it is no worse than the rest of that, and that rest is bad too. None of this
touches the promise about false discoveries, which holds for any choice.

Source: see `lattice`, `selected`; the shares of the error by depth: Genovese, Roeder, Wasserman (2006), False discovery
control with p-value weighting, Biometrika 93.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np

from tilth.core.arrays import IntVector, Mask
from tilth.numerics.distributions import student_point
from tilth.numerics.grouped_tests import grouped_gap
from tilth.numerics.joint_counts import JointCounts
from tilth.numerics.lattice import MOST_CONDITIONS, search
from tilth.numerics.lower_bound import LowerBound
from tilth.numerics.ranges import RangeCounts
from tilth.numerics.selected import harmonic, selected_q
from tilth.numerics.slice_tests import Losses, stratified_tail

__all__ = ["WorstSlice", "worst_slices"]

_MOST_FOUND = 20_000
_MOST_CELLS = 30_000_000
"""Rows that are looked at for candidates, each of which costs a pass over all rows."""
_REFINED = 0.05
_NEARLY_ALL = 0.9
_AS_BAD = 0.01
Limits = tuple[tuple[int, int, int], ...]
"""(feature, first value, last value) of each condition."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WorstSlice:
    """A conjunction that is worse than the rest.

    Parameters
    ----------
    limits : feature, first and last value of each condition
    inside : (n,) its rows
    worth : lower confidence bound on mean loss inside minus mean loss outside, which holds for all that were searched
    p_value, q_value : of being no worse than the rest; the second over all that were searched
    share : part of the error that was set aside for it
    alike : conjunctions of as many conditions on other features that hold nearly the same rows, best first
    """

    limits: Limits
    inside: Mask = field(repr=False)
    worth: float
    p_value: float
    q_value: float = 1.0
    share: float
    alike: tuple[Limits, ...] = ()


def worst_slices(
    counts: JointCounts,
    ordered: Sequence[int],
    *,
    depth: int = 3,
    least_rows: int = 30,
    most: int = 10,
    level: float = 0.05,
    overlap: float = 0.5,
    most_rows: int | None = None,
    groups: IntVector | None = None,
) -> list[WorstSlice]:
    """Return the conjunctions that are surely worse than the rest, most surely first.

    Conditions are values, or ranges of neighbouring ones. Of what is reported an expected share of at most `level` is no worse
    than the rest, whatever was searched and however the conjunctions overlap, if rows, or groups of them, are independent of one
    another (see `selected`). O(n f^d) time for f features and d conditions at most, where nothing can be pruned.

    Parameters
    ----------
    counts : joint counts of n rows by features, with their losses
    ordered : per feature how many of its first values are ordered
    depth : most conditions, 1 to 3
    least_rows : rows of a slice at least
    most : slices at most
    level : greatest q-value
    overlap : greatest share of common rows of two slices among the rows of either
    groups : (n,) code of the group of each row, such as its patient; None where rows are independent
    most_rows : rows of a slice at most; half of all by default: what holds more is the rule, and the rest the exception

    Returns
    -------
    list of WorstSlice
        Most worth first.

    Randomness
    ----------
    None.

    Source
    ------
    Blanchard, Roquain (2008), EJS 2; Sagadeeva, Boehm (2021), SliceLine, SIGMOD.

    Examples
    --------
    >>> group = np.repeat([0, 1, 2], 40).astype(np.uint16)
    >>> counts = JointCounts([group], [3], (group == 2).astype(float))
    >>> [found.limits for found in worst_slices(counts, [0])]
    [((0, 2, 2),)]
    """
    if len(counts) < 2 or counts.losses.min() == counts.losses.max():
        return []
    tests = Losses(counts.losses, groups)
    wide = len(counts) // 2 if most_rows is None else most_rows
    found, shares, values = _candidates(counts, ordered, depth, (least_rows, wide), level * most / harmonic(most))
    choice = _Choice(counts, tests, shares, values, level * most / harmonic(most), least_rows, overlap)
    passed: list[tuple[Limits, float]] = []
    tried = int(np.clip(_MOST_CELLS / len(counts), 200, 2000))
    for limits, worth in found[:tried]:
        if len(choice.kept) < most and not choice.offer(limits, worth):
            passed.append((limits, worth))
    for limits, worth in passed:
        if len(choice.kept) < most:
            choice.offer(limits, worth, within=True)
    choice.prune()
    kept = sorted(choice.kept, key=lambda one: (-one.worth, len(one.limits), one.limits))
    q = selected_q(np.array([one.p_value for one in kept]), np.array([one.share for one in kept]), most)
    return [replace(one, q_value=float(q_of)) for one, q_of in zip(kept, q, strict=True) if q_of <= level]


def _candidates(
    counts: JointCounts, ordered: Sequence[int], depth: int, rows: tuple[int, int], error: float
) -> tuple[list[tuple[Limits, float]], dict[int, float], int]:
    """Return conjunctions with their worth, best first; the share of the error by depth; and how many values there are."""
    depth = min(depth, MOST_CONDITIONS, len(counts.sizes))
    shares: dict[int, float] = {}

    def bound(sizes: tuple[int, ...]) -> LowerBound:
        shares.update({number: 1 / (depth * max(size, 1)) for number, size in enumerate(sizes, 1)})
        return LowerBound(counts.losses, tuple(error * part for part in shares.values()), *rows)

    ranges = RangeCounts(counts, ordered)
    searched = search(ranges, bound, depth=depth, least_rows=rows[0], most=_MOST_FOUND, thin=ranges.thinned)
    found = [
        (tuple((f, *ranges.limits[f][v]) for f, v in zip(one.features, one.values, strict=True)), one.worth)
        for one in searched.found
    ]
    return found, shares, searched.sizes[0]


class _Choice:
    """What is reported so far, and whether another conjunction adds to it."""

    def __init__(
        self,
        counts: JointCounts,
        tests: Losses,
        shares: dict[int, float],
        values: int,
        error: float,
        least_rows: int,
        overlap: float,
    ) -> None:
        self.counts, self.tests, self.shares, self.values = counts, tests, shares, values
        self.error, self.least_rows, self.overlap = error, least_rows, overlap
        self.kept: list[WorstSlice] = []

    def offer(self, limits: Limits, worth: float, *, within: bool = False) -> bool:
        """Keep a conjunction that is worse than the rest and its parts, and says something new; False if it might `within` others."""
        share = self.shares[len(limits)]
        inside = self._rows(limits)
        tail = self.error * share
        if not self.tests.is_worse(inside, tail):
            return True
        swallowed = [one for one in self.kept if self._swallows(limits, inside, one)]
        left = [one for one in self.kept if one not in swallowed]
        alike = [one for one in left if _jaccard(one.inside, inside) > self.overlap]
        stay = [one for one in alike if len(one.limits) <= len(limits) or self._differs(one.inside, inside, tail)]
        if stay:
            self._note(stay[0], limits, inside)
            return True
        others = [one for one in left if one not in alike]
        if not self._is_refined(limits, inside):
            return True
        if not self._is_new(inside, others, tail, within=within):
            return False
        p_value, worth = self.tests.p_value(inside), self._worth(inside, worth, tail)
        come = WorstSlice(limits=limits, inside=inside, worth=worth, p_value=p_value, share=share)
        self._replace([*alike, *swallowed], come)
        return True

    def prune(self) -> None:
        """Drop slices that those which came after them explain, the ones of most conditions first."""
        for one in sorted(self.kept, key=lambda one: (-len(one.limits), one.worth)):
            others = [other for other in self.kept if other is not one]
            tail = self.error * one.share
            if not self._is_new(one.inside, others, tail, within=True):
                self.kept = others

    def _swallows(self, limits: Limits, inside: Mask, one: WorstSlice) -> bool:
        """Whether rows are a kept slice and more that are as bad: of a range that is bad, chance makes some part look worse."""
        is_around = np.count_nonzero(one.inside & inside) >= _NEARLY_ALL * np.count_nonzero(one.inside)
        if not is_around or len(limits) > len(one.limits):
            return False
        if self._differs(one.inside, inside, _REFINED / self.values):
            return False
        return self._differs(inside, ~one.inside, _AS_BAD)

    def _note(self, twin: WorstSlice, limits: Limits, inside: Mask) -> None:
        """Remember that other features tell nearly the same rows."""
        is_other = _features(limits) != _features(twin.limits) and len(limits) == len(twin.limits)
        if is_other and _jaccard(twin.inside, inside) >= _NEARLY_ALL:
            self._replace([twin], replace(twin, alike=(*twin.alike, limits)))

    def _replace(self, gone: list[WorstSlice], come: WorstSlice) -> None:
        self.kept = [*(one for one in self.kept if one not in gone), come]
        self.kept.sort(key=lambda one: -one.worth)

    def _rows(self, limits: Limits) -> Mask:
        inside = np.ones(len(self.counts), dtype=bool)
        for f, low, high in limits:
            inside &= (self.counts.codes[f] >= low) & (self.counts.codes[f] <= high)
        return inside

    def _worth(self, inside: Mask, worth: float, tail: float) -> float:
        """Return the lower bound on the gap: where rows come in groups, the lower of the two."""
        groups = self.tests.groups
        if groups is None:
            return worth
        found = grouped_gap(self.counts.losses, inside, groups)
        return min(worth, found.gap - float(student_point(tail, found.df)) * found.standard_error)

    def _is_refined(self, limits: Limits, inside: Mask) -> bool:
        """Whether rows are worse than each of their parts, by more than the best of all refinements of it would by chance."""
        for fewer in range(1, len(limits)):
            for part in combinations(limits, fewer):
                around = self._rows(part)
                if not self._differs(inside, around, _REFINED / self.values ** (len(limits) - fewer)):
                    return False
        return True

    def _is_new(self, inside: Mask, others: list[WorstSlice], tail: float, *, within: bool) -> bool:
        """Whether rows are bad where none of the others reaches; or, also `within`, beside rows that lie in the same of them.

        The second compares rows with those that lie in just the same of the other slices, all such groups together.
        """
        if not others:
            return True
        if not within:
            return self._differs(inside, ~np.any([one.inside for one in others], axis=0), tail)
        others_inside = [one.inside for one in others]
        return stratified_tail(self.counts.losses, inside, others_inside, self.tests.groups) <= tail

    def _differs(self, inside: Mask, among: Mask, tail: float) -> bool:
        """Whether rows are worse than the others among some."""
        both = inside[among]
        if not 0 < np.count_nonzero(both) < len(both):
            return False
        groups = None if self.tests.groups is None else self.tests.groups[among]
        return Losses(self.counts.losses[among], groups).is_worse(both, tail)


def _features(limits: Limits) -> tuple[int, ...]:
    return tuple(f for f, _, _ in limits)


def _jaccard(one: Mask, other: Mask) -> float:
    either = int(np.count_nonzero(one | other))
    return int(np.count_nonzero(one & other)) / either if either else 0.0
