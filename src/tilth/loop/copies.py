"""Copies: dev rows that an edit would take out of the model's memory do not judge that edit.

A model scores well on a dev row that it was trained on, so removing the copy always looks like harm. Without those dev rows,
removing a leak is judged by what the removed rows teach about others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import Mask
from tilth.core.edit import Edit
from tilth.core.finding import Finding
from tilth.core.ids import row_digests
from tilth.core.names import ROW_ID
from tilth.loop.bench import Bench, Judged

__all__ = ["leaks_of", "memorised"]


def leaks_of(findings: Sequence[Finding]) -> dict[str, str]:
    """Return train row -> the dev or test row that it copies, of all leaks that were found."""
    found: dict[str, str] = {}
    for finding in findings:
        if finding.kind == "leakage" and "copy_of" in finding.evidence:
            partners = np.asarray(finding.evidence["copy_of"])[finding.flagged]
            found |= dict(
                zip(finding.ids.filter(pa.array(finding.flagged)).to_pylist(), partners.tolist(), strict=True)
            )
    return found


def memorised(bench: Bench, judged: Judged, leaks: Mapping[str, str], edit: Edit) -> Mask:
    """Return which judging rows are copies of rows that an edit drops: the one named, and all with equal cells; (n,)."""
    dropped = [row for row in edit.drop.to_pylist() if row in leaks]
    if not dropped:
        return np.zeros(len(judged), dtype=bool)
    ids = bench.table.column(ROW_ID)
    digests = row_digests(bench.table, [column.name for column in bench.schema.features])[:, 0]
    of_dropped = digests[np.asarray(pc.is_in(ids, value_set=pa.array(dropped)))]
    named = pc.is_in(ids.take(pa.array(judged.positions)), value_set=pa.array([leaks[row] for row in dropped]))
    return np.asarray(np.isin(digests[judged.positions], of_dropped) | np.asarray(named), dtype=bool)
