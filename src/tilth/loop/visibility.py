"""What may be shown of columns that are not shown: nothing but sums, in any output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tilth.core.finding import Finding
from tilth.core.names import SYSTEM_COLUMNS, TARGET
from tilth.core.schema import Role, Schema, Visibility
from tilth.core.summary import RunSummary

__all__ = ["HIDDEN", "may_quote", "may_tell", "shown_evidence", "without_messages"]

HIDDEN = "(hidden)"
"""Stands for a cell that may not be shown."""
_OF_LABEL = frozenset({"given", "suggested", "first", "second"})
_OF_GROUP = frozenset({"group"})
_OF_ROWS = frozenset({"copy_of", "near_to", "nearest", "in_split"})
"""Evidence in words that names rows and splits, and quotes no cell."""


def may_tell(schema: Schema, column: str) -> bool:
    """Whether single cells of a column may be shown; a soft target tells the label."""
    if column in SYSTEM_COLUMNS:
        return column != TARGET or schema.may_show(schema.task.label)
    return column not in schema.names or schema.may_show(column)


def may_quote(schema: Schema) -> bool:
    """Whether messages that may quote any cell can be shown: no column is hidden."""
    return all(column.visibility is Visibility.SHOWN for column in schema.columns)


def without_messages(summary: RunSummary) -> RunSummary:
    """Return a summary whose failed steps say only what kind of error it was: a message may quote a hidden cell."""
    failures = tuple(
        replace(failure, error=failure.error.split(":", 1)[0], traceback="") for failure in summary.failures
    )
    return replace(summary, failures=failures)


def shown_evidence(finding: Finding, schema: Schema) -> Mapping[str, Any]:
    """Return the evidence of a finding's rows that quotes no cell of a column which is not shown."""
    of_rows = {name: values for name, values in finding.evidence.items() if len(values) == len(finding.ids)}
    if may_quote(schema):
        return of_rows
    return {name: values for name, values in of_rows.items() if _may_give(name, values, schema)}


def _may_give(name: str, values: Any, schema: Schema) -> bool:
    if name in _OF_LABEL:
        return schema.may_show(schema.task.label)
    if name in _OF_GROUP:
        group = schema.first(Role.GROUP)
        return group is None or schema.may_show(group)
    return name in _OF_ROWS or np.asarray(values).dtype.kind in "biuf"
