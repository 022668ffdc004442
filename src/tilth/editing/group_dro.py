"""Group DRO: weights under which the worst of the groups, slices × classes, errs least, while the average is guarded.

    w_i ← w_i · (1 + max_g m_ig λ_g),   λ from a game between groups and fits of held-out folds (numerics/group_game)

Over declared slices this is Group DRO; over discovered slices it is GEORGE's idea: subclasses that nobody named, found and then
protected. Where no group is known, classes are the groups: the worst class is a stand-in for the worst group. The fits inside are
linear, on the embeddings; only row weights leave, for the held learner to learn from.

Source: Sagawa, Koh, Hashimoto, Liang (2020), Distributionally Robust Neural Networks for Group Shifts, ICLR; Sohoni, Dunnmon, Angus, Gu,
Ré (2020), No Subclass Left Behind, NeurIPS; Yang, Zhang, Katabi, Ghassemi (2023), Change is Hard: a Closer Look at Subpopulation Shift,
ICML (the worst class where groups are unknown).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.ids import cell_digests
from tilth.core.rng import row_uniforms
from tilth.core.rowset import RowSet
from tilth.editing._shared import (
    LEAST_ROWS,
    Others,
    in_id_order,
    ranked,
    refuse_no_slices,
    refuse_numbers,
    slice_groups,
)
from tilth.numerics.group_game import group_dro, group_weights, held_out_penalty
from tilth.operators.view import Scope, View

__all__ = ["GroupDro"]

FOLDS = 3
MOST_ROWS, MOST_CELLS = 20_000, 250_000
"""Labelled rows, and rows times classes, among which the game is played at most; its multipliers are then those of all rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDro:
    """Weight groups, slices × classes, so that the worst of them is as well off as the average allows.

    Parameters
    ----------
    slice : the slice whose score is to rise; it judges the edit, and has no part in the weights
    most_fall : how much of the out-of-sample accuracy of all rows may be given up
    over : slices × classes, or classes alone
    others : what rows of no slice are: a group of their own, of a guessed slice, or in no group
    """

    slice: str = ""
    most_fall: float = 0.01
    over: Literal["slices", "classes"] = "slices"
    others: Others = "group"

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "slices", "weights", "embeddings"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 2
    mends_all: ClassVar[bool] = True
    """It weights all groups at once: it is tried for the slice that is worst off alone."""

    def strengths(self) -> Sequence[GroupDro]:
        """Half a point and one point of the average: by slices, with slices guessed, and by classes alone."""
        whole = [replace(self, most_fall=fall, over="slices", others="group") for fall in (0.005, 0.01)]
        guessed = [replace(one, others="guessed") for one in whole]
        classes = [replace(one, over="classes") for one in whole]
        return (*whole, *guessed, *classes)

    def choose(self, view: View) -> RowSet:
        """Return all labelled rows, those that gain most weight first."""
        rows, weights = self._weights(view)
        ordered = ranked(weights, np.isin(np.arange(len(view)), rows))
        return RowSet(ids=view.take_ids(ordered), scores=weights[ordered], reason="its group is badly off")

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that sets these rows' weights; raises NotApplicable where no group can be helped within the guard."""
        labelled, weights = self._weights(view)
        rows = labelled if rows is None else rows
        reason = f"groups that are badly off count more, within {100 * self.most_fall:g} points of the average"
        return Edit.weighting(view.take_ids(rows), weights[rows], operator=view.spec, reason=reason)

    def _weights(self, view: View) -> tuple[IntVector, Vector]:
        return refuse_numbers(view), view.once("weights", lambda: self._played(view))

    def _played(self, view: View) -> Vector:
        """Return the weight of each row; the game is played in the order of ids, so that the order of rows changes nothing."""
        rows = in_id_order(view, refuse_numbers(view))
        if len(rows) < LEAST_ROWS:
            raise NotApplicable(f"{len(rows):,} labelled rows are fewer than {LEAST_ROWS}")
        groups, base = self._groups(view, rows), np.array(view.weights)
        part, folds = _dealt(view, rows)
        some = rows[part]
        features, labels, weights = view.embeddings[some], view.labels[some], base[some]
        penalty = view.in_common(
            "penalty of group games", lambda: np.array(held_out_penalty(features, labels, folds, weights))
        )
        found = group_dro(
            features, labels, groups[part], folds, base=weights, penalty=float(penalty), most_fall=self.most_fall
        )
        if not found.multipliers.any():
            raise NotApplicable(
                f"no weights help the worst group within {100 * self.most_fall:g} points of the average"
            )
        base[rows] = group_weights(base[rows], groups, found.multipliers)
        return base

    def _groups(self, view: View, rows: IntVector) -> Matrix:
        if self.over == "slices":
            return slice_groups(view, rows, self.others, with_class=True)
        refuse_no_slices(view)
        groups = np.eye(view.n_classes)[view.labels[rows]]
        return np.asarray(groups[:, groups.sum(axis=0) > 0])


def _dealt(view: View, rows: IntVector) -> tuple[IntVector, IntVector]:
    """Return which of some rows play, places among them (m,), and the fold of each, (m,); drawn by their ids."""
    drawn = row_uniforms(cell_digests(view.take_ids(rows)), view.seed, "editing", "group_dro")
    order = np.argsort(drawn, kind="stable")
    folds = np.empty(len(rows), dtype=np.intp)
    folds[order] = np.arange(len(rows)) % FOLDS
    part = np.sort(order[: min(MOST_ROWS, MOST_CELLS // view.n_classes)])
    return part, folds[part]
