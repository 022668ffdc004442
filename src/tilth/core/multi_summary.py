"""MultiLabelSummary: the classes that votes come to where a row may have several, class by class and together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.arrays import Mask, Matrix
from tilth.core.display import Displayed
from tilth.core.estimate import Estimate
from tilth.core.label_summary import LabelMetrics, LabelSummary

__all__ = ["ClassLabels", "MultiLabelSummary", "MultiLabeler", "MultiMetrics"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiMetrics:
    """Sets of classes against the truth, on rows that have an answer, a known truth, and were not trusted.

    Parameters
    ----------
    model : whose sets
    rows : on how many rows
    accuracy, micro_f1, macro_f1, subset_accuracy : in [0, 1], higher is better
    nll : nats per row and class, lower is better
    """

    model: str
    rows: int
    accuracy: Estimate
    micro_f1: Estimate
    macro_f1: Estimate
    subset_accuracy: Estimate
    nll: Estimate

    def to_dict(self) -> dict[str, float]:
        """Return the figures; "f1" is the mean of the classes', as with one class per row."""
        return {
            "accuracy": self.accuracy.value,
            "f1": self.macro_f1.value,
            "nll": self.nll.value,
            "micro_f1": self.micro_f1.value,
            "macro_f1": self.macro_f1.value,
            "subset_accuracy": self.subset_accuracy.value,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiLabeler:
    """One labeler over all classes.

    Parameters
    ----------
    name : its name
    answers : rows that it answers
    coverage : the share of all rows that this is
    names : the classes that it names, the commonest first
    denies : the classes to which it ever says no
    accuracy : P(right | it says yes or no of a class), as the models estimate it: the mean over its yes and no; its interval is
        that of classes that err together; None where no class could be learnt
    measured : its share of right yes and no against the truth, or None where no truth meets an answer
    """

    name: str
    answers: int
    coverage: float
    names: tuple[str, ...]
    denies: tuple[str, ...]
    accuracy: Estimate | None
    measured: Estimate | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassLabels:
    """One class as a question of yes and no.

    Parameters
    ----------
    name : the class
    summary : what the votes on it come to, classes "not NAME" and NAME; None where nobody ever names it
    share : its estimated share of all rows
    metrics : its labels against the truth, or None without a truth
    says_no : whether any labeler ever says no to it
    """

    name: str
    summary: LabelSummary | None
    share: float
    metrics: LabelMetrics | None
    says_no: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the object of this class in `tilth label --multilabel --json`."""
        own = None if self.summary is None else self.summary.to_dict()
        return {
            "name": self.name,
            "covered": 0 if own is None else own["covered"],
            "model": None if self.summary is None else self.summary.model,
            "prior": self.share,
            "says_no": self.says_no,
            "labelers": [] if own is None else own["labelers"],
            "metrics": None if self.metrics is None else self.metrics.to_dict(),
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MultiLabelSummary(Displayed):
    """What `tilth.label(…, multilabel=True)` returns.

    Parameters
    ----------
    source, notes : what the votes were read from, and how it was understood
    separator : the sign between classes in labels
    classes : names of the k classes
    row_ids : (n,) ids of the rows
    named : (n, k) classes that each row is labelled with: those with p >= 0.5; of rows that are not labelled they say nothing
    probs : (n, k) p(class | votes), each class for itself: rows do not sum to 1
    covered : (n,) rows that have an answer
    labelled : (n,) rows that have an answer or trusted classes
    by_class : one per class, in their order
    labelers : in the order of the votes
    metrics, majority : the models' and the majority's sets against the truth, or None without a truth
    warnings : what a reader must know
    """

    source: str
    notes: tuple[str, ...]
    separator: str
    classes: tuple[str, ...]
    row_ids: pa.Array
    named: Mask
    probs: Matrix
    covered: Mask
    labelled: Mask
    by_class: tuple[ClassLabels, ...]
    labelers: tuple[MultiLabeler, ...]
    metrics: MultiMetrics | None
    majority: MultiMetrics | None
    warnings: tuple[str, ...]

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.row_ids)

    @property
    def prior(self) -> tuple[float, ...]:
        """Estimated share of each class; (k,)."""
        return tuple(one.share for one in self.by_class)

    @property
    def model(self) -> str:
        """The label model that the classes have; "mixed" where they have several."""
        used = set(self.models)
        return used.pop() if len(used) == 1 else "mixed"

    @property
    def models(self) -> dict[str, int]:
        """Label model -> for how many classes it is used, the commonest first."""
        return dict(Counter(one.summary.model for one in self.by_class if one.summary is not None).most_common())

    def to_table(self) -> pa.Table:
        """Return row, label (null without an answer, "" for no class) and one probability per class, in the rows' order."""
        names = np.array(self.classes, dtype=object)
        labels = [
            self.separator.join(names[own]) if is_labelled else None
            for own, is_labelled in zip(self.named, self.labelled, strict=True)
        ]
        columns: dict[str, Any] = {"row": self.row_ids, "label": pa.array(labels, pa.string())}
        columns |= {f"p_{name}": pa.array(self.probs[:, number]) for number, name in enumerate(self.classes)}
        return pa.table(columns)

    def to_dict(self) -> dict[str, Any]:
        """Return the object of `tilth label --multilabel --json`."""
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
                    "names": list(one.names),
                    "denies": list(one.denies),
                }
                for one in self.labelers
            ],
            "metrics": None if self.metrics is None else self.metrics.to_dict(),
            "per_class": [one.to_dict() for one in self.by_class],
            "warnings": list(self.warnings),
        }
