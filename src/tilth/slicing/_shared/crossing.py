"""Crossed discovery: what is found on some parts of the rows is tested on the part that took no share in it.

Rows fall into parts by the digest of their id, so that a row stays where it is when others come or go; rows of one group stand in one
part, and count together in tests and intervals. Every rule is tested once,
on rows that it was not made for; q-values are over all rules of all parts, before those that say the same are merged. A rule that
stood the test may then be fitted again to all rows around it, where it keeps its members: the p-value stays that of the rule which
was tested.

Source: Cox (1975), A note on data-splitting for the evaluation of significance levels, Biometrika 62; Benjamini, Hochberg (1995),
JRSS B 57.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tilth.core.estimate import Estimate
from tilth.core.found_slice import FoundSlice
from tilth.numerics.error_budget import benjamini_hochberg
from tilth.numerics.soft_scores import chance_of_low, soft_mean
from tilth.slicing._shared.describe import described
from tilth.slicing._shared.failures import LEAST_FAILING, Failures

if TYPE_CHECKING:
    from tilth.core.arrays import Vector
    from tilth.operators.view import View

__all__ = ["Refit", "Rule", "Search", "crossed", "jaccard"]

LEAST_MEMBERS = 5
"""Rows that belong by half or more, among those that a slice is tested on, and after each new fit."""


WITHIN = 0.7
"""Share of a slice's rows that lie in another one, from which the more doubtful of the two is left out."""
LEAST_KEPT = 0.3
"""Jaccard similarity to the rule that was tested, below which a new fit is another slice and is not taken."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rule:
    """A candidate: what a slice is made of, and how far each row of the view belongs (n,)."""

    membership: Vector
    made_of: dict[str, object]
    """Arguments of `Slice`: a region, or a predicate."""
    refit: Refit | None = None


Refit = Callable[["Vector"], Rule]
"""Makes the rule anew from all rows, by how far they belong to it (n,)."""
Search = Callable[[Failures], Sequence[Rule]]
"""Finds rules on some rows, most promising first."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Tested:
    rule: Rule
    p_value: float
    held_out: Estimate
    rows: int


def crossed(
    view: View, failures: Failures, search: Search, *, most: int, level: float, overlap: float
) -> list[FoundSlice]:
    """Return the slices whose rows score low in parts that did not look for them, most surely bad first.

    Parameters
    ----------
    view, failures : the rows
    search : run once per part, on the other parts
    most : slices at most, and rules that are tested per part
    level : greatest q-value
    overlap : Jaccard similarity from which the more doubtful of two slices is left out, as it is where one lies in the other
    """
    tested = [one for part in range(int(failures.folds.max()) + 1) for one in _tested(failures, search, part, most)]
    q_values = benjamini_hochberg(np.array([one.p_value for one in tested]))
    order = sorted(range(len(tested)), key=lambda i: (tested[i].p_value, i))
    found, names = list[FoundSlice](), set[str]()
    for i in order:
        if len(found) == most or q_values[i] > level:
            break
        rule = _refitted(tested[i].rule)
        earlier = [one.membership for one in found]
        if not any(_same(rule.membership, one, overlap) for one in earlier) and _adds(failures, rule, earlier):
            found.append(_found(view, failures, rule, tested[i], float(q_values[i]), names))
            names.add(found[-1].slice.name)
    return found


def _refitted(rule: Rule) -> Rule:
    """Return the rule fitted again to all rows, as often as it asks to be."""
    now = rule
    while now.refit is not None:
        then = now.refit(now.membership)
        if jaccard(then.membership, rule.membership) < LEAST_KEPT or _members(then.membership) < LEAST_MEMBERS:
            return now
        now = then
    return now


def jaccard(one: Vector, other: Vector) -> float:
    """Return how much two memberships share, in [0, 1]: sum of the lesser over sum of the greater; (n,), (n,)."""
    return float(np.minimum(one, other).sum() / max(float(np.maximum(one, other).sum()), 1e-12))


def _members(membership: Vector) -> int:
    return int(np.count_nonzero(membership >= 0.5))


def _same(one: Vector, other: Vector, overlap: float) -> bool:
    """Whether two slices share most of their rows, or most of the smaller one lies in the larger."""
    within = float(np.minimum(one, other).sum()) / max(min(float(one.sum()), float(other.sum())), 1e-12)
    return within >= WITHIN or jaccard(one, other) >= overlap


def _adds(failures: Failures, rule: Rule, earlier: Sequence[Vector]) -> bool:
    """Whether the slice's rows beyond earlier slices score low too: else it is only the shadow of one of them."""
    if not earlier:
        return True
    beyond = (rule.membership * (1 - np.max(earlier, axis=0)))[failures.rows]
    return bool(beyond @ failures.scores < failures.scores.mean() * beyond.sum())


def _tested(failures: Failures, search: Search, part: int, most: int) -> list[_Tested]:
    apart = failures.folds == part
    there = failures.take(~apart)
    if there.fails.sum() < LEAST_FAILING or not apart.any() or np.ptp(there.scores) == 0:
        return []
    scores, rows = failures.scores[apart], failures.rows[apart]
    groups = failures.together[apart] if failures.has_groups else None
    tested = []
    for rule in list(search(there))[:most]:
        belongs = rule.membership[rows]
        if _members(belongs) >= LEAST_MEMBERS:
            held = soft_mean(scores, belongs, groups=groups)
            tested.append(
                _Tested(
                    rule=rule,
                    p_value=chance_of_low(scores, belongs, groups),
                    held_out=held,
                    rows=_members(belongs),
                )
            )
    return tested


def _found(view: View, failures: Failures, rule: Rule, tested: _Tested, q_value: float, taken: set[str]) -> FoundSlice:
    membership = rule.membership
    score = soft_mean(failures.scores, membership[failures.rows], groups=failures.clusters)
    overall = float(failures.scores.mean())
    held = {"rows": tested.rows, "score": tested.held_out.value, "interval": tested.held_out.as_list()}
    return FoundSlice(
        slice=described(
            view, membership, rule.made_of, failures, score=score, overall=overall, held_out=held, taken=taken
        ),
        membership=membership,
        score=score,
        overall=overall,
        p_value=tested.p_value,
        q_value=q_value,
    )
