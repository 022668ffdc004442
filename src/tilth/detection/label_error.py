"""Label errors: rows whose given class is probably not the true one.

    T[c, g] = share of label g among the rows that the model takes for c, a twentieth of it spread over all labels
    q = p(true | x) by three EM steps from p(given | x):   q_c ∝ q_c · sum_g T[c, g] p_g / (q T)_g
    q' = q mixed with the mean truth posterior of the nearest rows, as the given labels bear it out
    p_wrong = 1 - q'_y T[y, y] / sum_c q'_c T[c, y];   flagged where p_wrong > 1/2

Out-of-sample pred_probs of a model trained on noisy labels tell the given class, not the true one. A few steps
of EM undo most of that; the neighbours, each with its own doubt, tell what the model has not learnt. Classes
that overlap in the features look like noise in labels: no method without answers from people can tell the
two apart.

Source: Northcutt, Jiang, Chuang (2021), Confident learning, JAIR 70; the EM steps: Richardson (1972), J.
Optical Society of America 62; the neighbours: Zhu, Ghahramani (2002), CMU-CALD-02-107.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tilth.detection._shared import class_texts, doubtable, refuse_few_rows, refuse_regression, share_of
from tilth.numerics.noise import refuse_ignorance
from tilth.numerics.truth_nearby import truth_of_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tilth.core.arrays import Matrix, Vector
    from tilth.core.finding import Finding
    from tilth.operators.view import Scope, View

__all__ = ["LabelError"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelError:
    """Flag rows whose class is more likely wrong than right.

    Severity is the probability that the label is wrong, so that of rows at 0.8 about four in five are; a
    label that a person confirmed is never doubted.

    Parameters
    ----------
    doubt : float
        Flagged above this probability; default 0.5, at which a flagged row is more likely wrong than right.
    least_rows : int
        Fewer labelled rows do not show how labels are confused; default 20.

    Raises
    ------
    NotApplicable
        The label is a number, there is one class, there are too few labelled rows, or the predictions are no
        better than the shares of the classes.

    Randomness
    ----------
    None.

    Source
    ------
    Northcutt, Jiang, Chuang (2021), Confident learning, JAIR 70.
    """

    doubt: float = 0.5
    least_rows: int = 20

    needs: ClassVar[frozenset[str]] = frozenset({"labels", "pred_probs", "trusted", "neighbours"})
    scope: ClassVar[Scope] = "train"
    revision: ClassVar[int] = 3

    def find(self, view: View) -> Sequence[Finding]:
        """Return one finding about the rows; an empty list when no label is doubted."""
        refuse_regression(view)
        rows = np.flatnonzero(view.labelled)
        refuse_few_rows(len(rows), self.least_rows if view.n_classes > 1 else len(rows) + 1)
        refuse_ignorance(view.labels[rows], view.pred_probs[rows])
        near = view.neighbours if view.has("neighbours") else None
        truth = truth_of_labels(view.labels, view.pred_probs, view.labelled, near)
        own = np.take_along_axis(truth, view.labels[:, None] * view.labelled[:, None], axis=1)[:, 0]
        severity = np.where(doubtable(view), 1 - own, 0.0)
        if not (severity > self.doubt).any():
            return []
        return [self._report(view, truth, severity)]

    def _report(self, view: View, truth: Matrix, severity: Vector) -> Finding:
        flagged = severity > self.doubt
        others = np.array(truth)
        others[np.flatnonzero(view.labelled), view.labels[view.labelled]] = -1.0
        suggested = others.argmax(axis=1)
        n_rows = int(view.labelled.sum())
        return view.finding(
            "label_error",
            severity,
            flagged=flagged,
            summary=f"{share_of(int(flagged.sum()), n_rows)} carry a label that is more likely wrong than "
            f"right; "
            f"{severity[flagged].sum():,.0f} of them and {severity.sum():,.0f} of all are to be expected "
            f"wrong.",
            threshold=f"the label is wrong with a probability above {self.doubt:g}, by out-of-sample predictions, the "
            "confusion of labels that they show, and the nearest rows (an estimate: where classes overlap, or labels "
            "record outcomes, right labels look the same)",
            suggestion="have the worst confirmed by a person; relabelling, softening and removing them are tried",
            evidence={
                "given": class_texts(view, view.labels, view.labelled),
                "suggested": class_texts(view, suggested, view.labelled),
                "p_wrong": severity,
                "p_suggested": np.where(view.labelled, truth[np.arange(len(view)), suggested], 0.0),
            },
        )
