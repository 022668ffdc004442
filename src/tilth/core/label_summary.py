"""LabelSummary: the labels that votes come to, what is known of their labelers, and what a reader must know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Mask, Matrix
from tilth.core.display import Displayed
from tilth.core.estimate import Estimate

__all__ = ["Explanation", "LabelMetrics", "LabelSummary", "LabelerLine", "VoteEffect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelerLine:
    """One labeler.

    Parameters
    ----------
    name : its name
    votes : number of its votes
    says : the classes that it votes for, most votes first
    coverage, overlap, conflict : shares of all rows: it votes; another votes too; another says otherwise
    accuracy : P(right | it votes) as the label model estimates it, or None where it never votes
    measured : its share of right votes against the truth, or None where no truth meets a vote
    """

    name: str
    votes: int
    says: tuple[str, ...]
    coverage: float
    overlap: float
    conflict: float
    accuracy: Estimate | None
    measured: Estimate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMetrics:
    """Labels against the truth, on rows that have a vote, a known truth, and were not trusted.

    Parameters
    ----------
    model : whose labels
    rows : on how many rows
    accuracy, f1 : in [0, 1], higher is better
    nll : nats per row, lower is better
    """

    model: str
    rows: int
    accuracy: Estimate
    f1: Estimate
    nll: Estimate

    def to_dict(self) -> dict[str, float]:
        """Return the figures."""
        return {"accuracy": self.accuracy.value, "f1": self.f1.value, "nll": self.nll.value}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelSummary(Displayed):
    """What `tilth.label` returns.

    Parameters
    ----------
    source : what the votes were read from
    notes : how it was understood
    model, why : the label model, and how it came to be used
    classes, prior : names of the k classes, and their estimated shares
    row_ids : (n,) ids of the rows
    labels : (n,) class numbers; of rows that are not labelled they say nothing
    pred_probs : (n, k) p(truth | votes); the prior for rows that are not covered
    covered : (n,) rows that have a vote
    labelled : (n,) rows that have a vote or a trusted label
    labelers : in the order of the votes
    metrics, majority : the model's and the majority's labels against the truth, or None without a truth
    agreement : Krippendorff's alpha, or None where no row has two votes
    paired : rows that have two votes or more
    differing : covered rows that the majority labels otherwise, where it is not tied
    tied : covered rows on which the majority is tied
    warnings : what a reader must know
    """

    source: str
    notes: tuple[str, ...]
    model: str
    why: str
    classes: tuple[str, ...]
    prior: tuple[float, ...]
    row_ids: pa.Array
    labels: IntVector
    pred_probs: Matrix
    covered: Mask
    labelled: Mask
    labelers: tuple[LabelerLine, ...]
    metrics: LabelMetrics | None
    majority: LabelMetrics | None
    agreement: Estimate | None
    paired: int
    differing: int
    tied: int
    warnings: tuple[str, ...]

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.row_ids)

    def to_table(self) -> pa.Table:
        """Return row, label (null without a vote) and one probability per class, in the order of the votes' rows."""
        names = pa.array(self.classes, pa.string())
        labels = names.take(pa.array(self.labels, pa.int64(), mask=~self.labelled))
        columns: dict[str, Any] = {"row": self.row_ids, "label": labels}
        columns |= {f"p_{name}": pa.array(self.pred_probs[:, number]) for number, name in enumerate(self.classes)}
        return pa.table(columns)

    def to_dict(self) -> dict[str, Any]:
        """Return the object of `tilth label --json`."""
        return {
            "rows": len(self),
            "covered": int(np.count_nonzero(self.covered)),
            "classes": list(self.classes),
            "model": self.model,
            "prior": list(self.prior),
            "labelers": [
                {
                    "name": one.name,
                    "coverage": one.coverage,
                    "accuracy": None if one.accuracy is None else one.accuracy.value,
                    "interval": None if one.accuracy is None else one.accuracy.as_list(),
                }
                for one in self.labelers
            ],
            "metrics": None if self.metrics is None else self.metrics.to_dict(),
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteEffect:
    """One vote on a row: who said what, and the probability of the row's label had it abstained."""

    labeler: str
    said: str
    without: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a row has its label.

    Parameters
    ----------
    row : its id
    label, probability : its label, and the probability of it
    before : the probability of that label without any vote: its share of all rows
    votes : the votes on the row, those that spoke most for the label first
    """

    row: str
    label: str
    probability: float
    before: float
    votes: tuple[VoteEffect, ...]
