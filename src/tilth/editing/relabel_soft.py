"""Relabel softly: train on the posterior of the truth instead of the given class; the label itself stays.

    q_i(c) ∝ p(c | x_i) · T[c, y_i],   target_i = (1 − strength) · onehot(y_i) + strength · q_i

Source: Reed et al. (2015), Training Deep Neural Networks on Noisy Labels with Bootstrapping, eq. 6 (the mixture); the posterior
follows Patrini et al. (2017), section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tilth.core.arrays import IntVector, Matrix
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.rowset import RowSet
from tilth.editing._shared import editable, label_posterior, ranked
from tilth.operators.view import Scope, View

__all__ = ["RelabelSoft", "softened"]


def softened(labels: IntVector, truth_posterior: Matrix, strength: float) -> Matrix:
    """Return soft targets between the given label and the posterior; (n,), (n, k) -> (n, k), rows sum to 1."""
    hot = np.eye(truth_posterior.shape[1])[labels]
    return np.asarray((1 - strength) * hot + strength * truth_posterior)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelabelSoft:
    """Give every doubted row a soft target between its label and the posterior of the truth.

    Rows whose posterior leaves the label less doubt than `least_doubt` keep it, so that a clean dataset is hardly touched.
    """

    strength: float = 1.0
    least_doubt: float = 0.05

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "pred_probs", "trusted"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 1

    def strengths(self) -> Sequence[RelabelSoft]:
        """Half way, and all the way."""
        return (RelabelSoft(strength=0.5), RelabelSoft(strength=1.0))

    def choose(self, view: View) -> RowSet:
        """Return doubted rows, most doubted first."""
        doubt = self._doubt(view)
        rows = ranked(doubt, editable(view) & (doubt >= self.least_doubt))
        return RowSet(ids=view.take_ids(rows), scores=doubt[rows], reason="the label is in doubt")

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that sets these rows' soft targets."""
        truth = label_posterior(view.labels, view.pred_probs, view.labelled)
        if rows is None:
            doubt = self._doubt(view)
            rows = ranked(doubt, editable(view) & (doubt >= self.least_doubt))
        if not len(rows):
            raise NotApplicable("no label is in doubt")
        targets = softened(view.labels[rows], truth[rows], self.strength)
        return Edit.softening(
            view.take_ids(rows),
            targets,
            operator=view.spec,
            reason=f"{len(rows):,} labels are in doubt; train on their posterior with strength {self.strength:g}",
        )

    @staticmethod
    def _doubt(view: View) -> np.ndarray:
        truth = label_posterior(view.labels, view.pred_probs, view.labelled)
        return np.asarray(1 - truth[np.arange(len(truth)), view.labels])
