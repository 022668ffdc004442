"""What slicers have in common; they import it from here."""

from __future__ import annotations

from tilth.slicing._shared.conditions import Condition, Feature
from tilth.slicing._shared.features import features_of, written_text
from tilth.slicing._shared.scored import Scored, estimate_of, scored_rows, summary_of

__all__ = ["Condition", "Feature", "Scored", "estimate_of", "features_of", "scored_rows", "summary_of", "written_text"]
