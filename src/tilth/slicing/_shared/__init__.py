"""What slicers have in common; they import it from here."""

from __future__ import annotations

from tilth.slicing._shared.conditions import Condition, Feature
from tilth.slicing._shared.crossing import Rule, crossed, jaccard
from tilth.slicing._shared.describe import described
from tilth.slicing._shared.failures import LEAST_FAILING, Failures, failures_of
from tilth.slicing._shared.features import features_of, written_text
from tilth.slicing._shared.leaves import leaf_rules
from tilth.slicing._shared.regions import Space
from tilth.slicing._shared.scored import Scored, estimate_of, scored_rows, summary_of
from tilth.slicing._shared.typical import shown_columns

__all__ = [
    "LEAST_FAILING",
    "Condition",
    "Failures",
    "Feature",
    "Rule",
    "Scored",
    "Space",
    "crossed",
    "described",
    "estimate_of",
    "failures_of",
    "features_of",
    "jaccard",
    "leaf_rules",
    "scored_rows",
    "shown_columns",
    "summary_of",
    "written_text",
]
