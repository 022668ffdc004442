"""The columns that tilth keeps beside the user's own, and the names of splits."""

from __future__ import annotations

from enum import StrEnum

__all__ = [
    "AUGMENT",
    "PARENTS",
    "RESERVED",
    "ROW_ID",
    "SPLIT",
    "SYSTEM_COLUMNS",
    "TARGET",
    "TRUSTED",
    "WEIGHT",
    "Split",
]

RESERVED = "_tilth_"
ROW_ID = "_tilth_id"
SPLIT = "_tilth_split"
TARGET = "_tilth_target"
"""A soft target: one probability per class, null where the hard label is the target."""
WEIGHT = "_tilth_weight"
"""The row's weight in training, null for 1."""
TRUSTED = "_tilth_trusted"
"""True where a person confirmed the label."""
PARENTS = "_tilth_parents"
"""Row ids from which a made row was made, null for rows of the source."""
AUGMENT = "_tilth_augment"
"""How the row is varied while a learner trains on it: a policy of transforms as text, null for as it is."""

SYSTEM_COLUMNS = (ROW_ID, SPLIT, TARGET, WEIGHT, TRUSTED, PARENTS, AUGMENT)


class Split(StrEnum):
    """Where a row stands: train learns, dev chooses, test is sealed, pool waits for labels."""

    TRAIN = "train"
    DEV = "dev"
    TEST = "test"
    POOL = "pool"
    UNUSED = "unused"
