"""Shortcuts: attributes that predict the label in train and that the model goes by, though the rest of a row could tell better.

    predicts:  max_c |correlation of the attribute with class c| ≥ least_association
    leans:     within classes, out-of-sample errors stand where the attribute speaks against the label (Mantel-Haenszel)
    needless:  even error without the attribute's trace ≤ (1 - least_better) · even error with it      (numerics/shortcuts)
    breaks:    within a declared slice the log odds by which it tells the class are less than half of those elsewhere

It has to lean, and to be needless or to break within a slice: what tells the label everywhere but there is not what makes it so. Slices
whose rule reads the label, or what a model says, are not looked at: within them anything may seem to break.

All tests are Holm's, over the attributes that predict the label, or these and all slices. An attribute on which errors do not depend,
given the label, is named with a chance of alpha at most. No test on rows of one kind can tell a shortcut from a fact of the matter that
is independent of all others: a person has to say which it is.

Source: Geirhos et al. (2020), Shortcut Learning in Deep Neural Networks, Nature Machine Intelligence 2; Mantel, Haenszel (1959), JNCI 22;
Ravfogel et al. (2020), Null It Out, ACL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.ids import cell_digests
from tilth.core.rng import row_uniforms
from tilth.detection._shared import Attribute, attributes_of, holm, refuse_few_rows, refuse_regression
from tilth.numerics.shortcuts import (
    Lean,
    Within,
    held_out_errors,
    lean_p_value,
    speaks_for,
    within_slice,
    without_trace,
)

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
    least_kept : float
        Within a slice, share of the log odds elsewhere below which an attribute breaks, in (0, 1).
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
    least_kept: float = 0.5
    alpha: float = 0.05
    fewest: int = 20

    needs: ClassVar[frozenset[str]] = frozenset({"table", "labels", "pred_probs", "embeddings", "slices"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 2

    def find(self, view: View) -> Sequence[Finding]:
        """Return one finding for each column that holds a shortcut, the most needless first; none where there is none."""
        refuse_regression(view)
        rows, folds = _rows(view)
        refuse_few_rows(len(rows), 200)
        labels = view.labels[rows]
        leaning = self._leaning(view, rows, labels, folds)
        breaks = self._breaks(view, [attribute for attribute, _ in leaning], rows, labels)
        found = [(a, lean, b) for (a, lean), b in zip(leaning, breaks, strict=True) if self._is_needless(lean) or b]
        by_column: dict[str, tuple[Attribute, Lean, _Break | None]] = {}
        for attribute, lean, broken in sorted(found, key=lambda one: _left(one[1])):
            by_column.setdefault(attribute.column, (attribute, lean, broken))
        return [self._finding(view, *one, rows) for one in by_column.values()]

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

    def _breaks(
        self, view: View, attributes: Sequence[Attribute], rows: IntVector, labels: IntVector
    ) -> list[_Break | None]:
        """Return for each attribute the slice within which it surely tells the label least of all, or None."""
        if not view.has("slices") or not attributes:
            return [None] * len(attributes)
        slices = [(name, far[rows] >= 0.5) for name, far in view.slices.items()]
        slices = [(name, inside) for name, inside in slices if self.fewest <= inside.sum() <= len(rows) - self.fewest]
        tried = []
        for attribute in attributes:
            told = labels == _class_told(attribute.holds, labels, view.n_classes)
            tried += [
                _Break(name, within_slice(attribute.holds, told, inside, self.least_kept)) for name, inside in slices
            ]
        p_values = holm(np.array([one.within.p_value for one in tried]))
        found: list[_Break | None] = []
        for first in range(0, len(attributes) * len(slices), max(len(slices), 1)):
            part = range(first, first + len(slices))
            best = min(part, key=lambda i: (p_values[i], tried[i].within.p_value))
            found.append(tried[best] if p_values[best] <= self.alpha else None)
        return found or [None] * len(attributes)

    def _is_needless(self, lean: Lean) -> bool:
        return (
            lean.before_against > lean.before_for
            and lean.after <= (1 - self.least_better) * lean.before
            and lean.p_value <= self.alpha / MOST_TAKEN_AWAY
        )

    def _finding(self, view: View, attribute: Attribute, lean: Lean, broken: _Break | None, rows: IntVector) -> Finding:
        return view.column_finding(
            "shortcut",
            (attribute.column,),
            level=float(np.clip(1 - _left(lean), 0, 1)),
            summary=f"The model goes by whether {attribute.said}: of rows for whose label that speaks it gets "
            f"{100 * lean.before_for:.1f} % wrong, of those against whose label it speaks {100 * lean.before_against:.1f} %. "
            f"Without it, it would be {100 * lean.after_for:.1f} % and {100 * lean.after_against:.1f} %."
            f"{'' if broken is None else broken.said()}",
            threshold=f"among {len(rows):,} train rows; a correlation of {self.least_association:g} or more, errors that depend on it "
            f"within classes (Holm, {self.alpha:g}), and {100 * self.least_better:g} % fewer errors without it where it speaks as often "
            f"against a label as for it{_OR_BREAKS if view.has('slices') else ''}",
            suggestion="say whether this belongs to the matter. If not, declare a slice of it and try the cures that aim at "
            "groups, or leave the column out; collect rows where it speaks against the label",
        )


_OR_BREAKS = "; or within a declared slice less than half of the log odds elsewhere"


class _Break(NamedTuple):
    """A slice within which an attribute does not tell the label as it does elsewhere."""

    slice: str
    within: Within

    def said(self) -> str:
        """Return it as a sentence, with a space in front."""
        here, there = ([f"{100 * share:.0f} %" for share in pair] for pair in (self.within.inside, self.within.outside))
        return (
            f" Within slice {self.slice!r} it hardly tells the label: the class that it tells best is {here[0]} of the rows "
            f"with it and {here[1]} of those without; elsewhere {there[0]} and {there[1]}."
        )


def _left(lean: Lean) -> float:
    """Return the even error without the trace, as a share of that with it."""
    return lean.after / lean.before if lean.before > 0 else 1.0


def _class_told(attribute: Mask, labels: IntVector, n_classes: int) -> int:
    """Return the class with which an attribute goes most, or least; (n,), (n,)."""
    told = [association(attribute, (labels == c).astype(np.intp), 2) for c in range(n_classes)]
    return int(np.argmax(told))


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
