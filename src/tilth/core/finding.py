"""Finding: a claim about rows, columns or a whole version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.arrays import Mask, Vector
from tilth.core.spec import Spec

__all__ = ["Finding"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Finding:
    """What one detector says about one version.

    Parameters
    ----------
    kind : snake_case noun: label_error, near_duplicate, leakage, outlier …
    ids : the rows that it speaks of, in the view's order; empty for claims about columns
    severity : (len(ids),) in [0, 1], 1 = worst
    flagged : (len(ids),) mask of the rows that it calls faulty
    summary : one sentence with the figures
    threshold : how a row comes to be flagged, in words
    suggestion : what it suggests to do
    evidence : per-row facts, each (len(ids),) or a list of texts: given, suggested, partner, …
    columns : columns concerned, for claims about columns
    level : severity of the whole claim in [0, 1]: the mean severity of the flagged rows unless given
    """

    kind: str
    summary: str
    operator: Spec
    ids: pa.Array = field(default_factory=lambda: pa.array([], pa.string()))
    severity: Vector = field(default_factory=lambda: np.zeros(0))
    flagged: Mask = field(default_factory=lambda: np.zeros(0, dtype=bool))
    threshold: str = ""
    suggestion: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    level: float = 0.0
    dataset: str = ""

    def __post_init__(self) -> None:
        """Refuse severities out of range and lengths that disagree."""
        if not len(self.ids) == len(self.severity) == len(self.flagged):
            raise ValueError("ids, severity and flagged must have one length")
        if len(self.severity) and not (np.min(self.severity) >= 0 and np.max(self.severity) <= 1):
            raise ValueError("severity must lie in [0, 1]")
        if not 0 <= self.level <= 1:
            raise ValueError("level must lie in [0, 1]")

    @property
    def n_flagged(self) -> int:
        """Number of flagged rows."""
        return int(self.flagged.sum())

    @property
    def flagged_ids(self) -> pa.Array:
        """Flagged rows, worst first; ties in the view's order."""
        rows = np.flatnonzero(self.flagged)
        return self.ids.take(pa.array(rows[np.argsort(-self.severity[rows], kind="stable")]))

    @property
    def overall(self) -> float:
        """Severity of the whole claim in [0, 1]."""
        return float(self.severity[self.flagged].mean()) if self.n_flagged else self.level
