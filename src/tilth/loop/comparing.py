"""Two models on the same rows: overall, class by class, slice by slice, with control over how often chance is taken for a change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from tilth.core.arrays import IntVector, Mask, Matrix, Vector
from tilth.core.comparison import Change, Comparison
from tilth.core.errors import NotApplicable
from tilth.loop.measuring import linearised
from tilth.numerics.error_budget import benjamini_hochberg, holm
from tilth.numerics.linearised import Linearised, difference, interval_of, no_better
from tilth.numerics.measure_sums import moved
from tilth.operators.registry import make, spec_of

__all__ = ["TwoModels", "compare"]

CLASS_METRIC = "f1"
"""A class is scored by its F1: its recall alone falls whenever a model stops giving it what belongs to others."""
Control = Literal["holm", "bh"]
_ADJUST: Mapping[str, Callable[[Vector], Vector]] = {"holm": holm, "bh": benjamini_hochberg}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TwoModels:
    """Labels of (n,) rows, what an old and a new model predict for them, and the rows' groups."""

    labels: np.ndarray
    old: Matrix
    new: Matrix
    groups: IntVector | None = None

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.labels)

    def only(self, rows: Mask) -> TwoModels:
        """Return some of the rows."""
        groups = None if self.groups is None else self.groups[rows]
        return TwoModels(labels=self.labels[rows], old=self.old[rows], new=self.new[rows], groups=groups)


def compare(
    models: TwoModels,
    metric: Any,
    *,
    classes: Sequence[str] = (),
    slices: Mapping[str, Mask] | None = None,
    control: Control = "holm",
) -> Comparison:
    """Return how a new model compares with an old one.

    Parameters
    ----------
    models : labels and predictions of the same rows
    metric : an operator of the room `evaluation`
    classes : names of the classes, by number; each is scored by its F1
    slices : name -> (n,) mask of the rows
    control : `holm` keeps the chance of any false regression at 5 %, `bh` the share of false ones among those shown

    Raises
    ------
    NotApplicable : there is no row, or the metric is not defined on all rows together
    """
    left_out: dict[str, str] = {}
    overall = _changes([("all rows", len(models), _pair(metric, models), models.groups)], control)[0]
    by_class, by_slice = [], []
    for number, name in enumerate(classes):
        try:
            measured = _pair(make("evaluation", CLASS_METRIC, of=number), models)
        except NotApplicable as refusal:
            left_out[name] = refusal.what
        else:
            by_class.append((name, int((models.labels == number).sum()), measured, models.groups))
    for name, rows in (slices or {}).items():
        part = models.only(rows)
        try:
            by_slice.append((name, len(part), _pair(metric, part), part.groups))
        except NotApplicable as refusal:
            left_out[name] = refusal.what
    return Comparison(
        metric=spec_of(metric).name,
        class_metric=CLASS_METRIC if classes else "",
        control=control,
        overall=overall,
        classes=_worst_first(_changes(by_class, control)),
        slices=_worst_first(_changes(by_slice, control)),
        left_out=left_out,
    )


_Pair = tuple[Linearised, Linearised]
_Named = tuple[str, int, _Pair, IntVector | None]


def _pair(metric: Any, models: TwoModels) -> _Pair:
    return linearised(metric, models.labels, models.old), linearised(metric, models.labels, models.new)


def _changes(named: Sequence[_Named], control: Control) -> list[Change]:
    """Return changes whose p-values are adjusted together."""
    if not named:
        return []
    made = [difference(new, old, groups) for _, _, (old, new), groups in named]
    worse, better = (
        _ADJUST[control](
            np.array([no_better(moved(gain, sign), one[3]) for (gain, _), one in zip(made, named, strict=True)])
        )
        for sign in (-1.0, 1.0)
    )
    return [
        Change(
            name=name,
            rows=rows,
            before=interval_of(old, groups),
            after=interval_of(new, groups),
            gain=made[i][1],
            p_worse=float(worse[i]),
            p_better=float(better[i]),
        )
        for i, (name, rows, (old, new), groups) in enumerate(named)
    ]


def _worst_first(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Return regressions first, the greatest loss first; then the others by their gain."""
    return tuple(sorted(changes, key=lambda one: (not one.is_worse, one.gain.value, one.name)))
