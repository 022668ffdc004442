"""Label leakage by a column: one feature column that tells the label almost alone.

    classes:  score = 1 - errors of the column's rule / errors of the most frequent class
    numbers:  score = 1 - mean |error| of the column's rule / mean |error| of the median, on ranks

The first is Goodman and Kruskal's lambda. Numeric labels are ranked, so that few large ones do not decide.
The rule gives each value (a bin of a number, a category, a gap) the class or median that it had in the other
folds: cross-validated.

Source: Kaufman, Rosset, Perlich, Stitelman (2012), Leakage in data mining, ACM TKDD 6; Goodman, Kruskal
(1954), JASA 49.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa

from tilth.core.errors import NotApplicable
from tilth.core.schema import Column, ColumnType
from tilth.detection._shared import average_ranks, feature_columns, missing_cells, named, refuse_few_rows, value_codes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tilth.core.arrays import IntVector, Vector
    from tilth.core.finding import Finding
    from tilth.operators.view import Scope, View

__all__ = ["LabelLeakageColumn", "class_score", "number_score"]

FOLDS = 5
ROWS_PER_BIN = 20
"""Least rows of a bin of numbers: coarse enough that a bin's majority can be trusted."""
MOST_BINS = 500


def class_score(codes: IntVector, labels: IntVector, folds: IntVector, n_classes: int) -> float:
    """Return the share of the majority rule's errors that knowing the value removes, cross-validated.

    Each value predicts the most frequent class that it had in the other folds (a value not seen there: the
    most frequent class of all). O(n + v k) per fold.

    Parameters
    ----------
    codes : IntVector, (n,)
        Value of each row, >= 0.
    labels : IntVector, (n,)
        Class numbers in [0, n_classes).
    folds : IntVector, (n,)
        Fold of each row.
    n_classes : int
        Number of classes.

    Returns
    -------
    float
        1 for a column that gives every label away, 0 for a useless one, below 0 for one that misleads; 0
        where one class holds all rows.

    Randomness
    ----------
    None.

    Source
    ------
    Goodman, Kruskal (1954), Measures of association for cross classifications, JASA 49, section 5.

    Examples
    --------
    >>> x = np.array([0, 1, 0, 1]); class_score(x, x, np.array([0, 0, 1, 1]), 2)
    1.0
    """
    n_values = int(codes.max(initial=0)) + 1
    cells = codes * n_classes + labels
    whole = np.bincount(cells, minlength=n_values * n_classes).reshape(n_values, n_classes)
    totals = whole.sum(axis=0)
    base = len(labels) - int(totals.max())
    errors = 0
    for fold in np.unique(folds):
        held = folds == fold
        seen = whole - np.bincount(cells[held], minlength=whole.size).reshape(whole.shape)
        guess = np.where(seen.any(axis=1), seen.argmax(axis=1), seen.sum(axis=0).argmax())
        errors += int((guess[codes[held]] != labels[held]).sum())
    return 1 - errors / base if base else 0.0


def number_score(codes: IntVector, numbers: Vector, folds: IntVector) -> float:
    """Return the share of the median rule's absolute error that knowing the value removes.

    Each value predicts the median label that it had in the other folds. O(n log n) per fold.

    Parameters
    ----------
    codes : IntVector, (n,)
        Value of each row, >= 0.
    numbers : Vector, (n,)
        Numeric labels.
    folds : IntVector, (n,)
        Fold of each row.

    Returns
    -------
    float
        At most 1; 0 where all labels are equal.

    Randomness
    ----------
    None.

    Source
    ------
    Goodman, Kruskal (1954), JASA 49 (the same measure for absolute error).

    Examples
    --------
    >>> number_score(np.array([0, 1, 0, 1]), np.array([0.0, 1.0, 0.0, 1.0]), np.array([0, 0, 1, 1]))
    1.0
    """
    base = float(np.abs(numbers - np.median(numbers)).sum())
    error = 0.0
    for fold in np.unique(folds):
        held = folds == fold
        medians = _medians(codes[~held], numbers[~held], int(codes.max(initial=0)) + 1)
        error += float(np.abs(numbers[held] - medians[codes[held]]).sum())
    return 1 - error / base if base > 0 else 0.0


def _medians(codes: IntVector, numbers: Vector, n_values: int) -> Vector:
    """Median number of each value; the median of all for a value without rows."""
    order = np.lexsort((numbers, codes))
    counts = np.bincount(codes, minlength=n_values)
    ends = np.cumsum(counts)
    ordered = numbers[order]
    medians = np.full(n_values, np.median(numbers))
    held = np.flatnonzero(counts)
    low, high = (ends - counts + (counts - 1) // 2)[held], (ends - counts + counts // 2)[held]
    medians[held] = (ordered[low] + ordered[high]) / 2
    return medians


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelLeakageColumn:
    """Report feature columns that predict the label almost perfectly by themselves.

    Such a column is often filled after the label was known. It may also be a plain rule of the domain: only
    a person can tell. Of text, images and vectors only the gaps are looked at.

    Parameters
    ----------
    level : float
        Least cross-validated score; default 0.95: the column alone removes 95 % of the errors made without
        it.
    least_rows : int
        Fewer labelled rows prove nothing; default 100.

    Raises
    ------
    NotApplicable
        There are too few labelled rows or no feature columns beside text, images and vectors; with a single
        feature, predicting the label is its task.

    Randomness
    ----------
    The view's seed assigns the folds.

    Source
    ------
    Kaufman, Rosset, Perlich, Stitelman (2012), Leakage in data mining, ACM TKDD 6.
    """

    level: float = 0.95
    least_rows: int = 100

    needs: ClassVar[frozenset[str]] = frozenset({"table", "labels", "numbers"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def find(self, view: View) -> Sequence[Finding]:
        """Return one finding about the columns, or none when no column tells the label alone."""
        rows = np.flatnonzero(view.labelled)
        refuse_few_rows(len(rows), self.least_rows)
        columns = feature_columns(view)
        if len(columns) < 2:
            raise NotApplicable("with a single feature column, telling the label alone is its task")
        folds = view.rng.permutation(np.arange(len(rows)) % FOLDS)
        table = view.table.take(pa.array(rows))
        scores = {column.name: _score(view, rows, _codes(table, column), folds) for column in columns}
        leaks = sorted((name for name in scores if scores[name] >= self.level), key=lambda name: -scores[name])
        if not leaks:
            return []
        return [
            view.column_finding(
                "target_leak",
                tuple(leaks),
                level=min(max(scores[leaks[0]], 0.0), 1.0),
                summary=_summary(view, leaks, scores),
                threshold=f"alone, in {FOLDS}-fold cross-validation on {len(rows):,} train rows, it "
                f"removes at least "
                f"{100 * self.level:g} % of the errors made without any feature",
                suggestion="ask when the column is filled: if after the label, give it the role ignore, "
                "or it will promise "
                "what the model cannot keep",
            )
        ]


def _summary(view: View, leaks: Sequence[str], scores: dict[str, float]) -> str:
    """Name the columns with their scores."""
    listed = ", ".join(f"{name!r} removes {100 * scores[name]:.1f} % of the errors" for name in leaks[:5])
    more = f" ({named(leaks[5:])} do so too)" if len(leaks) > 5 else ""
    return f"The label {view.schema.task.label!r} can be read off a single column: {listed}{more}."


def _score(view: View, rows: IntVector, codes: IntVector, folds: IntVector) -> float:
    if view.schema.task.is_regression:
        return number_score(codes, average_ranks(view.numbers[rows]), folds)
    return class_score(codes, view.labels[rows], folds, view.n_classes)


def _codes(table: pa.Table, column: Column) -> IntVector:
    """Number the values: categories, bins of numbers and dates, the gaps of other types."""
    cells = table.column(column.name)
    if column.type in (ColumnType.NUMBER, ColumnType.DATE):
        return _bins(cells)
    if column.type is ColumnType.CATEGORY:
        return value_codes(cells)[0]
    return missing_cells(cells).astype(np.intp)


def _bins(cells: pa.ChunkedArray) -> IntVector:
    """Bins of about equal size; a number that fills a bin has it to itself; the last bin holds the gaps."""
    codes, missing = value_codes(cells)
    values = _ranks(cells, missing)
    wanted = int(np.clip(len(codes) // ROWS_PER_BIN, 2, MOST_BINS))
    if not len(values):
        return np.zeros(len(codes), dtype=np.intp)
    edges = np.unique(np.quantile(values, np.linspace(0, 1, wanted + 1)[1:-1]))
    bins = np.full(len(codes), 2 * len(edges) + 1, dtype=np.intp)
    below, upto = np.searchsorted(edges, values, "left"), np.searchsorted(edges, values, "right")
    bins[~missing] = below + upto
    return bins


def _ranks(cells: pa.ChunkedArray, missing: np.ndarray) -> Vector:
    """Present values as float64; dates as whole numbers."""
    present = cells.filter(pa.array(~missing))
    if pa.types.is_temporal(present.type):
        present = present.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
    return np.asarray(present.cast(pa.float64(), safe=False), dtype=np.float64)
