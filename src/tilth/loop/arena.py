"""The arena: where the trials of one run take place, and what decides them besides data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pyarrow as pa

from tilth.core.arrays import Mask, Matrix
from tilth.core.edit import Edit
from tilth.core.ids import digest_of
from tilth.core.names import ROW_ID
from tilth.loop.bench import Bench, Judged
from tilth.loop.copies import memorised
from tilth.loop.foretelling import Foretold
from tilth.loop.guards import LEAST_ROWS, GuardedSlice, Standing, standing_of
from tilth.loop.ledger import Draw, Ledger
from tilth.loop.project_file import FEWEST_PLACEBOS

__all__ = ["ENOUGH_PLACEBOS", "FEWEST_PLACEBOS", "Arena", "Settings"]

ENOUGH_PLACEBOS = 20
"""Draws for an edit that may beat doing nothing: with five, chance in their mean hides half of the gains worth keeping."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What decides trials besides data: the project's error budget, the least useful gain, placebo draws."""

    alpha: float = 0.05
    least_useful_gain: float = 0.0
    placebo_draws: int = FEWEST_PLACEBOS
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Arena:
    """Where trials of one run take place."""

    bench: Bench
    judged: Judged
    slices: tuple[GuardedSlice, ...]
    ledger: Ledger
    settings: Settings
    parent: str
    joint: Matrix | None
    """(k, k) confident joint of the dev labels, for corrected gains; None for regression."""
    remember: Callable[[str, Callable[[], dict[str, np.ndarray]]], dict[str, np.ndarray]]
    """Runs a computation, or returns what it gave before."""
    context: str
    """Digest of all but the edit that decides a trial's figures: content, learner, features, dev labels, seed."""

    foretold: Foretold | None = None
    """What foretells answers on the judging rows; None for regression."""
    goals: Mapping[str, Mask] = field(default_factory=dict)
    """Slice that edits may aim at -> which of the judging rows belong to it."""
    leaks: Mapping[str, str] = field(default_factory=dict)
    """Train row -> the dev or test row that it copies."""

    def judging(self, edit: Edit) -> Arena:
        """Return the arena without the dev rows that copy rows which an edit drops; itself where there are none, or no others."""
        out = memorised(self.bench, self.judged, self.leaks, edit)
        if not out.any() or out.all():
            return self
        slices = [replace(one, rows=one.rows[~out]) for one in self.slices]
        return replace(
            self,
            judged=self.judged.only(~out),
            foretold=None if self.foretold is None else self.foretold.only(~out),
            slices=tuple(one for one in slices if one.rows.sum() >= LEAST_ROWS),
            goals={name: rows[~out] for name, rows in self.goals.items()},
            context=digest_of([self.context, "without copies", np.flatnonzero(out).tolist()]),
        )

    def aimed_at(self, rows: Mask) -> Arena:
        """Return the arena in which only some of the judging rows judge: those of the slice that an edit aims at."""
        return replace(
            self,
            judged=self.judged.only(rows),
            foretold=None if self.foretold is None else self.foretold.only(rows),
            slices=(),
            goals={},
        )

    @property
    def enough_placebos(self) -> int:
        """Draws for an edit that may beat doing nothing; no more than the fewest where each takes a training."""
        return FEWEST_PLACEBOS if self.bench.is_dear else ENOUGH_PLACEBOS

    @cached_property
    def dev_ids(self) -> pa.Array:
        """Ids of the judging rows."""
        return self.bench.table.column(ROW_ID).take(pa.array(self.judged.positions)).combine_chunks()

    @cached_property
    def draws(self) -> list[Draw]:
        """Draws of questions, oldest first."""
        return self.ledger.draws()

    @cached_property
    def before(self) -> Standing:
        """How the model stands that the run started from."""
        return standing_of(self.bench, self.bench.baseline, self.judged)
