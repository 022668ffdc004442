"""Label from votes: bring pool rows into train with the labels that their votes come to.

    target_i = p(truth_i | votes on row i),   by the label model, or the shares of the votes

Source: Ratner, De Sa, Wu, Selsam, Ré (2016), Data Programming, NeurIPS, section 3 (training on probabilistic labels).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from tilth.core.arrays import IntVector, Mask, Matrix
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.names import Split
from tilth.core.rowset import RowSet
from tilth.operators.view import Scope, View

__all__ = ["LabelFromVotes", "sure_rows"]


def sure_rows(targets: Matrix, covered: Mask, least: float) -> IntVector:
    """Return the covered rows whose most probable class has at least this probability, the surest first.

    Parameters
    ----------
    targets : (n, k), rows sum to 1
    covered : (n,) rows that have a vote
    least : in [0, 1]

    Examples
    --------
    >>> sure_rows(np.array([[0.6, 0.4], [0.1, 0.9], [0.5, 0.5]]), np.array([True, True, False]), 0.55).tolist()
    [1, 0]
    """
    best = targets.max(axis=1)
    rows = np.flatnonzero(covered & (best >= least))
    return np.asarray(rows[np.argsort(-best[rows], kind="stable")], dtype=np.intp)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFromVotes:
    """Train on pool rows with the labels that labelers' votes come to.

    The rows keep their empty label; their target is a distribution over the classes.

    Parameters
    ----------
    by : "model" takes the label model's probabilities, "majority" the shares of the votes: the cheap rival; "nearby" the
        model's, and brings in rows without a vote too, which it labels by the votes on rows nearby
    least : rows come in whose most probable class has at least this probability, in [0, 1]

    Raises
    ------
    NotApplicable : the project has no labelers, or no pool row has a vote that is sure enough

    Randomness: none.

    Source: Ratner, De Sa, Wu, Selsam, Ré (2016), Data Programming, NeurIPS, section 3.
    """

    by: Literal["model", "majority", "nearby"] = "model"
    least: float = 0.0

    needs: ClassVar[frozenset[str]] = frozenset({"votes", "splits", "trusted"})
    scope: ClassVar[Scope] = "all"
    revision: ClassVar[int] = 1

    def strengths(self) -> Sequence[LabelFromVotes]:
        """By the label model, by the majority, with rows nearby: each is tried, so that the one is seen beside the other.

        Rows of which votes are surest are no fair part of the pool: a model learns from them what labelers find easy.
        """
        return replace(self, by="model"), replace(self, by="majority"), replace(self, by="nearby")

    def choose(self, view: View) -> RowSet:
        """Return the rows that come in, the surest first."""
        targets = self._targets(view)
        rows = sure_rows(targets, self._open(view), self.least)
        return RowSet(ids=view.take_ids(rows), scores=targets[rows].max(axis=1), reason="its votes say what it is")

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that brings these rows in; of the rows given, those of the pool that have a vote."""
        targets, waiting = self._targets(view), self._open(view)
        chosen = sure_rows(targets, waiting, self.least) if rows is None else rows[waiting[rows]]
        if not len(chosen):
            raise NotApplicable("no row of the pool has votes that are sure enough")
        return Edit.labelling(
            view.take_ids(chosen),
            targets[chosen],
            operator=view.spec,
            reason=f"the votes on {len(chosen):,} unlabelled rows say what they are, by {self._name(view)}",
        )

    def _targets(self, view: View) -> Matrix:
        if view.schema.task.is_regression:
            raise NotApplicable("votes are for classes, and the label is a number")
        if not view.has("votes"):
            raise NotApplicable("the project has no labelers")
        return view.votes.majority if self.by == "majority" else view.votes.probs

    def _open(self, view: View) -> Mask:
        waiting = view.splits.astype(str) == str(Split.POOL)
        votes = view.votes
        if self.by != "nearby":
            return np.asarray(votes.covered & waiting & ~view.trusted, dtype=bool)
        if votes.reached is None or not votes.reached.any():
            raise NotApplicable("no row without a vote is labelled by the votes on rows nearby")
        return np.asarray((votes.covered | votes.reached) & waiting & ~view.trusted, dtype=bool)

    def _name(self, view: View) -> str:
        return {"majority": "majority", "nearby": f"{view.votes.model} and rows nearby"}.get(self.by, view.votes.model)
