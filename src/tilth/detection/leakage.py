"""Leakage between splits: train rows that stand in dev or test as well, or their group does.

    leakage        train row i equals, or is verified to be nearly equal to, a row j of dev or test
    group_leakage  train row i belongs to a group that has rows in dev or test

Labels of dev and test are not read. The cure is to remove the train row: the rows that judge stay as they
are.

Source: Kapoor, Narayanan (2023), Leakage and the reproducibility crisis in machine-learning-based science,
Patterns 4, section L1.4 (duplicates) and L3.2 (dependence between train and test).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tilth.core.errors import NotApplicable
from tilth.core.names import Split
from tilth.core.schema import Role
from tilth.detection._shared import equal_rows, near_pairs, refuse_few_rows, share_of, texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tilth.core.arrays import IntVector, Mask, Vector
    from tilth.core.finding import Finding
    from tilth.operators.view import Scope, View

__all__ = ["Leakage", "across_groups", "across_splits"]

NOBODY = np.iinfo(np.intp).max
"""Position of no row."""


def across_splits(
    leader: IntVector, chance: Vector, pairs: np.ndarray, similarity: Vector, train: Mask, judging: Mask
) -> tuple[Vector, IntVector]:
    """Return how similar each train row is to the likest judging row, and which row that is.

    Equal rows are alike as far as chance does not explain them (1 - chance); nearly equal rows as their
    pair says. A pair of two rows holds for all rows that are equal to them. O(n + m).

    Parameters
    ----------
    leader, chance : (n,)
        Groups of equal rows, and the share of each that chance explains.
    pairs, similarity : (m, 2), (m,)
        Verified pairs of nearly equal rows.
    train, judging : Mask, (n,)
        Rows that are learnt from, rows of dev and test.

    Returns
    -------
    similarity : Vector, (n,)
        In [0, 1]; 0 for rows that do not leak.
    partner : IntVector, (n,)
        Position of the judging row; the row itself where there is none.

    Randomness
    ----------
    None.

    Source
    ------
    Kapoor, Narayanan (2023), Patterns 4.

    Examples
    --------
    >>> train, none = np.array([True, False]), np.empty(0)
    >>> alike, _ = across_splits(np.array([0, 0]), np.zeros(2), np.empty((0, 2), int), none, train, ~train)
    >>> alike.tolist()
    [1.0, 0.0]
    """
    rows = np.arange(len(leader))
    judge = np.full(len(leader), NOBODY)
    np.minimum.at(judge, leader[judging], rows[judging])
    alike = np.where(judge < NOBODY, 1 - chance, 0.0)
    partner = judge.copy()
    ends = leader[np.concatenate([pairs, pairs[:, ::-1]])]
    told = np.concatenate([similarity, similarity])
    reaches = judge[ends[:, 1]] < NOBODY
    ends, told = ends[reaches], told[reaches]
    order = np.lexsort((judge[ends[:, 1]], -told))
    ends, told = ends[order], told[order]
    here, best = np.unique(ends[:, 0], return_index=True)
    better = told[best] > alike[here]
    here, best = here[better], best[better]
    alike[here], partner[here] = told[best], judge[ends[best, 1]]
    alike, partner = np.where(train, alike[leader], 0.0), partner[leader]
    return alike, np.where(train & (partner < NOBODY), partner, rows)


def across_groups(groups: IntVector, train: Mask, judging: Mask) -> Mask:
    """Return the train rows whose group has judging rows.

    O(n log n).

    Parameters
    ----------
    groups : IntVector, (n,)
        Group code of each row.
    train, judging : Mask, (n,)
        Rows that are learnt from, rows of dev and test.

    Returns
    -------
    Mask, (n,)
        Row order of the input.

    Randomness
    ----------
    None.

    Source
    ------
    Kapoor, Narayanan (2023), Patterns 4, section L3.2.

    Examples
    --------
    >>> train = np.array([True, True, False])
    >>> across_groups(np.array([5, 6, 5]), train, ~train).tolist()
    [True, False, False]
    """
    return np.asarray(train & np.isin(groups, np.unique(groups[judging])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Leakage:
    """Flag train rows that are (nearly) equal to dev or test rows, or share a group with them.

    Parameters
    ----------
    similarity : float
        Least Jaccard similarity of two texts' five-character shingles; default 0.8.
    level : float
        Accepted share of false alarms among close rows of tables and vectors; default 0.01.
    most_chance : float
        Equal rows do not count as copies when chance explains more than this share of them; default 0.5.

    Raises
    ------
    NotApplicable
        There are no dev or test rows, or nothing that rows could be compared by.

    Randomness
    ----------
    The view's seed decides which texts and images become candidates.

    Source
    ------
    Kapoor, Narayanan (2023), Patterns 4; see near duplicates for the methods.
    """

    similarity: float = 0.8
    level: float = 0.01
    most_chance: float = 0.5

    needs: ClassVar[frozenset[str]] = frozenset({"table", "neighbours", "splits", "groups"})
    scope: ClassVar[Scope] = "all"
    revision: ClassVar[int] = 1

    def find(self, view: View) -> Sequence[Finding]:
        """Return at most one finding about copies and one about groups; none when the splits are apart."""
        refuse_few_rows(len(view), 2)
        splits = view.splits.astype(str)
        train = splits == str(Split.TRAIN)
        judging = np.isin(splits, [str(Split.DEV), str(Split.TEST)])
        if not (train.any() and judging.any()):
            raise NotApplicable("there are no rows on both sides: train, and dev or test")
        found = _groups(view, train, judging)
        try:
            return self._copies(view, splits, train, judging) + found
        except NotApplicable:
            if not view.has("groups"):
                raise
            return found

    def _copies(self, view: View, splits: np.ndarray, train: Mask, judging: Mask) -> list[Finding]:
        equal = equal_rows(view)
        near = near_pairs(view, self.similarity, self.level)
        told = (equal.leader, equal.chance, near.pairs, near.similarity)
        alike, partner = across_splits(*told, train, judging)
        is_equal = equal.leader[partner] == equal.leader
        flagged = (alike > 0) & (~is_equal | (equal.chance <= self.most_chance))
        if not flagged.any():
            return []
        return [
            view.finding(
                "leakage",
                alike,
                flagged=flagged,
                summary=_summary(flagged, is_equal, splits[partner], int(train.sum())),
                threshold=f"all feature cells are equal and chance explains at most "
                f"{100 * self.most_chance:g} % of them, or "
                f"{near.how}",
                suggestion="remove the train rows: scores on rows that the model has seen promise too much",
                evidence={
                    "copy_of": texts(view.ids.take(partner).to_pylist(), alike > 0),
                    "in_split": texts(splits[partner], alike > 0),
                    "similarity": alike,
                    "equal": is_equal & (alike > 0),
                },
            )
        ]


def _summary(flagged: Mask, is_equal: Mask, where: np.ndarray, n_train: int) -> str:
    sides = [f"{int((where[flagged] == side).sum()):,} in {side}" for side in ("dev", "test")]
    equal = int((flagged & is_equal).sum())
    return (
        f"{share_of(int(flagged.sum()), n_train, 'train rows')} stand in a split that judges as well "
        f"({', '.join(sides)}): {equal:,} equal, {int(flagged.sum()) - equal:,} nearly equal."
    )


def _groups(view: View, train: Mask, judging: Mask) -> list[Finding]:
    """The finding about groups on two sides, where there is a group column."""
    flagged = across_groups(view.groups, train, judging) if view.has("groups") else np.zeros(len(view), dtype=bool)
    if not flagged.any():
        return []
    n_groups = len(np.unique(view.groups[flagged]))
    return [
        view.finding(
            "group_leakage",
            flagged.astype(np.float64),
            flagged=flagged,
            summary=f"{n_groups:,} groups stand on two sides: "
            f"{share_of(int(flagged.sum()), int(train.sum()), 'train rows')} "
            "share a group with dev or test rows.",
            threshold="the group of a train row has at least one row in dev or test",
            suggestion="split again by whole groups, or remove the train rows of these groups",
            evidence={"group": _group_names(view)},
        )
    ]


def _group_names(view: View) -> list[str]:
    """What the group column holds, or the group's code where the table does not hold it."""
    name = view.schema.first(Role.GROUP)
    cells = view.table.column(name).to_pylist() if name in view.table.column_names else view.groups.tolist()
    return ["" if cell is None else str(cell) for cell in cells]
