"""Comparable scores: where people corrected dev or test labels, scores from before speak of another evaluation set."""

from __future__ import annotations

from collections import Counter

import numpy as np

from tilth.core.edit import PERSON, Edit
from tilth.core.ids import column_digests
from tilth.core.names import ROW_ID, Split
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["evaluation_key", "evaluation_notes"]


def evaluation_key(repository: Repository, version: Version, split: Split) -> str:
    """Return the digest of a split's rows and their labels: scores of one key may be compared, of two keys not."""
    dataset, label = repository.dataset(version), version.schema.task.label
    table = dataset.read(ROW_ID, label).filter(dataset.mask(split))
    with np.errstate(over="ignore"):
        bound = column_digests(table, ROW_ID) * np.uint64(3) ^ column_digests(table, label)
        lanes = bound.sum(axis=0, dtype=np.uint64)
    return f"{table.num_rows}-{int(lanes[0]):016x}{int(lanes[1]):016x}"


def evaluation_notes(repository: Repository, version: Version) -> list[str]:
    """Return one sentence for each correction of dev or test labels that a version's recipe holds, oldest first."""
    notes = []
    for edit_id in version.recipe:
        edit = repository.edit(edit_id)
        if edit.evaluation and edit.author == PERSON:
            for split, n in _corrected(edit, repository, version).items():
                notes.append(
                    f"people corrected {n:,} {split} labels ({edit_id}): {split} scores from before are not comparable "
                    "with those from then on"
                )
    return notes


def _corrected(edit: Edit, repository: Repository, version: Version) -> dict[str, int]:
    """Return how many labels of each judging split an edit changed; confirmed labels change no score."""
    label = version.schema.task.label
    if label not in edit.set:
        return {}
    given = {row[ROW_ID]: row["value"] for row in edit.expects[label].to_pylist()} if label in edit.expects else {}
    changed = [row[ROW_ID] for row in edit.set[label].to_pylist() if given.get(row[ROW_ID]) != row["value"]]
    dataset = repository.dataset(version)
    splits = dict(zip(dataset.row_ids.to_pylist(), dataset.splits.tolist(), strict=True))
    counts = Counter(str(splits[row]) for row in changed if row in splits)
    return {str(split): counts[str(split)] for split in (Split.DEV, Split.TEST) if counts[str(split)]}
