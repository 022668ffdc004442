"""The slices of a run: those that people declared and those that slicers discover in train, the worst ones first.

Slicers see train rows and out-of-sample scores only. What they find is looked at on dev as any declared slice is: so a figure
on dev was not chosen by dev.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import count
from typing import Any

import numpy as np
from scipy.special import ndtr

from tilth.core.arrays import IntVector, Mask, Vector
from tilth.core.errors import NotApplicable
from tilth.core.found_slice import FoundSlice
from tilth.core.ids import digest_of
from tilth.core.names import Split
from tilth.core.progress import Progress
from tilth.core.region import Region
from tilth.core.slice import Slice
from tilth.loop.declared_rows import known_once, near_of
from tilth.loop.evidence import group_codes
from tilth.loop.found import Found
from tilth.loop.held_columns import features_key
from tilth.loop.kept_slices import keep_slices
from tilth.loop.slices import is_judgeable, predicate_rows, slice_rows
from tilth.loop.workshop import Workshop
from tilth.numerics.error_budget import holm
from tilth.numerics.grouped_tests import grouped_gap
from tilth.numerics.region_membership import region_membership
from tilth.operators.protocols import Slicer
from tilth.operators.registry import make, names
from tilth.store.version import Version

__all__ = ["SliceRows", "Sliced", "free_name", "goal_key", "slices_of"]

MOST_FOUND = 6
"""Discovered slices that a run looks at: the surest ones."""
MOST_DOUBTFUL = 0.1
"""Share of false discoveries among those that it looks at."""
SAME = 0.7
"""Overlap (intersection over union) from which two slices are one."""
SIGNIFICANT = 0.05
MOST_AIMS = 2
FEWEST_TRAIN, FEWEST_DEV = 40, 40
"""Rows that a slice needs to be mended, and the mending to be measured."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SliceRows:
    """A slice and how far each row of a version belongs to it.

    Parameters
    ----------
    slice : the group
    membership : (n,) in [0, 1], all rows in storage order; 0 or 1 where the rule is a predicate or a function
    found : what discovered it goes by; None for a declared one
    """

    slice: Slice
    membership: Vector
    found: FoundSlice | None = None
    is_judgeable: bool = True
    """Whether later scores of it can be compared: its rows were not chosen by whether the model is right."""

    @property
    def name(self) -> str:
        """What it is called."""
        return self.slice.name

    @property
    def rows(self) -> Mask:
        """Rows that belong to it at least half."""
        return np.asarray(self.membership >= 0.5)


@dataclass(frozen=True, kw_only=True, eq=False)
class Sliced:
    """All slices of one version, and those that are worst off.

    Parameters
    ----------
    slices : declared ones in their order, then discovered ones, surest first
    aims : names of the slices that cures aim at, worst first
    notes : what a reader must know
    """

    slices: tuple[SliceRows, ...] = ()
    aims: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @cached_property
    def by_name(self) -> Mapping[str, SliceRows]:
        """Name -> slice."""
        return {one.name: one for one in self.slices}

    @cached_property
    def memberships(self) -> dict[str, Vector]:
        """Name -> membership of all rows, what is aimed at first."""
        ordered = [*self.aims, *(one.name for one in self.slices if one.name not in self.aims)]
        return {name: self.by_name[name].membership for name in ordered}


def goal_key(version: str, name: str) -> str:
    """Return the key under which the dev rows of a slice that cures aim at are kept, for the questions that decide them."""
    return digest_of(["goal rows", version, name])


def slices_of(found: Found, progress: Progress) -> Sliced:
    """Return the slices of a run's version; what slicers refuse or break down on is noted in the quarantine."""
    workshop, version = found.workshop, found.version
    known, near = known_once(workshop, version), near_of(workshop, version)
    progress("slice", "declared slices")
    declared, notes = slice_rows(workshop.slices, found.dataset, known, near)
    schema = version.schema
    slices = [
        SliceRows(
            slice=one,
            membership=rows.astype(np.float64) if one.region is None else near(one.region),
            is_judgeable=is_judgeable(one, schema),
        )
        for one, rows in {one.name: (one, rows) for one, rows in declared}.values()  # two `each` may make the same one
    ]
    workshop.evidence(version).sliced = lambda: {one.name: one.membership for one in slices}
    slices += _discovered(found, slices, known, progress)
    keep_slices(workshop, version, slices)
    aims = _aims(workshop, version, slices)
    sliced = Sliced(slices=tuple(slices), aims=aims, notes=tuple(notes))
    workshop.evidence(version).sliced = lambda: sliced.memberships
    return sliced


# -- discovery ---------------------------------------------------------------------------------------------------------


def _discovered(found: Found, declared: Sequence[SliceRows], known: Any, progress: Progress) -> list[SliceRows]:
    """Return what the slicers find, surest first, each group once; what is declared already is left out."""
    evidence = found.workshop.evidence(found.version)
    finds: list[FoundSlice] = []
    for number, name in enumerate(every := names("slicing")):
        progress("slice", name, number, len(every))
        finds += found.quarantine.run(f"discover {name}", partial(_discover, name, evidence)) or ()
    finds = sorted((one for one in finds if one.q_value <= MOST_DOUBTFUL), key=_surest)
    train = evidence.labelled_train()
    taken = [one.rows[train] for one in declared]
    chosen: list[SliceRows] = []
    for one in finds:
        mine = one.membership >= 0.5
        if len(chosen) == MOST_FOUND or any(_overlap(mine, other) >= SAME for other in taken):
            continue
        everywhere = found.quarantine.run(
            f"place slice {one.slice.name}", partial(_everywhere, found, one, train, known)
        )
        if everywhere is not None:
            taken.append(mine)
            judgeable = is_judgeable(one.slice, found.version.schema)
            names_taken = {other.name for other in (*declared, *chosen)}
            own = replace(
                one.slice, name=free_name(one.slice.name, names_taken), region=_placed(found, one.slice.region)
            )
            chosen.append(SliceRows(slice=own, membership=everywhere, found=one, is_judgeable=judgeable))
    return chosen


def free_name(name: str, taken: Collection[str]) -> str:
    """Return a name that no other slice has: two slicers may call different rows the same."""
    tries = (name if number == 1 else f"{name} ({number})" for number in count(1))
    return next(one for one in tries if one not in taken)


def _placed(found: Found, region: Region | None) -> Region | None:
    """Return a region that knows which features it is about."""
    if region is None:
        return None
    return replace(region, features=features_key(found.workshop.columns(found.version)))


def _discover(name: str, evidence: Any) -> Sequence[FoundSlice]:
    slicer: Slicer = make("slicing", name)
    return slicer.discover(evidence.view(slicer))


def _surest(one: FoundSlice) -> tuple[float, float, str]:
    """Order by doubt, then by how many wrong rows a slice explains beyond the average."""
    excess = (one.overall - one.score.value) * float(one.membership.sum())
    return (one.q_value, -excess, one.slice.name)


def _overlap(first: Mask, second: Mask) -> float:
    union = int((first | second).sum())
    return int((first & second).sum()) / union if union else 0.0


def _everywhere(found: Found, one: FoundSlice, train: IntVector, known: Any) -> Vector:
    """Return the membership of all rows: train rows as the slicer says, the others by the slice's rule."""
    if one.slice.region is not None:
        return region_membership(one.slice.region, found.workshop.features(found.version))
    if not one.slice.where:
        raise NotApplicable("its rule says nothing of other rows")
    membership = predicate_rows(one.slice, found.dataset, known).astype(np.float64)
    membership[train] = one.membership
    return membership


# -- what cures aim at -------------------------------------------------------------------------------------------------


def _aims(workshop: Workshop, version: Version, slices: Sequence[SliceRows]) -> tuple[str, ...]:
    """Return the slices that are worse than the rest beyond chance (Holm over all), on train, out of sample; worst first."""
    evidence = workshop.evidence(version)
    train, dev = evidence.labelled_train(), workshop.bench(version).judged(Split.DEV).positions
    usable = [
        one
        for one in slices
        if one.is_judgeable and FEWEST_TRAIN <= one.rows[train].sum() < len(train) and one.rows[dev].sum() >= FEWEST_DEV
    ]
    if not usable or evidence.score is None:
        return ()
    scores = evidence.score(evidence.readable(train), evidence.out_of_sample())
    codes = group_codes(workshop.dataset(version))
    groups = None if codes is None else codes[train]
    gaps = [float(scores[~one.rows[train]].mean() - scores[one.rows[train]].mean()) for one in usable]
    p_values = holm(np.array([_chance(scores, one.rows[train], groups) for one in usable]))
    bad = [(gap, one.name) for gap, p, one in zip(gaps, p_values, usable, strict=True) if p <= SIGNIFICANT]
    return tuple(name for _, name in sorted(bad, key=lambda pair: (-pair[0], pair[1]))[:MOST_AIMS])


def _chance(scores: Vector, inside: Mask, groups: IntVector | None) -> float:
    """Return the chance that some rows are so much worse than the others where they are not; rows of a group count together."""
    parts = [scores[inside], scores[~inside]]
    gap = float(parts[1].mean() - parts[0].mean())
    error = float(np.sqrt(sum(part.var(ddof=1) / len(part) for part in parts if len(part) > 1)))
    alone = float(ndtr(-gap / error)) if error else float(gap <= 0)
    return alone if groups is None else max(alone, grouped_gap(-scores, inside, groups).p_value)
