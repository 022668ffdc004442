"""Near-duplicates: rows that are nearly, and not wholly, equal to another.

    pairs: texts by shingles, images by pixels, others by a distance that chance does not explain
    groups: stars, so that every flagged row is verified against the row that is kept
    severity = similarity to the kept row * (1 if labels differ, else 1/2)

Source: Broder (1997), On the resemblance and containment of documents; Aslam, Pelekhov, Rus (2004), The
star clustering algorithm, Journal of Graph Algorithms and Applications 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tilth.detection._shared import (
    NearPairs,
    equal_rows,
    labels_differ,
    near_pairs,
    rank_of,
    refuse_few_rows,
    share_of,
    texts,
)
from tilth.numerics.clusters import star_groups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tilth.core.arrays import IntVector, Mask, Vector
    from tilth.core.finding import Finding
    from tilth.operators.view import Scope, View

__all__ = ["NearDuplicate", "similarity_to_leader"]


def similarity_to_leader(leader: IntVector, pairs: np.ndarray, similarity: Vector) -> Vector:
    """Return how similar each row is to the row that leads its group.

    O(n + m log m).

    Parameters
    ----------
    leader : IntVector, (n,)
        Position of the leader of each row; every row but a leader is paired with its own.
    pairs : array, (m, 2)
        Verified pairs of positions.
    similarity : Vector, (m,)
        In [0, 1].

    Returns
    -------
    Vector, (n,)
        0 for rows that lead or stand alone.

    Randomness
    ----------
    None.

    Source
    ------
    Aslam, Pelekhov, Rus (2004), Journal of Graph Algorithms and Applications 8.

    Examples
    --------
    >>> similarity_to_leader(np.array([0, 0]), np.array([[0, 1]]), np.array([0.9])).tolist()
    [0.0, 0.9]
    """
    alike = np.zeros(len(leader))
    for here, there in ((0, 1), (1, 0)):
        led = leader[pairs[:, here]] == pairs[:, there]
        np.maximum.at(alike, pairs[led, here], similarity[led])
    return alike


def _leaders(view: View, near: NearPairs) -> IntVector:
    """Return the row that leads each row's star; ties go to trusted rows, then by row id, never by position."""
    rank = rank_of(view)
    by_rank = np.argsort(rank)
    ranked_pairs = np.sort(rank[near.pairs], axis=1)
    order = np.lexsort((ranked_pairs[:, 1], ranked_pairs[:, 0]))
    leader = star_groups(len(view), ranked_pairs[order], near.similarity[order])
    return np.asarray(by_rank[leader[rank]], dtype=np.intp)


@dataclass(frozen=True, slots=True, kw_only=True)
class NearDuplicate:
    """Flag rows that are verified to be nearly equal to a row that is kept.

    Rows that are wholly equal to an earlier one are left to exact duplicates. A row whose label a person
    confirmed is never flagged.

    Parameters
    ----------
    similarity : float
        Least Jaccard similarity of two texts' five-character shingles; default 0.8.
    level : float
        Accepted share of false alarms among close rows of tables and vectors; default 0.01.
    most_share : float
        Where more than this share of the rows would be flagged, the rows are made alike (templates,
        augmented data) rather than copied: the finding says so, and severities are lowered; default 0.3.

    Raises
    ------
    NotApplicable
        There are no features to compare, or too few rows.

    Randomness
    ----------
    The view's seed decides which texts and images become candidates.

    Source
    ------
    Broder (1997); Facco et al. (2017), Scientific Reports 7; Aslam, Pelekhov, Rus (2004).
    """

    similarity: float = 0.8
    level: float = 0.01
    most_share: float = 0.3

    needs: ClassVar[frozenset[str]] = frozenset({"table", "neighbours", "labels", "numbers", "trusted"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def find(self, view: View) -> Sequence[Finding]:
        """Return one finding about the rows, or none when no two are nearly equal."""
        refuse_few_rows(len(view), 4)
        first = equal_rows(view).leader
        near = near_pairs(view, self.similarity, self.level)
        apart = (first[near.pairs] == near.pairs).all(axis=1)
        near = NearPairs(pairs=near.pairs[apart], similarity=near.similarity[apart], how=near.how)
        if not len(near.pairs):
            return []
        return [self._report(view, _leaders(view, near), near)]

    def _report(self, view: View, leader: IntVector, near: NearPairs) -> Finding:
        trusted = view.trusted if view.has("trusted") else np.zeros(len(view), dtype=bool)
        alike = similarity_to_leader(leader, near.pairs, near.similarity)
        differ = labels_differ(view, leader)
        is_copy = leader != np.arange(len(view))
        flagged = is_copy & ~trusted
        share = float(flagged.mean())
        severity = alike * np.where(differ, 1.0, 0.5) * min(1.0, self.most_share / max(share, 1e-9))
        return view.finding(
            "near_duplicate",
            severity,
            flagged=flagged,
            summary=_summary(flagged, differ, leader) + (TEMPLATES if share > self.most_share else ""),
            threshold=f"two rows are nearly equal when {near.how}; each flagged row is compared with the "
            f"very row that is kept",
            suggestion="look at some pairs, then keep one row of each group; where labels differ, let a person decide",
            evidence={
                "near_to": texts(view.ids.take(leader).to_pylist(), is_copy),
                "similarity": alike,
                "group_rows": np.bincount(leader, minlength=len(view))[leader],
                "labels_differ": differ,
            },
        )


TEMPLATES = " So many are a sign of templates or of augmented data: removing them all would take much away."


def _summary(flagged: Mask, differ: Mask, leader: IntVector) -> str:
    groups = len(np.unique(leader[flagged]))
    disputed = len(np.unique(leader[flagged & differ]))
    text = f"{share_of(int(flagged.sum()), len(flagged))} are nearly equal to a row that is kept"
    text += f", in {groups:,} groups"
    return text + (f"; in {disputed:,} of these the labels differ." if disputed else ".")
