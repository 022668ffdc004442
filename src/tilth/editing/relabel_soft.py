"""Relabel softly: train on the posterior of the truth instead of the given class; the label itself stays.

    target_i = (1 − strength) · onehot(y_i) + strength · q_i,   q_i the posterior of the truth (numerics/noise)

Source: Reed et al. (2015), Training Deep Neural Networks on Noisy Labels with Bootstrapping, eq. 6 (the mixture); the posterior
follows Patrini et al. (2017), section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tilth.core.arrays import IntVector, Matrix, Vector
from tilth.core.edit import Edit
from tilth.core.errors import NotApplicable
from tilth.core.rowset import RowSet
from tilth.editing._shared import Noise, doubtable, label_doubt, ranked, truth_of
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
    `noise` says how noise is told from classes that overlap: `counted` where predictions and labels part, or `confirmed` by the
    likelihood of labels under a noise model, which finds less and leaves clean data alone.
    """

    strength: float = 1.0
    least_doubt: float = 0.05
    noise: Noise = "counted"

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "pred_probs", "truth_probs", "trusted"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 2

    def strengths(self) -> Sequence[RelabelSoft]:
        """As far as noise is confirmed, half way, and all the way of what is counted."""
        confirmed = replace(self, strength=1.0, noise="confirmed")
        return (confirmed, *(replace(self, strength=strength) for strength in (0.5, 1.0)))

    def choose(self, view: View) -> RowSet:
        """Return doubted rows, most doubted first."""
        _, doubt, rows = self._doubted(view)
        return RowSet(ids=view.take_ids(rows), scores=doubt[rows], reason="the label is in doubt")

    def propose(self, view: View, rows: IntVector | None = None) -> Edit:
        """Return the edit that sets these rows' soft targets; raises NotApplicable when no label is in doubt."""
        truth, _, doubted = self._doubted(view)
        if rows is None and not len(doubted):
            raise NotApplicable(f"no label is wrong with a probability of {self.least_doubt:g} or more")
        rows = doubted if rows is None else rows
        return Edit.softening(
            view.take_ids(rows),
            softened(view.labels[rows], truth[rows], self.strength),
            operator=view.spec,
            reason=f"{len(rows):,} labels are in doubt; train on their posterior with strength {self.strength:g}",
        )

    def _doubted(self, view: View) -> tuple[Matrix, Vector, IntVector]:
        truth = truth_of(view, self.noise)
        doubt = label_doubt(view.labels, truth)
        return truth, doubt, ranked(doubt, doubtable(view) & (doubt >= self.least_doubt))
