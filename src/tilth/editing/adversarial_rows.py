"""Adversarial rows: of several ways in which a row may vary, the one that the model finds hardest, for rows near its boundary.

    margin(i) = p(y_i | x_i) - max of the other classes, out of sample;   parents: the rows of smallest positive margin
    made(i)   = of `draws` variations t of row i by the usual transforms, the one of least p(y_i | t(x_i))

The label is the parent's, as transforms keep it; a row that models which never saw its parent take for another class does not pass the
gate, so that what is made is hard and less often wrong. Hardness is measured by a logistic model of the encoders' features.

Source: Fawzi, Samulowitz, Turaga, Frossard (2016), Adaptive Data Augmentation for Image Classification, ICIP (the worst of small
transformations); Han, Wang, Mao (2005), Borderline-SMOTE, ICIC (rows near the boundary); Gong et al. (2021), MaxUp, CVPR.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Vector, rows_of
from tilth.core.edit import Edit
from tilth.core.errors import ConfigError, NotApplicable
from tilth.core.policy import Policy
from tilth.core.rowset import RowSet
from tilth.editing._drafts import usual_variation, varied_rows
from tilth.editing._made_rows import Draft, made_edit
from tilth.editing._making import MAKER_NEEDS, anchored, parents_of, real_rows, refuse_many
from tilth.numerics import softmax_regression
from tilth.operators.view import Scope, View

__all__ = ["AdversarialRows"]

PENALTY = 1.0
"""Of the model that is to be fooled, over all rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdversarialRows:
    """Make hard variations of the rows that the model just gets right.

    Parameters
    ----------
    share : of the labelled rows, those nearest to the boundary, from each of which a row is made; in (0, 1]
    draws : variations of each, of which the hardest is taken; at least 1

    Randomness
    ----------
    the run's seed, the draw number and the parent's id decide how a row varies
    """

    share: float = 0.2
    draws: int = 4

    needs: ClassVar[frozenset[str]] = MAKER_NEEDS | {"pred_probs", "transforms"}
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse what makes no rows."""
        if not 0 < self.share <= 1 or self.draws < 1:
            raise ConfigError(f"share {self.share} is not in (0, 1], or draws {self.draws} is below 1")

    def strengths(self) -> Sequence[AdversarialRows]:
        """The fifth of the rows that is nearest to the boundary."""
        return (self,)

    def choose(self, view: View) -> RowSet:
        """Return the rows that rows are made from."""
        return parents_of(self.propose(view))

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that brings the made rows in; with `rows`, made from these alone.

        Raises
        ------
        NotApplicable
            There are more than 5,000 labelled rows, nothing may vary, no row is predicted right, or too few rows pass the gate.
        """
        real = real_rows(view)
        refuse_many(real)
        policy = usual_variation(view)
        near = self._near_the_boundary(view, real)
        mine = near if rows is None else np.intersect1d(real, rows)
        anchors, first = anchored(view, mine, 1.0, len(mine))  # one row each: all of one draw number
        if not len(anchors):
            raise NotApplicable("no row is predicted right out of sample: there is no boundary to stand near")
        draft = self._hardest(view, policy, real, anchors, first * self.draws)
        what = f"made as hard as {self.draws} variations allow, of the rows nearest to another class"
        return made_edit(view, draft, real, what=what)

    def _near_the_boundary(self, view: View, real: IntVector) -> IntVector:
        """Return the rows that are predicted right by the least margin; ties in the order of their ids."""
        labels, probs = view.labels[real].astype(np.intp), np.array(view.pred_probs[real])
        own = probs[np.arange(len(real)), labels]
        probs[np.arange(len(real)), labels] = -np.inf
        margin = own - probs.max(axis=1)
        right = np.flatnonzero(margin > 0)
        most = round(self.share * len(real))
        return np.asarray(real[right[np.argsort(margin[right], kind="stable")[:most]]])

    def _hardest(self, view: View, policy: Policy, real: IntVector, anchors: IntVector, first: IntVector) -> Draft:
        """Return for each anchor (m,) the variation of several whose label the model finds least likely; ties: the first drawn."""
        sure = _Sure(view, real)
        drafts = [varied_rows(view, policy, anchors, first + draw) for draw in range(self.draws)]
        said = np.stack([sure(draft) for draft in drafts])
        return _picked(drafts, said.argmin(axis=0))


class _Sure:
    """How sure a logistic model of all real rows is of the labels of drafted rows."""

    def __init__(self, view: View, real: IntVector) -> None:
        features, self._view = rows_of(view.embeddings, real), view
        targets = np.eye(view.n_classes)[view.labels[real].astype(np.intp)]
        self._design = softmax_regression.prepare(features, PENALTY / len(real))
        projected = self._design.project(features)
        self._fitted = softmax_regression.fit(projected, targets, np.ones(len(real)), self._design, tolerance=1e-5)

    def __call__(self, draft: Draft) -> Vector:
        """Return the probability of each row's label, (m,)."""
        made = self._view.encode(pa.table(dict(draft.cells)))
        probs = softmax_regression.predict_proba(self._design.project(made), self._fitted)
        return np.asarray(probs[np.arange(len(draft)), draft.labels])


def _picked(drafts: Sequence[Draft], which: IntVector) -> Draft:
    """Return for each row the draft that was picked for it; drafts hold the same parents in the same order."""
    at = np.arange(len(which))
    stacked = {name: pa.concat_arrays([draft.cells[name] for draft in drafts]) for name in drafts[0].cells}
    rows = pa.array(which * len(at) + at)
    return Draft(
        cells={name: cells.take(rows) for name, cells in stacked.items()},
        parents=drafts[0].parents,
        draws=np.stack([draft.draws for draft in drafts])[which, at],
        labels=drafts[0].labels,
    )
