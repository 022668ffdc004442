"""Needs: what a whole operator can be shown of its rows; the loop computes each when it is first read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

__all__ = ["NEEDS", "Need"]

Need = Literal[
    "labels",
    "numbers",
    "pred_probs",
    "half_probs",
    "truth_probs",
    "predictions",
    "embeddings",
    "neighbours",
    "table",
    "splits",
    "trusted",
    "weights",
    "times",
    "groups",
    "findings",
    "source",
    "votes",
    "label_sets",
    "scores",
    "slices",
    "transforms",
    "augment",
    "made",
    "encode",
    "generated",
]

NEEDS: Mapping[str, str] = {
    "labels": "class number of each row (n,) intp; read `labelled` for the mask of rows that have one",
    "numbers": "numeric label of each row (n,) float64; read `labelled` for the mask",
    "pred_probs": "out-of-sample, calibrated class probabilities (n, k) float64",
    "half_probs": "the same by models that learnt from half of the rows (n, k) float64: what more rows bring",
    "truth_probs": "out-of-sample p(truth | features, given label) (n, k) float64; noise as far as the likelihood confirms it",
    "predictions": "out-of-sample numeric predictions (n,) float64",
    "embeddings": "encoded features (n, d) float32",
    "neighbours": "the nearest other rows of each row by embedding, exact",
    "table": "the user's columns as an Arrow table, features and roles alike, without the label",
    "splits": "the split of each row (n,) text",
    "trusted": "mask of rows whose label a person confirmed",
    "weights": "training weight of each row (n,) float64",
    "times": "the time column as int64 microseconds, or the row order; missing = int64 minimum",
    "groups": "group code of each row (n,) intp",
    "findings": "kind -> Finding of this version, for editors that act on what was found",
    "source": "facts about the source as a whole: columns, missing cells, broken files",
    "votes": "what the labelers' votes come to for each row: probabilities by the label model and by majority, and who has a vote",
    "label_sets": "the classes that a label which a migration left open may be (n, k) bool; all False for other rows",
    "scores": "the metric's score of each row's out-of-sample prediction (n,) float64, higher is better",
    "slices": "name -> how far each row belongs to that slice (n,) float64 in [0, 1], worst slice first",
    "transforms": "what there is to vary rows of this data: transforms, written policies, whether the learner learns its representation",
    "augment": "how train rows are varied while a learner trains on them; absent where they are shown as they are",
    "made": "mask of rows that an edit made (n,): what is made anew is made from rows of the source",
    "encode": "a function from a table of feature columns to their features (m, d) float32, as `embeddings` are",
    "generated": "generator -> the rows that it made of labelled train rows, not yet judged",
}
