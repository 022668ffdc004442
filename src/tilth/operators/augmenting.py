"""Augmenting: a policy bound to its transforms changes rows, and each row of a training set draws from its own policy.

    changed(row, epoch) = the steps of the sequence that (seed, policy, epoch, row id) draws

Rows that draw the same change are handed to its transform together. A row's draws do not depend on which rows stand beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Several
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Mask, Vector
from tilth.core.draw import Draw
from tilth.core.errors import ContractError, NotApplicable
from tilth.core.policy import AS_IT_IS, Change, Mix, Policy, Sequence, Step
from tilth.core.said import Failure
from tilth.operators.batch import Batch
from tilth.operators.chains import apply_chain
from tilth.operators.image_cells import encoded, pixels_in, pixels_of, tensor_cells
from tilth.operators.transforming import draw_of
from tilth.operators.transforms import FunctionTransform

__all__ = ["Augmentation", "BoundPolicy", "Transforms"]

Key = tuple[str, int | None]
Transforms = Mapping[Key, Any]
"""(name, severity) -> transform, learnt where it learns from train rows; severity None where it has none."""
ROWS_AT_ONCE = 4_096
"""Rows that are changed together: enough that rows of one change make a block, few enough to hold their pixels."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoundPolicy:
    """A policy and the transforms that it names.

    Parameters
    ----------
    policy : what is drawn
    transforms : all changes of the policy, with each severity that they may have
    columns : (name, severity) -> columns that the transform is handed
    key : the digest of the policy and of all that its transforms do; "" where nobody keeps what was fitted
    failed : transform -> the first failures on rows in training, which were shown as they are; it is added to
    """

    policy: Policy
    transforms: Transforms
    columns: Mapping[Key, tuple[str, ...]]
    key: str = ""
    failed: dict[str, Failure] = field(default_factory=dict)

    def apply(self, batch: Batch, draw: Draw) -> Mapping[str, pa.Array]:
        """Return the columns of the batch's rows after the policy; a row on which a transform fails stays as it is there.

        Raises
        ------
        ContractError
            A transform changed the type of a column or the number of rows.
        """
        columns = dict(batch.columns)
        sequences = self.policy.sequences
        weights = np.cumsum([one.weight for one in sequences])
        picked = np.searchsorted(weights, draw.child("sequence").uniforms(batch.digests) * weights[-1], side="right")
        for number, sequence in enumerate(sequences):
            draws = [draw.child("step", number, place) for place in range(len(sequence.steps))]
            chain = self._chain(sequence)
            if chain is not None:
                self._change(chain, np.flatnonzero(picked == number), batch, columns, draws)
                continue
            for step, mine in zip(sequence.steps, draws, strict=True):
                for key, rows in self._drawn(step, picked == number, batch, mine):
                    self._change((key,), rows, batch, columns, [mine])
        return columns

    def _chain(self, sequence: Sequence) -> tuple[Key, ...] | None:
        """Return the transforms of a sequence that leaves nothing to draw: its rows go through all of them in one pass."""
        changes = [step.changes[0] for step in sequence.steps if step.chance == 1 and len(step.changes) == 1]
        keys = [(one.transform, None if one.severities is None else one.severities[0]) for one in changes]
        fixed = all(one.severities is None or one.severities[0] == one.severities[1] for one in changes)
        is_fixed = fixed and 0 < len(changes) == len(sequence.steps) and all(key in self.transforms for key in keys)
        alike = is_fixed and len({self.columns[key] for key in keys}) == 1
        own = alike and not any(isinstance(self.transforms[key], FunctionTransform) for key in keys)
        return tuple(keys) if own else None

    def _drawn(self, step: Step, inside: Mask, batch: Batch, draw: Draw) -> Iterator[tuple[Key, IntVector]]:
        """Yield each change of a step, at each severity, with the rows that drew it."""
        if not inside.any():
            return
        wanted, which, how = (draw.child(what).uniforms(batch.digests) for what in ("chance", "change", "severity"))
        inside = inside & (wanted < step.chance)
        chosen = (which * len(step.changes)).astype(np.intp)
        for number, change in enumerate(step.changes):
            rows = np.flatnonzero(inside & (chosen == number))
            if change.transform != AS_IT_IS and len(rows):
                yield from _by_severity(change, rows, how[rows])

    def _change(
        self, keys: tuple[Key, ...], rows: IntVector, batch: Batch, columns: dict[str, pa.Array], draws: Several[Draw]
    ) -> None:
        """Change some rows of the columns in place, by transforms one after the other."""
        if not len(rows):
            return
        names = self.columns[keys[0]]
        part = Batch(ids=batch.ids.take(pa.array(rows)), columns={name: _taken(columns[name], rows) for name in names})
        transforms = [self.transforms[key] for key in keys]
        opened = _encoded(part) if isinstance(transforms[0], FunctionTransform) else part
        own = [
            Draw(seed=draw.seed, step=(*draw.step, *draw_of(one, draw.seed).step))
            for one, draw in zip(transforms, draws, strict=True)
        ]
        called = " then ".join(key[0] for key in keys)
        try:
            after = apply_chain(transforms, opened, own)
        except NotApplicable as refusal:
            self.failed.setdefault(called, Failure(row_id=str(part.ids[0].as_py()), error=refusal.what))
            return
        if after.failures:
            self.failed.setdefault(called, after.failures[0])
        for name in names:
            columns[name] = _put(columns[name], rows, _like(after.columns[name], part.columns[name], called))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Augmentation:
    """How n train rows are varied while a learner trains on them.

    Parameters
    ----------
    policies : each that some row has
    which : (n,) the policy of each row by its place among them; -1 for a row that is shown as it is
    ids : (n,) row ids
    seed : the run's
    """

    policies: Several[BoundPolicy]
    which: IntVector
    ids: pa.Array
    seed: int

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.ids)

    @property
    def salt(self) -> tuple[int, ...]:
        """What a learner's own draws follow."""
        return tuple(one.policy.salt for one in self.policies)

    @property
    def mix(self) -> Mix:
        """How rows of a batch are mixed: as the first policy that says so says."""
        return next((one.policy.mix for one in self.policies if one.policy.mix != "none"), "none")

    @property
    def changes(self) -> Mask:
        """Rows that may be shown otherwise than they are, (n,)."""
        active = np.array([bool(one.policy.transforms) for one in self.policies] + [False])
        return np.asarray(active[self.which])

    def take(self, rows: IntVector) -> Augmentation:
        """Return how some of the rows are varied."""
        return replace(self, which=self.which[rows], ids=self.ids.take(pa.array(rows)))

    def among(self, ids: pa.Array, rows: IntVector) -> Augmentation:
        """Return how more rows are varied, of which these are some, at the positions `rows`; the others are as they are."""
        which = np.full(len(ids), -1, dtype=np.intp)
        which[rows] = self.which
        return replace(self, which=which, ids=ids)

    def changed(self, columns: Mapping[str, pa.Array], epoch: int) -> Mapping[str, pa.Array]:
        """Return the rows' columns as they are shown in an epoch.

        Parameters
        ----------
        columns : those that the learner reads, each (n,); images as bytes or as decoded pixels
        epoch : number of the pass over the rows: another gives other draws
        """
        out = dict(columns)
        for number, bound in enumerate(self.policies):
            rows = np.flatnonzero(self.which == number)
            if bound.policy.transforms:
                for start in range(0, len(rows), ROWS_AT_ONCE):
                    self._change(out, bound, rows[start : start + ROWS_AT_ONCE], epoch)
        return out

    def _change(self, columns: dict[str, pa.Array], bound: BoundPolicy, rows: IntVector, epoch: int) -> None:
        part = Batch(
            ids=self.ids.take(pa.array(rows)), columns={name: _taken(cells, rows) for name, cells in columns.items()}
        )
        draw = Draw(seed=self.seed, step=("augment", bound.policy.salt, epoch))
        for name, cells in bound.apply(part, draw).items():
            columns[name] = _put(columns[name], rows, cells)


def _by_severity(change: Change, rows: IntVector, draws: Vector) -> Iterator[tuple[Key, IntVector]]:
    if change.severities is None:
        yield (change.transform, None), rows
        return
    low, high = change.severities
    severity = low + (draws * (high - low + 1)).astype(np.intp)
    for one in np.unique(severity).tolist():
        yield (change.transform, one), rows[severity == one]


def _is_pixels(cells: pa.Array) -> bool:
    return isinstance(cells.type, pa.FixedShapeTensorType)


def _taken(cells: pa.Array, rows: IntVector) -> pa.Array:
    if not _is_pixels(cells):
        return cells.take(pa.array(rows))
    return tensor_cells(pixels_in(cells)[rows], np.asarray(cells.is_valid())[rows])


def _put(cells: pa.Array, rows: IntVector, new: pa.Array) -> pa.Array:
    """Return cells with some of them replaced."""
    if _is_pixels(cells):
        pixels, valid = np.array(pixels_in(cells)), np.array(cells.is_valid())
        pixels[rows], valid[rows] = pixels_in(new), np.asarray(new.is_valid())
        return tensor_cells(pixels, valid)
    source = np.arange(len(cells))
    source[rows] = len(cells) + np.arange(len(rows))
    return pa.concat_arrays([cells, new]).take(pa.array(source))


def _encoded(part: Batch) -> Batch:
    """Return a batch whose decoded images are bytes again: what a person's function reads."""
    columns = {
        name: pa.array([encoded(one) for one in pixels_in(cells)], pa.binary()) if _is_pixels(cells) else cells
        for name, cells in part.columns.items()
    }
    return Batch(ids=part.ids, columns=columns)


def _like(cells: pa.Array, before: pa.Array, name: str) -> pa.Array:
    """Return cells in the form of those before: decoded again where they were; refuse another type or number of rows."""
    if len(cells) != len(before):
        raise ContractError(f"transform {name!r} returned {len(cells)} rows of {len(before)}")
    if _is_pixels(before) and not _is_pixels(cells):
        shape = tuple(before.type.shape)
        opened = [pixels_of(one) for one in cells.to_pylist()]
        sound = [one for one in opened if one is not None and one.shape == shape]
        if len(sound) < len(opened):
            raise ContractError(
                f"transform {name!r} changed the size of an image, or broke it",
                next_step="return an image of the size that it had",
            )
        return tensor_cells(np.stack(sound))
    if cells.type != before.type:
        raise ContractError(f"transform {name!r} returned {cells.type} for {before.type}", next_step="keep the type")
    return cells
