"""Questions that a migration of the label set leaves: rows that check its rules, rows that judge, rows that teach, in turn.

Dev and test rows come in random order, so that whatever is answered is a fair part of them; train rows come as `open_labels` chooses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tilth.core.names import TRUSTED, Split
from tilth.core.rng import generator
from tilth.loop.frames import trusted_of
from tilth.operators.registry import make

if TYPE_CHECKING:
    from tilth.core.arrays import IntVector, Mask
    from tilth.loop.found import Found

__all__ = ["OpenQuestion", "open_questions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuestion:
    """A row to ask about: its position, what may be the answer, and why it is asked."""

    row: int
    suggestion: str
    reason: str


def open_questions(found: Found, top: int) -> list[OpenQuestion]:
    """Return at most `top` questions, those of the three kinds in turn; none where nothing is open and no rule unchecked."""
    if found.version.schema.task.taxonomy == 1:
        return []
    rows, sets = found.workshop.open_sets(found.version)
    lists = (_checks(found), _judges(found, rows, sets, (Split.DEV,)), _teachers(found, rows, sets, top))
    mixed = [one for one in chain.from_iterable(zip_longest(*lists)) if one is not None]
    mixed += _judges(found, rows, sets, (Split.TEST,))
    return mixed[:top]


def _checks(found: Found) -> list[OpenQuestion]:
    """Questions on rows that a rule settled, those of all rules in turn."""
    dataset = found.dataset
    trusted = trusted_of(dataset.read(TRUSTED))
    columns: list[list[OpenQuestion]] = []
    for rule in found.version.source.get("rules", ()):
        ids = [row for row in rule["sample"] if dataset.row_ids.index(row).as_py() >= 0]
        rows = [int(row) for row in dataset.positions(pa.array(ids, pa.string())) if not trusted[row]]
        reason = f"checks the rule by which it is {rule['class']}"
        columns.append([OpenQuestion(row=row, suggestion=rule["class"], reason=reason) for row in rows])
    return [one for one in chain.from_iterable(zip_longest(*columns)) if one is not None]


def _judges(found: Found, rows: IntVector, sets: Mask, splits: Sequence[Split]) -> list[OpenQuestion]:
    inside = np.flatnonzero(found.dataset.mask(*splits)[rows])
    order = generator(found.workshop.seed, "open", *map(str, splits)).permutation(inside)
    return list(_as_questions(found, rows[order], sets[order]))


def _teachers(found: Found, rows: IntVector, sets: Mask, top: int) -> list[OpenQuestion]:
    if not found.dataset.mask(Split.TRAIN)[rows].any():
        return []
    selector = make("selection", "open_labels")
    chosen = selector.select(found.workshop.evidence(found.version).view(selector), top)
    positions = found.dataset.positions(chosen.ids)
    at = np.searchsorted(rows, positions)
    return list(_as_questions(found, positions, sets[at]))


def _as_questions(found: Found, rows: IntVector, sets: Mask) -> Iterator[OpenQuestion]:
    task = found.version.schema.task
    for row, possible in zip(rows, sets, strict=True):
        names = [task.classes[at] for at in np.flatnonzero(possible)]
        reason = f"label set {task.taxonomy} leaves it open"
        yield OpenQuestion(row=int(row), suggestion=" or ".join(names), reason=reason)
