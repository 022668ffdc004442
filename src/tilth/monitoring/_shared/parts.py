"""Views of some rows of a view, cut by who asks: with what it needs, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tilth.operators.registry import spec_of
from tilth.operators.view import View

if TYPE_CHECKING:
    from tilth.core.arrays import IntVector

__all__ = ["evidence_of", "view_for"]

_CUT = ("scores", "pred_probs", "predictions", "embeddings", "slices", "labels", "numbers")
"""Evidence that estimators may need, and that is cut by rows."""


def evidence_of(view: View) -> dict[str, Any]:
    """Return what a view has that estimators may need."""
    has = {need: getattr(view, need) for need in _CUT if view.has(need)}  # type: ignore[arg-type]
    return has | ({"labelled": view.labelled} if {"labels", "numbers"} & set(has) else {})


def view_for(
    operator: Any,
    view: View,
    evidence: Mapping[str, Any],
    rows: IntVector,
    *,
    ids: IntVector | None = None,
    labelled: bool = True,
) -> View:
    """Return an operator's view of some rows (n,) of evidence; without labels it has neither these nor scores.

    `ids` (m,) says where the rows of the evidence stand in the view; by default they are all of its rows.
    """
    left_out = set() if labelled else {"scores", "labels", "numbers", "labelled"}
    kept = {need: _taken(values, rows) for need, values in evidence.items() if need not in left_out}
    return View(
        ids=view.take_ids(rows if ids is None else ids[rows]),
        schema=view.schema,
        evidence=kept,
        needs=frozenset(operator.needs),
        spec=spec_of(operator),
        seed=view.seed,
    )


def _taken(values: Any, rows: IntVector) -> Any:
    if isinstance(values, np.ndarray):
        return values[rows]
    return {name: member[rows] for name, member in values.items()}
