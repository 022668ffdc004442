"""A finding as JSON shows it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tilth.core.finding import Finding
from tilth.core.schema import Schema
from tilth.loop.visibility import shown_evidence

__all__ = ["finding_facts"]


def finding_facts(finding: Finding, schema: Schema) -> dict[str, Any]:
    """Return the claim, and its flagged rows worst first with their severity and what may be shown of the evidence."""
    flagged = np.flatnonzero(finding.flagged)
    flagged = flagged[np.argsort(-finding.severity[flagged], kind="stable")]
    evidence = shown_evidence(finding, schema)
    rows = [
        {"row_id": finding.ids[int(i)].as_py(), "severity": float(finding.severity[i])}
        | {name: _plain(values[i]) for name, values in evidence.items()}
        for i in flagged
    ]
    return {
        "kind": finding.kind,
        "rows": finding.n_flagged,
        "severity": finding.overall,
        "operator": str(finding.operator),
        "summary": finding.summary,
        "threshold": finding.threshold,
        "suggestion": finding.suggestion,
        "columns": list(finding.columns),
        "flagged": rows,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, int | float | str | bool) or value is None else str(value)
