"""Class imbalance: how unevenly the classes are filled, and which hold too few rows to be learnt.

    effective classes = exp(-sum_c s_c ln s_c),   s_c = share of class c
    severity = (k - effective classes) / (k - 1)

Source: Hill (1973), Diversity and evenness: a unifying notation and its consequences, Ecology 54 (number of
order 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tilth.detection._shared import named, refuse_few_rows, refuse_regression

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tilth.core.arrays import IntVector
    from tilth.core.finding import Finding
    from tilth.operators.view import Scope, View

__all__ = ["ClassImbalance", "effective_classes"]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassImbalance:
    """Report classes that are rare beside the others, or too rare to be learnt at all.

    Parameters
    ----------
    least_share : float
        A class is rare when it holds less than this share of what it would hold if all were equal; default
        0.5.
    least_rows : int
        A class with fewer train rows is too small to learn or to judge; default 20: an accuracy on 20 rows
        is known to 11 points (one standard error) at best.

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
    least_rows: int = 20

    needs: ClassVar[frozenset[str]] = frozenset({"labels"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def find(self, view: View) -> Sequence[Finding]:
        """Return one finding about the label column, or none when every class is well filled."""
        refuse_regression(view)
        refuse_few_rows(int(view.labelled.sum()), 1)
        counts = np.bincount(view.labels[view.labelled], minlength=view.n_classes)
        fair = counts.sum() / len(counts)
        rare = np.flatnonzero((counts < self.least_share * fair) | (counts < self.least_rows))
        if not len(rare) or len(counts) < 2:
            return []
        effective = effective_classes(counts)
        return [
            view.column_finding(
                "class_imbalance",
                (view.schema.task.label,),
                level=float((len(counts) - effective) / (len(counts) - 1)),
                summary=self._summary(view.classes, counts, rare, effective),
                threshold=f"a class holds less than {self.least_share:g} of an equal share of the rows "
                f"(here {fair:,.0f}), or fewer than {self.least_rows} rows",
                suggestion=self._suggestion(counts),
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
