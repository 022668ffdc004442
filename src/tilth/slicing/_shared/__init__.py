"""What slicers have in common; they import it from here."""

from __future__ import annotations

from tilth.slicing._shared.crossed import Rule, crossed, jaccard
from tilth.slicing._shared.describe import described
from tilth.slicing._shared.failures import LEAST_FAILING, Failures, failures_of
from tilth.slicing._shared.leaves import leaf_rules
from tilth.slicing._shared.regions import Space
from tilth.slicing._shared.typical import shown_columns

__all__ = [
    "LEAST_FAILING",
    "Failures",
    "Rule",
    "Space",
    "crossed",
    "described",
    "failures_of",
    "jaccard",
    "leaf_rules",
    "shown_columns",
]
