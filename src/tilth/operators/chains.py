"""Chains of transforms: one after the other, those that look values up made one pass over the pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tilth.core.draw import Draw
from tilth.core.errors import UsageError
from tilth.core.ids import Digests
from tilth.core.said import Failure
from tilth.core.transformed import Transformed
from tilth.numerics.image_tables import Tables, glance_at, looked_up
from tilth.operators.batch import Batch
from tilth.operators.image_cells import Pixels
from tilth.operators.protocols import Transform
from tilth.operators.transforming import ImageChange, PixelWise, change_images, chosen, transformed

__all__ = ["apply_chain"]

Step = tuple[Transform, Draw]


def apply_chain(transforms: Sequence[Transform], batch: Batch, draws: Sequence[Draw]) -> Transformed:
    """Return what transforms make of rows, one after the other.

    Neighbours that give pixels a new value by their old one alone (`PixelWise`) are done in one pass; the result is the same,
    value for value, as with `apply` one by one. A row on which one of them fails goes to the next as it was.

    Parameters
    ----------
    transforms : in the order in which they are applied; () leaves all as it is
    batch : n rows
    draws : the random numbers of each transform

    Returns
    -------
    The rows after the last; `applied` compares with the batch; `failures` in the order of the transforms; `labels` where a
    transform gave some, the last that knows a row's label

    Raises
    ------
    UsageError
        Not as many draws as transforms.
    NotApplicable
        One of them has no column to change.
    """
    if len(transforms) != len(draws):
        raise UsageError(f"{len(transforms)} transforms with {len(draws)} draws", next_step="give one draw for each")
    columns, failures, labels = dict(batch.columns), list[Failure](), None
    for run in _runs(transforms, draws):
        after = _applied(run, Batch(ids=batch.ids, columns=columns))
        columns.update(after.columns)
        failures += after.failures
        labels = after.labels if labels is None or after.labels is None else _newest(after.labels, labels)
    return transformed(batch, columns, failures=tuple(failures), labels=labels)


def _newest(new: Any, old: Any) -> Any:
    import pyarrow.compute as pc

    return pc.coalesce(new, old)


def _runs(transforms: Sequence[Transform], draws: Sequence[Draw]) -> list[list[Step]]:
    """Return the steps in runs: neighbours that are pixel-wise and change the same columns lie in one."""
    runs: list[list[Step]] = []
    for step in zip(transforms, draws, strict=True):
        if runs and _fuse(runs[-1][-1][0], step[0]):
            runs[-1].append(step)
        else:
            runs.append([step])
    return runs


def _fuse(one: Transform, other: Transform) -> bool:
    both = isinstance(one, PixelWise) and isinstance(other, PixelWise)
    return both and one.columns == other.columns and one.accepts == other.accepts


def _applied(run: list[Step], batch: Batch) -> Transformed:
    first, draw = run[0]
    if len(run) == 1:
        return first.apply(batch, draw)
    return change_images(batch, chosen(batch, first.columns, first.accepts), _fused_change(run))


def _fused_change(run: list[Step]) -> ImageChange:
    def change(images: Pixels, digests: Digests) -> Pixels:
        seen = glance_at(images)
        for transform, draw in run:
            seen = seen.after(_tables(transform, seen, digests, draw))
        return images if seen.tables is None else looked_up(images, seen.tables)

    return change


def _tables(transform: Any, seen: Any, digests: Digests, draw: Draw) -> Tables:
    return np.asarray(transform.tables(seen, digests, draw))
