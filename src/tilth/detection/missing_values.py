"""Missing values: where cells are missing, and what their being missing depends on.

    severity of a row = share of its feature cells that are missing; flagged above one half
    by label, by split: chi² on (missing, class) or (missing, split), Holm over the columns
                        (rank-sum test on numeric labels)
    together: columns whose missing cells overlap, |A and B| / |A or B| >= 0.9

A test that is significant and small says little: effects below a Cramér's V (or rank-biserial correlation)
of 0.1 are not reported.

Source: Rubin (1976), Inference and missing data, Biometrika 63; Cramér (1946), Mathematical Methods of
Statistics, section 21.9.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tilth.core.errors import NotApplicable
from tilth.core.names import Split
from tilth.detection._shared import (
    Dependence,
    class_dependence,
    feature_columns,
    holm,
    missing_cells,
    named,
    number_dependence,
    refuse_few_rows,
    share_of,
)
from tilth.numerics.clusters import star_groups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tilth.core.arrays import IntVector, Mask
    from tilth.core.finding import Finding
    from tilth.operators.view import Scope, View

__all__ = ["MissingValues", "co_missing"]

Cells = np.ndarray[Any, np.dtype[np.bool_]]
"""(n, d) bool: missing cells."""


def co_missing(missing: Cells, least: float = 0.9, least_rows: int = 5) -> list[IntVector]:
    """Return groups of columns that are missing in the same rows.

    Every column of a group overlaps its first to at least `least`. O(n d²).

    Parameters
    ----------
    missing : array of bool, (n, d)
        Missing cells.
    least : float
        Least |A and B| / |A or B| of the rows in which two columns are missing; default 0.9.
    least_rows : int
        Columns with fewer missing cells are left out; default 5.

    Returns
    -------
    list of IntVector
        Column numbers of each group of two or more, in rising order.

    Randomness
    ----------
    None.

    Source
    ------
    Jaccard (1912), The distribution of the flora in the alpine zone, New Phytologist 11; stars: see
    `numerics.clusters`.

    Examples
    --------
    >>> co_missing(np.repeat([[True, True, False], [False, False, True]], 5, axis=0))
    [array([0, 1])]
    """
    counts = missing.sum(axis=0).astype(np.float64)
    both = missing.T.astype(np.float32) @ missing.astype(np.float32)
    overlap = both / np.maximum(counts[:, None] + counts[None, :] - both, 1.0)
    enough = counts >= least_rows
    close = np.triu((overlap >= least) & enough[:, None] & enough[None, :], 1)
    pairs = np.argwhere(close)
    leader = star_groups(len(counts), pairs, overlap[pairs[:, 0], pairs[:, 1]])
    groups = [np.flatnonzero(leader == lead) for lead in np.unique(leader)]
    return [group for group in groups if len(group) > 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingValues:
    """Report missing cells: rows that miss most, columns by share, and what missing depends on.

    Train rows alone are counted; train is compared with dev and pool, never with test. Kinds:
    `missing_values` (rows), `missing_cells` (columns that miss some), `missing_by_label`,
    `missing_by_split`, `missing_together`.

    Parameters
    ----------
    most_missing : float
        A row is flagged when more than this share of its feature cells is missing; default 0.5.
    alpha : float
        Level of the dependence tests after Holm's correction; default 0.01.
    least_effect : float
        Least effect size that is reported; default 0.1.

    Raises
    ------
    NotApplicable
        There are no train rows or no feature columns.

    Randomness
    ----------
    None.

    Source
    ------
    Rubin (1976), Biometrika 63; Holm (1979), Scandinavian Journal of Statistics 6.
    """

    most_missing: float = 0.5
    alpha: float = 0.01
    least_effect: float = 0.1

    needs: ClassVar[frozenset[str]] = frozenset({"table", "labels", "numbers", "splits"})
    scope: ClassVar[Scope] = "all"
    revision: ClassVar[int] = 1

    def find(self, view: View) -> Sequence[Finding]:
        """Return what there is to say, from rows to columns; empty when no cell is missing."""
        columns = feature_columns(view)
        if not columns:
            raise NotApplicable("there are no feature columns")
        splits = view.splits.astype(str)
        train = splits == str(Split.TRAIN)
        refuse_few_rows(int(train.sum()), 1)
        missing = np.column_stack([missing_cells(view.table.column(c.name)) for c in columns])
        names = [column.name for column in columns]
        found = [*_rows(view, missing, train, self.most_missing), *_cells(view, missing[train], names)]
        found += self._depending(view, "missing_by_label", names, self._by_label(view, missing, train))
        found += self._depending(view, "missing_by_split", names, _by_split(missing, splits))
        return found + _together(view, missing[train], names)

    def _by_label(self, view: View, missing: Cells, train: Mask) -> list[Dependence]:
        rows = np.flatnonzero(train & view.labelled)
        if not len(rows):
            return []
        if view.schema.task.is_regression:
            return [number_dependence(gaps, view.numbers[rows]) for gaps in missing[rows].T]
        return [class_dependence(gaps, view.labels[rows]) for gaps in missing[rows].T]

    def _depending(self, view: View, kind: str, names: Sequence[str], tests: Sequence[Dependence]) -> list[Finding]:
        """The columns whose missing cells depend on the label or on the split."""
        if not tests:
            return []
        p_values, effects = np.array(tests).T
        sure = np.flatnonzero((holm(p_values) <= self.alpha) & (effects >= self.least_effect))
        if not len(sure):
            return []
        worst = sure[np.argsort(-effects[sure], kind="stable")]
        what, why = DEPENDS[kind]
        first = worst[0]
        return [
            view.column_finding(
                kind,
                tuple(names[j] for j in worst),
                level=float(effects[first]),
                summary=f"Whether a cell is missing depends on the {what} in "
                f"{named([names[j] for j in worst])}: most in "
                f"{names[first]!r} (effect {effects[first]:.2f}, p = {holm(p_values)[first]:.1g}).",
                threshold=f"p <= {self.alpha:g} after Holm's correction over {len(names)} columns, and an "
                f"effect of at least "
                f"{self.least_effect:g}",
                suggestion=why,
            )
        ]


DEPENDS = {
    "missing_by_label": (
        "label",
        "ask how the gaps came about: made after the label was known, they give it away",
    ),
    "missing_by_split": (
        "split",
        "ask whether the splits were collected differently; a model may learn to read the gaps",
    ),
}


def _by_split(missing: Cells, splits: np.ndarray) -> list[Dependence]:
    """Train against dev and pool; the features of test rows are not looked at."""
    names = [str(Split.TRAIN), str(Split.DEV), str(Split.POOL)]
    rows = np.flatnonzero(np.isin(splits, names))
    codes = np.argmax(splits[rows, None] == np.array(names), axis=1)
    if len(np.unique(codes)) < 2:
        return []
    return [class_dependence(gaps, codes) for gaps in missing[rows].T]


def _rows(view: View, missing: Cells, train: Mask, most: float) -> list[Finding]:
    share = np.where(train, missing.mean(axis=1), 0.0)
    if not (share > 0).any():
        return []
    flagged = share > most
    return [
        view.finding(
            "missing_values",
            share,
            flagged=flagged,
            summary=f"{share_of(int((share > 0).sum()), int(train.sum()), 'train rows')} miss at least "
            f"one of "
            f"{missing.shape[1]} cells; {int(flagged.sum()):,} miss more than {100 * most:g} % of theirs.",
            threshold=f"more than {100 * most:g} % of the feature cells are missing",
            suggestion="fill the cells from the source, or leave out rows that hold next to nothing",
            evidence={"missing_cells": np.where(train, missing.sum(axis=1), 0)},
        )
    ]


def _cells(view: View, missing: Cells, names: Sequence[str]) -> list[Finding]:
    shares = missing.mean(axis=0)
    order = [j for j in np.argsort(-shares, kind="stable") if shares[j] > 0]
    if not order:
        return []
    listed = ", ".join(f"{names[j]!r} {100 * shares[j]:.2g} %" for j in order[:5])
    more = f" and {len(order) - 5:,} more" if len(order) > 5 else ""
    return [
        view.column_finding(
            "missing_cells",
            tuple(names[j] for j in order),
            level=float(shares[order[0]]),
            summary=f"{len(order):,} of {len(names):,} feature columns miss cells in train rows: {listed}{more}.",
            threshold="at least one cell is null, not a number, or blank",
            suggestion="where much is missing, fill it from the source or leave the column out; the encoder marks gaps",
        )
    ]


def _together(view: View, missing: Cells, names: Sequence[str]) -> list[Finding]:
    groups = [group for group in co_missing(missing) if not missing[:, group].all()]
    if not groups:
        return []
    rows = [int(missing[:, group].all(axis=1).sum()) for group in groups]
    texts = [f"{named([names[j] for j in group])} ({n:,} rows)" for group, n in zip(groups, rows, strict=True)]
    return [
        view.column_finding(
            "missing_together",
            tuple(names[j] for group in groups for j in group),
            level=max(rows) / len(missing),
            summary=f"{len(groups):,} groups of columns are missing in the same rows: {'; '.join(texts[:5])}.",
            threshold="the rows in which two columns are missing overlap to at least 90 %",
            suggestion="look for the source that they share: one join or form that failed explains them all",
        )
    ]
