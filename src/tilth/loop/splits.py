"""Where each row stands: train learns, dev chooses, test is sealed, pool waits for labels.

Splits that are given are respected; what is missing is cut from what is there:

    given           cut                          into
    nothing         all rows                     train, dev, test by their shares (60 / 20 / 20)
    train, test     train                        train, dev by their shares
    train, dev      dev if it has 800 rows,      dev, test in halves
                    else train                   train, test by their shares
    dev, test       dev                          train, dev by their shares, with a warning
    one of them     that one                     train, dev, test by their shares, with a warning

A cut keeps groups and exact duplicates whole. It runs forward in time where the plan names a time, else it is
stratified by class (by quantile for numbers). It depends on seed and row ids, not on the order of rows.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tilth.core.errors import SplitError, first_three
from tilth.core.names import Split
from tilth.loop._cuts import forward_sides, quantile_bins, stratified_sides, unit_ranks, units_of, whole_units
from tilth.loop._split_plan import JUDGED, ROW_ORDER, Shares, SplitPlan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tilth.core.arrays import IntVector, Mask, Vector
    from tilth.core.ids import Digests

    SplitVector = NDArray[np.str_]

__all__ = ["ROW_ORDER", "Assignment", "Shares", "SplitPlan", "SplitRows", "assign"]

ENOUGH_DEV_ROWS = 800
FEWEST_ROWS = 10
WIDE = 0.05
"""A share that misses its mark by more than this is reported."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SplitRows:
    """What a split is decided by; (n,) each, in one order of rows.

    Parameters
    ----------
    digests : (n, 2) digests of row ids, each row its own
    labelled : rows that have a label
    given : the name of each row's split in the source (None where it has none), or None if none is named
    classes : class numbers for classification; not read at rows without a label
    numbers : labels for regression; not read at rows without a label
    class_names : names of the classes, for the notes
    groups : group codes, or None
    grouped : rows that have a group; None for all
    duplicates : codes that exact duplicates share, or None
    time : numbers or datetime64, NaN / NaT where unknown; None only if the plan has no time, or ROW_ORDER
    """

    digests: Digests
    labelled: Mask
    given: Sequence[str | None] | None = None
    classes: IntVector | None = None
    numbers: Vector | None = None
    class_names: Sequence[str] = ()
    groups: IntVector | None = None
    grouped: Mask | None = None
    duplicates: IntVector | None = None
    time: NDArray[Any] | None = None

    def units(self, chosen: IntVector) -> IntVector:
        """Return which of the chosen rows belong together; a row without a group is a group of its own."""
        links = [] if self.duplicates is None else [self.duplicates[chosen]]
        if self.groups is not None:
            codes = np.unique(self.groups, return_inverse=True)[1]
            if self.grouped is not None:
                codes = np.where(self.grouped, codes, len(codes) + np.arange(len(codes)))
            links.append(codes[chosen])
        return units_of(len(chosen), links)

    def strata(self, chosen: IntVector) -> IntVector:
        """Return the class of the chosen rows, the bin of their number, or one stratum for all."""
        if self.numbers is not None:
            return quantile_bins(self.numbers[chosen])
        if self.classes is not None:
            return np.unique(self.classes[chosen], return_inverse=True)[1].astype(np.intp)
        return np.zeros(len(chosen), dtype=np.intp)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Assignment:
    """The split of each row, (n,) str; notes for the reader; classes that miss in train, dev or test."""

    splits: SplitVector
    notes: list[str]
    rare_classes: tuple[int, ...] = ()


class _Cut(NamedTuple):
    """Rows of `source` (None: rows that name no split) go to `sides`, oldest first."""

    source: Split | None
    sides: tuple[Split, ...]
    shares: tuple[float, ...]
    why: str

    @property
    def into(self) -> str:
        """The sides in words: "train, dev and test"."""
        return f"{', '.join(self.sides[:-1])} and {self.sides[-1]}"

    @property
    def where(self) -> str:
        """What is cut, in words."""
        return str(self.source or "the source")


def assign(rows: SplitRows, plan: SplitPlan, seed: int) -> Assignment:
    """Return the split of every row; raises SplitError where too few rows or groups are left to cut.

    Rows without a label join the pool wherever they stand. The same rows, plan and seed give the same splits
    in any order of rows, unless that order is the time. Cost: O(n log n) time, O(n) memory.
    """
    splits, notes = _named(rows, plan)
    notes += _unlabelled(rows, splits)
    splits[~rows.labelled] = Split.POOL
    _refuse_nothing_to_learn_from(rows, splits)
    cut = _missing(splits, plan)
    if cut is not None:
        notes += [cut.why, *_carry_out(cut, rows, plan, seed, splits)]
    rare = _absent_classes(rows, splits)
    return Assignment(splits=splits, notes=notes + _rare_note(rows, splits, rare), rare_classes=rare)


def _named(rows: SplitRows, plan: SplitPlan) -> tuple[SplitVector, list[str]]:
    """Return what the source says of each row ("" if it names no splits), and notes on names without one."""
    if rows.given is None:
        return np.zeros(len(rows.labelled), dtype="<U6"), []
    counts = Counter(rows.given)
    meant = {name: None if name is None else plan.split_of(name) for name in counts}
    notes = [
        f"{n:,} rows of {f'split {name!r}' if name is not None else 'no named split'} are unused; "
        "to use them, say what the name means under splits: names: in tilth.yaml"
        for name, n in sorted(counts.items(), key=str)
        if meant[name] is None
    ]
    return np.array([meant[name] or Split.UNUSED for name in rows.given], dtype="<U6"), notes


def _unlabelled(rows: SplitRows, splits: SplitVector) -> list[str]:
    """Say how many given dev and test rows cannot be scored."""
    counts = {split: int(np.sum(~rows.labelled & (splits == split))) for split in (Split.DEV, Split.TEST)}
    return [
        f"{n:,} rows of {split} have no label: they join the pool and are not scored"
        for split, n in counts.items()
        if n
    ]


def _refuse_nothing_to_learn_from(rows: SplitRows, splits: SplitVector) -> None:
    if not rows.labelled.any():
        raise SplitError("no row has a label", next_step=f"give labels to at least {FEWEST_ROWS} rows")
    if not np.isin(splits, (*JUDGED, "")).any():
        names = first_three(sorted({repr(name) for name in rows.given or () if name is not None}))
        raise SplitError(
            f"no row with a label stands in train, dev or test; the source names {names or 'none'}",
            next_step="say in tilth.yaml what the names mean, for example splits: {names: {NAME: train}}",
        )


def _missing(splits: SplitVector, plan: SplitPlan) -> _Cut | None:
    """Return the cut that supplies the missing splits, or None if train, dev and test are there."""
    train, dev, test = JUDGED
    have = [split for split in JUDGED if np.any(splits == split)]
    n_dev = int(np.sum(splits == dev))
    if len(have) == len(JUDGED):
        return None
    if have == [train, dev] and n_dev >= ENOUGH_DEV_ROWS:
        why = f"no test split was given: half of the {n_dev:,} rows of dev become test"
        return _Cut(dev, (dev, test), (0.5, 0.5), why)
    if len(have) == 2:
        lost = next(split for split in JUDGED if split not in have)
        source, sides = dev if lost is train else train, (train, test if lost is test else dev)
        return _shared(source, sides, plan, f"no {lost} split was given: it is cut from {source}")
    given = have[0] if have else None
    why = f"only a {given} split was given: its" if given else "no splits were given: the"
    return _shared(given, JUDGED, plan, f"{why} rows are cut into train, dev and test")


def _shared(source: Split | None, sides: tuple[Split, ...], plan: SplitPlan, why: str) -> _Cut:
    shares = [share for split, share in zip(JUDGED, plan.shares, strict=True) if split in sides]
    return _Cut(source, sides, tuple(share / sum(shares) for share in shares), why)


def _carry_out(cut: _Cut, rows: SplitRows, plan: SplitPlan, seed: int, splits: SplitVector) -> list[str]:
    """Write the cut into `splits` (the array of `assign`) and return what is to be said of it."""
    chosen = np.flatnonzero(splits == (cut.source or ""))
    if len(chosen) < FEWEST_ROWS:
        raise SplitError(
            f"{len(chosen)} rows with a label are too few to be cut into {cut.into}",
            where=cut.where,
            next_step=f"label at least {FEWEST_ROWS} rows, or name train, dev and test in the source",
        )
    if plan.time is not None:
        return _cut_by_time(cut, rows, chosen, plan.time, seed, splits)
    units = rows.units(chosen)
    n_units = int(units.max()) + 1
    if n_units < len(cut.sides):
        tied = "groups" if rows.groups is not None else "different rows"
        raise SplitError(
            f"too few {tied} ({n_units}) to fill {cut.into}: groups and exact duplicates are never parted",
            where=cut.where,
            next_step="name another group column or none, or name train, dev and test in the source",
        )
    ranks = unit_ranks(units, rows.digests[chosen], seed, "split", *cut.sides)
    keep_rare = rows.classes is not None
    sides = stratified_sides(rows.strata(chosen), units, ranks, cut.shares, keep_rare=keep_rare)
    splits[chosen] = np.array(cut.sides)[sides]
    return _missed_shares(cut, sides, units)


def _missed_shares(cut: _Cut, sides: IntVector, units: IntVector) -> list[str]:
    """Say where whole groups and duplicates did not let the shares come close."""
    got = np.bincount(sides, minlength=len(cut.sides)) / len(sides)
    missed = [
        f"{name} holds {share:.0%} of the rows cut, not {wanted:.0%}"
        for name, share, wanted in zip(cut.sides, got, cut.shares, strict=True)
        if abs(share - wanted) > WIDE
    ]
    largest = int(np.bincount(units).max())
    reason = f": the largest set of rows that belong together has {largest:,}" if largest > 1 else ""
    return [f"{', '.join(missed)}{reason}"] if missed else []


def _cut_by_time(cut: _Cut, rows: SplitRows, chosen: IntVector, time: str, seed: int, splits: SplitVector) -> list[str]:
    times = np.arange(len(splits)) if rows.time is None and time == ROW_ORDER else rows.time
    assert times is not None, "a plan that names a time column comes with its values"
    known = ~(np.isnat(times[chosen]) if times.dtype.kind in "mM" else np.isnan(times[chosen]))
    placeable = chosen[known]
    sides = forward_sides(times[placeable], cut.shares)
    if sides is None:
        raise SplitError(
            f"too few different times to be cut into {cut.into}",
            where=f"time {time}",
            next_step="name a finer time column, or none",
        )
    stays = whole_units(sides, rows.units(placeable), rows.digests[placeable], seed, "split", *cut.sides)
    splits[chosen] = Split.UNUSED
    splits[placeable[stays]] = np.array(cut.sides)[sides[stays]]
    if len(np.unique(sides[stays])) < len(cut.sides):
        raise SplitError(
            f"{cut.into} cannot all be filled forward in time while groups and exact duplicates stay whole",
            where=f"time {time}",
            next_step="name a group column or a time column, not both",
        )
    return _left_out(time, int(np.sum(~known)), int(np.sum(~stays)))


def _left_out(time: str, n_unknown: int, n_parted: int) -> list[str]:
    notes = []
    if n_unknown:
        notes.append(f"{n_unknown:,} rows are unused: their {time} is not known")
    if n_parted:
        what = "rows of their group, or exact duplicates of them, stand on another side in time"
        notes.append(f"{n_parted:,} rows are unused: {what}")
    return notes


def _absent_classes(rows: SplitRows, splits: SplitVector) -> tuple[int, ...]:
    """Return the classes that stand in one of train, dev and test but not in each, in order."""
    if rows.classes is None:
        return ()
    seen = [set(rows.classes[splits == split].tolist()) for split in JUDGED]
    return tuple(sorted(set.union(*seen) - set.intersection(*seen)))


def _rare_note(rows: SplitRows, splits: SplitVector, rare: tuple[int, ...]) -> list[str]:
    if rows.classes is None or not rare:
        return []
    counts = Counter(rows.classes[np.isin(splits, JUDGED)].tolist())
    named = first_three(
        f"{rows.class_names[code] if rows.class_names else code} ({counts[code]:,} rows)" for code in rare
    )
    return [f"not in each of train, dev and test, and so left out of guards: class {named}"]
