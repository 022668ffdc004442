"""Exact duplicates: rows that equal an earlier one in every feature column.

    chance_g = max over plain columns j of  r_gj * p / (1 - p)
    r_gj = rows that equal group g in all columns but j
    p = share of the rows that hold g's value in column j
    severity = (1 - chance_g / rows of g) * (1 if labels differ, else 1/2)

chance_g is how many rows the group would hold if column j were drawn apart from the others: on a table of a
few categories equal rows are no copies. Rows with a text, image or vector are never equal by chance.

Source: Elmagarmid, Ipeirotis, Verykios (2007), Duplicate record detection: a survey, IEEE TKDE 19, section
4 (an agreement weighs by how frequent the value is, after Fellegi and Sunter).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tilth.detection._shared import EqualRows, equal_rows, labels_differ, refuse_few_rows, share_of, texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tilth.core.arrays import IntVector, Mask, Vector
    from tilth.core.finding import Finding
    from tilth.operators.view import Scope, View

__all__ = ["ExactDuplicate", "copy_severity"]


def copy_severity(leader: IntVector, chance: Vector, differ: Mask) -> Vector:
    """Return how bad it is to keep each copy.

    1 where labels in its group differ, 1/2 where it only counts twice; either is lowered by the share of the
    group that chance explains. O(n).

    Parameters
    ----------
    leader : IntVector, (n,)
        Position of the row that leads each row's group.
    chance : Vector, (n,)
        Share of the group that chance explains, in [0, 1].
    differ : Mask, (n,)
        Whether labels differ in the row's group.

    Returns
    -------
    Vector, (n,)
        In [0, 1]; 0 for leaders and rows without copies.

    Randomness
    ----------
    None.

    Source
    ------
    Elmagarmid, Ipeirotis, Verykios (2007), IEEE TKDE 19, section 4.

    Examples
    --------
    >>> copy_severity(np.array([0, 0]), np.zeros(2), np.zeros(2, dtype=bool)).tolist()
    [0.0, 0.5]
    """
    is_copy = leader != np.arange(len(leader))
    return np.where(is_copy, (1 - chance) * np.where(differ, 1.0, 0.5), 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactDuplicate:
    """Flag rows that equal another in every feature column, all but the first of each group.

    The first is a row whose label a person confirmed, else the first by row id. Labels may differ: the
    evidence says where.

    Parameters
    ----------
    most_chance : float
        A group is left alone when chance explains more than this share of its rows; default 0.5.

    Raises
    ------
    NotApplicable
        There are no feature columns, or a single one whose values agree by nature (a number, category or
        date).

    Randomness
    ----------
    None.

    Source
    ------
    Elmagarmid, Ipeirotis, Verykios (2007), Duplicate record detection: a survey, IEEE TKDE 19.
    """

    most_chance: float = 0.5

    needs: ClassVar[frozenset[str]] = frozenset({"table", "labels", "numbers", "trusted"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def find(self, view: View) -> Sequence[Finding]:
        """Return one finding about the rows, or none when all differ."""
        refuse_few_rows(len(view), 2)
        equal = equal_rows(view)
        is_copy = equal.leader != np.arange(len(view))
        return [self._report(view, equal, is_copy)] if is_copy.any() else []

    def _report(self, view: View, equal: EqualRows, is_copy: Mask) -> Finding:
        differ = labels_differ(view, equal.leader)
        flagged = is_copy & (equal.chance <= self.most_chance)
        return view.finding(
            "exact_duplicate",
            copy_severity(equal.leader, equal.chance, differ),
            flagged=flagged,
            summary=_summary(flagged, is_copy, differ, equal.leader),
            threshold="all feature columns equal those of the first row of the group, and chance explains "
            "at most "
            f"{100 * self.most_chance:g} % of the group",
            suggestion="keep one row of each group; where the labels of a group differ, let a person "
            "decide which is right",
            evidence={
                "copy_of": texts(view.ids.take(equal.leader).to_pylist(), is_copy),
                "group_rows": equal.sizes,
                "labels_differ": differ,
                "explained_by_chance": equal.chance,
            },
        )


def _summary(flagged: Mask, is_copy: Mask, differ: Mask, leader: IntVector) -> str:
    groups = len(np.unique(leader[flagged]))
    disputed = len(np.unique(leader[flagged & differ]))
    text = f"{share_of(int(flagged.sum()), len(flagged))} equal another row, in {groups:,} groups"
    text += f"; in {disputed:,} of these the labels differ." if disputed else "."
    natural = int((is_copy & ~flagged).sum())
    return text + (f" {natural:,} more equal rows are as many as chance would bring." if natural else "")
