"""Shortcuts: attributes that predict the label in train and that the model goes by, though the rest of a row could tell better.

    predicts:  max_c |correlation of the attribute with class c| ≥ least_association
    leans:     within classes, out-of-sample errors stand where the attribute speaks against the label (Mantel-Haenszel)
    needless:  even error without the attribute's trace ≤ (1 - least_better) · even error with it      (numerics/shortcuts)

Both tests are Holm's over the attributes that predict the label. An attribute on which errors do not depend, given the label, is
named with a chance of alpha at most. No test on rows of one kind can tell a shortcut from a fact of the matter that is
independent of all others: a person has to say which it is.

Source: Geirhos et al. (2020), Shortcut Learning in Deep Neural Networks, Nature Machine Intelligence 2; Mantel, Haenszel (1959), JNCI 22;
Ravfogel et al. (2020), Null It Out, ACL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.ids import cell_digests
from tilth.core.rng import row_uniforms
from tilth.detection._shared import Attribute, attributes_of, holm, refuse_few_rows, refuse_regression
from tilth.numerics.shortcuts import Lean, held_out_errors, lean_p_value, speaks_for, without_trace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tilth.core.arrays import IntVector, Mask
    from tilth.core.finding import Finding
    from tilth.operators.view import Scope, View

__all__ = ["Shortcut", "association"]

FOLDS = 3
MOST_ROWS = 10_000
"""Labelled rows that are looked at, drawn by their ids."""
MOST_TAKEN_AWAY = 8
"""Attributes whose trace is taken away, those that predict the label best."""


def association(attribute: Mask, labels: IntVector, n_classes: int) -> float:
    """Return the largest correlation of an attribute with a class, without its sign; (n,), (n,) -> in [0, 1].

    O(n k).

    Parameters
    ----------
    attribute : Mask, (n,)
        Rows of which it holds.
    labels : IntVector, (n,)
        Class numbers in [0, n_classes).
    n_classes : int
        Number of classes.

    Returns
    -------
    float
        1 where it tells a class from all others, 0 where it tells nothing or does not vary.

    Randomness
    ----------
    None.

    Source
    ------
    Pearson (1900); Cramér (1946), section 21.9: phi, the correlation of two facts.

    Examples
    --------
    >>> association(np.array([True, True, False, False]), np.array([1, 1, 0, 0]), 2)
    1.0
    """
    rate = float(attribute.mean())
    shares = np.bincount(labels, minlength=n_classes) / len(labels)
    both = np.bincount(labels, attribute, minlength=n_classes) / len(labels)
    spread = np.sqrt(rate * (1 - rate) * shares * (1 - shares))
    known = spread > 0
    return float(np.abs((both - rate * shares)[known] / spread[known]).max(initial=0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """Name attributes (values, words, colours) by which the model goes though the rest of the features could tell better.

    Parameters
    ----------
    least_association : float
        Least correlation with a class: a weaker attribute cannot carry a model.
    least_better : float
        Least share by which the even error must fall without the attribute.
    alpha : float
        Chance of naming an attribute on which the errors do not depend.
    fewest : int
        Rows that an attribute must hold of, and not hold of.

    Raises
    ------
    NotApplicable
        The label is a number, or there are fewer than 200 labelled rows.

    Randomness
    ----------
    Folds, and the rows looked at above 10,000, by row ids and the view's seed.

    Source
    ------
    Geirhos et al. (2020), Nature Machine Intelligence 2; Mantel, Haenszel (1959), JNCI 22.
    """

    least_association: float = 0.3
    least_better: float = 0.25
    alpha: float = 0.05
    fewest: int = 20

    needs: ClassVar[frozenset[str]] = frozenset({"table", "labels", "pred_probs", "embeddings"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def find(self, view: View) -> Sequence[Finding]:
        """Return one finding for each column that holds a shortcut, the most needless first; none where there is none."""
        refuse_regression(view)
        rows, folds = _rows(view)
        refuse_few_rows(len(rows), 200)
        labels = view.labels[rows]
        found = [(a, lean) for a, lean in self._leaning(view, rows, labels, folds) if self._is_needless(lean)]
        by_column: dict[str, tuple[Attribute, Lean]] = {}
        for attribute, lean in sorted(found, key=lambda one: one[1].after / one[1].before):
            by_column.setdefault(attribute.column, (attribute, lean))
        return [self._finding(view, attribute, lean, rows) for attribute, lean in by_column.values()]

    def _leaning(
        self, view: View, rows: IntVector, labels: IntVector, folds: IntVector
    ) -> list[tuple[Attribute, Lean]]:
        """Return the attributes on which the model leans, with what it would do without them."""
        k = view.n_classes
        telling = [
            (known, attribute)
            for attribute in attributes_of(view, view.table.take(pa.array(rows)), self.fewest)
            if (known := association(attribute.holds, labels, k)) >= self.least_association
        ]
        wrong = view.pred_probs[rows].argmax(axis=1) != labels
        sides = [speaks_for(attribute.holds, labels, k) for _, attribute in telling]
        p_values = holm(np.array([lean_p_value(wrong, labels, side) for side in sides]))
        leaning = [i for i in np.argsort([-known for known, _ in telling], kind="stable") if p_values[i] <= self.alpha]
        if not leaning:
            return []
        features = view.embeddings[rows]
        before = held_out_errors(features, labels, folds)
        found = []
        for i in leaning[:MOST_TAKEN_AWAY]:
            after = held_out_errors(without_trace(features, telling[i][1].holds, labels), labels, folds)
            found.append((telling[i][1], Lean.of(before, after, labels, sides[i])))
        return found

    def _is_needless(self, lean: Lean) -> bool:
        return (
            lean.before_against > lean.before_for
            and lean.after <= (1 - self.least_better) * lean.before
            and lean.p_value <= self.alpha / MOST_TAKEN_AWAY
        )

    def _finding(self, view: View, attribute: Attribute, lean: Lean, rows: IntVector) -> Finding:
        return view.column_finding(
            "shortcut",
            (attribute.column,),
            level=float(np.clip(1 - lean.after / lean.before, 0, 1)),
            summary=f"The model goes by whether {attribute.said}: of rows for whose label that speaks it gets "
            f"{100 * lean.before_for:.1f} % wrong, of those against whose label it speaks {100 * lean.before_against:.1f} %. "
            f"Without it, it would be {100 * lean.after_for:.1f} % and {100 * lean.after_against:.1f} %.",
            threshold=f"among {len(rows):,} train rows; a correlation of {self.least_association:g} or more, errors that depend on it "
            f"within classes (Holm, {self.alpha:g}), and {100 * self.least_better:g} % fewer errors without it where it speaks as often "
            "against a label as for it",
            suggestion="say whether this belongs to the matter. If not, declare a slice of it and try the cures that aim at "
            "groups, or leave the column out; collect rows where it speaks against the label",
        )


def _rows(view: View) -> tuple[IntVector, IntVector]:
    """Return the labelled rows that are looked at, by rising id, and their folds."""
    rows = np.flatnonzero(view.labelled)
    rows = rows[np.asarray(pc.sort_indices(view.take_ids(rows))).astype(np.intp)]
    draws = row_uniforms(cell_digests(view.take_ids(rows)), view.seed, "detection", "shortcut")
    order = np.argsort(draws, kind="stable")
    folds = np.empty(len(rows), dtype=np.intp)
    folds[order] = np.arange(len(rows)) % FOLDS
    part = np.sort(order[:MOST_ROWS])
    return rows[part], folds[part]
