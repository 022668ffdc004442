"""Class imbalance: how unevenly the classes are filled, where that is material and no chance.

    effective classes = exp(-sum_c s_c ln s_c),   s_c = share of class c
    severity = (k - effective classes) / (k - 1)
    rare: n_c < n / (2k)  and  P(X <= n_c) <= 0.05 / k,   X ~ Binomial(n, 1 / (2k))

A class is rare when it surely holds less than half of an even share; without a rare class nothing is reported.

Source: Hill (1973), Diversity and evenness: a unifying notation and its consequences, Ecology 54 (number of
order 1); Clopper and Pearson (1934), The use of confidence or fiducial limits illustrated in the case of the
binomial, Biometrika 26 (the exact test), with Bonferroni's bound over the classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.special import bdtr

from tilth.detection._shared import named, refuse_few_rows, refuse_regression

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tilth.core.arrays import IntVector
    from tilth.core.finding import Finding
    from tilth.operators.view import Scope, View

__all__ = ["ClassImbalance", "effective_classes", "rare_classes"]


def effective_classes(counts: IntVector) -> float:
    """Return how many equally filled classes would be as diverse as these.

    exp of the entropy of the shares: k when all classes hold equally many rows, 1 when one holds them all.
    O(k).

    Parameters
    ----------
    counts : IntVector, (k,)
        Rows per class, >= 0, not all zero; empty classes count for nothing.

    Returns
    -------
    float
        In [1, k].

    Randomness
    ----------
    None.

    Source
    ------
    Hill (1973), Diversity and evenness, Ecology 54.

    Examples
    --------
    >>> effective_classes(np.array([5, 5]))
    2.0
    """
    shares = counts[counts > 0] / counts.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def rare_classes(counts: IntVector, least_share: float = 0.5, alpha: float = 0.05) -> IntVector:
    """Return the classes that hold significantly less than a share of what they would hold if all were equal.

    An exact one-sided binomial test for each class, by Bonferroni over the classes: where all classes are drawn with
    at least that share, some class is called rare with a chance of alpha at most. O(k).

    Parameters
    ----------
    counts : IntVector, (k,)
        Rows per class, >= 0, not all zero.
    least_share : float
        In (0, 1]: the part of an even share, 1 / k of the rows, that a class must hold.
    alpha : float
        In (0, 1): the chance of calling any class rare where none is.

    Returns
    -------
    IntVector, (m,)
        Class numbers, ascending; none where there is only one class.

    Randomness
    ----------
    None.

    Source
    ------
    Clopper and Pearson (1934), Biometrika 26.

    Examples
    --------
    >>> rare_classes(np.array([950, 50])), rare_classes(np.array([10, 7])), rare_classes(np.array([4, 1]))
    (array([1]), array([], dtype=int64), array([], dtype=int64))
    """
    k, n = len(counts), int(counts.sum())
    if k < 2:
        return np.zeros(0, dtype=np.intp)
    chance = bdtr(counts.astype(np.float64), n, least_share / k)
    return np.flatnonzero((counts < least_share * n / k) & (chance <= alpha / k))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassImbalance:
    """Report classes that are rare beside the others; silent where they are nearly even, or so by chance.

    Parameters
    ----------
    least_share : float
        A class is rare when it holds less than this share of what it would hold if all were equal; default
        0.5.
    alpha : float
        ... and when it does so significantly: the chance of calling any class rare where none is; default 0.05.
    least_rows : int
        A rare class with fewer train rows is named as too small to learn or to judge; default 20: an accuracy
        on 20 rows is known to 11 points (one standard error) at best.

    Raises
    ------
    NotApplicable
        The label is a number, or there are no labelled rows.

    Randomness
    ----------
    None.

    Source
    ------
    Hill (1973), Ecology 54.
    """

    least_share: float = 0.5
    alpha: float = 0.05
    least_rows: int = 20

    needs: ClassVar[frozenset[str]] = frozenset({"labels"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 2

    def find(self, view: View) -> Sequence[Finding]:
        """Return one finding about the label column, or none when no class is rare."""
        refuse_regression(view)
        refuse_few_rows(int(view.labelled.sum()), 1)
        counts = np.bincount(view.labels[view.labelled], minlength=view.n_classes)
        rare = rare_classes(counts, self.least_share, self.alpha)
        if not len(rare):
            return []
        effective = effective_classes(counts)
        return [
            view.column_finding(
                "class_imbalance",
                (view.schema.task.label,),
                level=float((len(counts) - effective) / (len(counts) - 1)),
                summary=self._summary(view.classes, counts, rare, effective),
                threshold=f"a class surely holds less than {self.least_share:g} of an equal share of the rows "
                f"(an equal share is {counts.sum() / len(counts):,.0f} here; exact test at {self.alpha:g}, all "
                "classes together)",
                suggestion=self._suggestion(counts[rare]),
            )
        ]

    def _summary(self, classes: Sequence[str], counts: IntVector, rare: IntVector, effective: float) -> str:
        least, most = int(counts.argmin()), int(counts.argmax())
        text = (
            f"The rarest class {classes[least]!r} holds {counts[least]:,} of {counts.sum():,} train rows "
            f"({100 * counts[least] / counts.sum():.2g} %), the most frequent {classes[most]!r} "
            f"{counts[most]:,}; "
            f"the {len(counts)} classes are as diverse as {effective:.1f} equal ones."
        )
        scarce = [classes[c] for c in rare[np.argsort(counts[rare], kind="stable")] if counts[c] < self.least_rows]
        if scarce:
            verb = "has" if len(scarce) == 1 else "have"
            text += f" {named(scarce)} {verb} fewer than {self.least_rows} train rows."
        return text

    def _suggestion(self, counts: IntVector) -> str:
        if (counts < self.least_rows).any():
            return "label more rows of the scarce classes, or merge them; judge by balanced accuracy"
        return "balance the classes by weights, collect more of the rare ones, and judge by balanced accuracy"
