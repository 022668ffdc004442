"""What the detectors have in common; they import it from here."""

from __future__ import annotations

from tilth.detection._shared.attributes import Attribute, attributes_of
from tilth.detection._shared.cells import chance_share
from tilth.detection._shared.copies import EqualRows, chance_size, equal_rows, first_of_group, rank_of
from tilth.detection._shared.dependence import Dependence, average_ranks, class_dependence, number_dependence
from tilth.detection._shared.near import NearPairs, near_pairs, vector_pairs
from tilth.detection._shared.words import (
    benjamini_hochberg,
    class_texts,
    doubtable,
    feature_columns,
    holm,
    labels_differ,
    missing_cells,
    named,
    refuse_few_rows,
    refuse_regression,
    searched,
    share_of,
    texts,
    value_codes,
)

__all__ = [
    "Attribute",
    "Dependence",
    "EqualRows",
    "NearPairs",
    "attributes_of",
    "average_ranks",
    "benjamini_hochberg",
    "chance_share",
    "chance_size",
    "class_dependence",
    "class_texts",
    "doubtable",
    "equal_rows",
    "feature_columns",
    "first_of_group",
    "holm",
    "labels_differ",
    "missing_cells",
    "named",
    "near_pairs",
    "number_dependence",
    "rank_of",
    "refuse_few_rows",
    "refuse_regression",
    "searched",
    "share_of",
    "texts",
    "value_codes",
    "vector_pairs",
]
