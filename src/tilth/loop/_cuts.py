"""The arithmetic of cutting rows into splits: units stay whole, class shares come close, time runs forward.

A unit is a set of rows that may not be parted: rows of one group, exact duplicates of one another, and what
these link. A side is the number of a split within one cut; 0 is the oldest, where rare classes stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tilth.core.rng import row_uniforms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from tilth.core.arrays import IntVector, Mask, Vector
    from tilth.core.ids import Digests

__all__ = ["forward_sides", "quantile_bins", "stratified_sides", "unit_ranks", "units_of", "whole_units"]


def units_of(n_rows: int, links: Sequence[IntVector]) -> IntVector:
    """Return (n,) dense unit numbers: rows that share a code in a link, or are chained so, share one."""
    dense = [np.unique(codes, return_inverse=True)[1].astype(np.intp) for codes in links]
    if not dense:
        return np.arange(n_rows)
    if len(dense) == 1:
        return dense[0]
    return _components(n_rows, dense)


def _components(n_rows: int, dense: Sequence[IntVector]) -> IntVector:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n_nodes, ends = n_rows, []
    for codes in dense:
        ends.append(codes + n_nodes)
        n_nodes += len(np.unique(codes))
    starts = np.tile(np.arange(n_rows), len(dense))
    edges = (np.ones(len(starts), dtype=np.int8), (starts, np.concatenate(ends)))
    _, component = connected_components(coo_array(edges, shape=(n_nodes, n_nodes)), directed=False)
    return np.unique(component[:n_rows], return_inverse=True)[1].astype(np.intp)


def unit_ranks(units: IntVector, digests: Digests, seed: int, *step: object) -> IntVector:
    """Return each unit's place (u,) in a random order that the order of rows does not change.

    A unit draws by the least digest of its rows, so that its size does not move its draw.
    """
    by_unit = np.lexsort((digests[:, 1], digests[:, 0], units))
    least = digests[by_unit[_firsts(units[by_unit])]]
    order = np.lexsort((least[:, 1], least[:, 0], row_uniforms(least, seed, *step)))
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    return rank


def _firsts(ordered: NDArray[Any]) -> Mask:
    """Mark the first of each run of equal values."""
    return np.concatenate(([True], ordered[1:] != ordered[:-1]))


def quantile_bins(values: Vector, *, most: int = 10, fewest_rows: int = 10) -> IntVector:
    """Return (n,) numbers of bins of about equal size: ten, or fewer so that each has ten rows."""
    n_bins = max(1, min(most, len(values) // fewest_rows))
    edges = np.quantile(values, np.arange(1, n_bins) / n_bins)
    return np.searchsorted(edges, values, side="right").astype(np.intp)


def forward_sides(times: NDArray[Any], shares: Sequence[float]) -> IntVector | None:
    """Return (n,) sides, oldest first, a moment on one side; None if there are fewer moments than sides."""
    moments, inverse, counts = np.unique(times, return_inverse=True, return_counts=True)
    n_sides, done = len(shares), np.cumsum(counts)
    if len(moments) < n_sides:
        return None
    sides, start = np.zeros(len(moments), dtype=np.intp), 0
    for side, wanted in enumerate(np.cumsum(shares)[:-1] * len(times), start=1):
        room = slice(start, len(moments) - n_sides + side)  # at least one moment for each side
        start += int(np.argmin(np.abs(done[room] - wanted))) + 1
        sides[start:] = side
    return sides[inverse]


def whole_units(sides: IntVector, units: IntVector, digests: Digests, seed: int, *step: object) -> Mask:
    """Return which rows stay so that units are whole: those on the side of one row drawn from each unit."""
    uniforms = row_uniforms(digests, seed, *step)
    by_unit = np.lexsort((digests[:, 1], digests[:, 0], uniforms, units))
    drawn = by_unit[_firsts(units[by_unit])]
    return np.asarray(sides == sides[drawn][units])


def stratified_sides(
    strata: IntVector, units: IntVector, rank: IntVector, shares: Sequence[float], *, keep_rare: bool
) -> IntVector:
    """Return (n,) sides that keep units whole and bring every stratum's shares close to the wanted ones.

    Larger units are placed first, each where it adds least to the chi-square distance from the wanted shares
    (for units of one size this is Webster's apportionment); single rows then fill what is missing. There must
    be at least as many units as sides.

    Parameters
    ----------
    strata : class or bin of each row, 0 … k − 1
    units : unit of each row
    rank : place of each unit in the random order
    shares : wanted share of each side, sum 1
    keep_rare : keep the units of strata that are too rare for every side on side 0, as far as its share goes
    """
    n_strata = int(strata.max()) + 1
    sizes = np.bincount(units)
    rare = _rare_strata(strata, units, shares) & keep_rare
    strata = np.where(rare[strata], n_strata, strata)  # what is rare is shared out together
    kept = _kept_home(np.bincount(units, weights=strata == n_strata) > 0, sizes, rank, shares[0])
    placed = np.where(kept, 0, -1)
    tally = _Tally(np.bincount(strata, minlength=n_strata + 1), shares)
    tally.add(0, enumerate(np.bincount(strata[kept[units]], minlength=n_strata + 1).tolist()))
    larger = np.flatnonzero(~kept & (sizes > 1))
    parts = _parts(units, strata, ~kept & (sizes > 1))
    for unit in larger[np.lexsort((rank[larger], -np.frexp(sizes[larger])[1]))].tolist():
        placed[unit] = tally.best(parts[unit])
        tally.add(int(placed[unit]), parts[unit])
    is_single = (~kept & (sizes == 1))[units]
    _place_single_rows(placed, units[is_single], strata[is_single], rank, tally)
    _fill_empty_sides(placed, sizes, rank, len(shares))
    return placed[units]


def _rare_strata(strata: IntVector, units: IntVector, shares: Sequence[float]) -> Mask:
    """Mark strata with fewer units than sides, or whose least share is nearer to no unit than to one."""
    pairs = np.unique(strata * (units.max() + 1) + units)
    n_units = np.bincount(pairs // (units.max() + 1))
    return np.asarray((n_units < len(shares)) | (n_units * min(shares) < 0.5))


def _kept_home(rare: Mask, sizes: IntVector, rank: IntVector, share: float) -> Mask:
    """Mark the units with rare rows that stay on side 0: all, or as many as its share has room for."""
    order = np.flatnonzero(rare)[np.argsort(rank[rare])]
    fits = np.cumsum(sizes[order]) <= share * sizes.sum()
    kept = np.zeros(len(sizes), dtype=bool)
    kept[order[fits]] = True
    return kept


def _parts(units: IntVector, strata: IntVector, wanted: Mask) -> dict[int, list[tuple[int, int]]]:
    """List for each wanted unit the strata of its rows with their counts."""
    rows, n_strata = wanted[units], int(strata.max()) + 1
    codes, counts = np.unique(units[rows] * n_strata + strata[rows], return_counts=True)
    parts: dict[int, list[tuple[int, int]]] = {}
    for code, count in zip(codes.tolist(), counts.tolist(), strict=True):
        unit, stratum = divmod(code, n_strata)
        parts.setdefault(unit, []).append((stratum, count))
    return parts


class _Tally:
    """How many rows of each stratum stand on each side so far, against how many there should be."""

    def __init__(self, totals: IntVector, shares: Sequence[float]) -> None:
        self.totals = totals.tolist()
        self.shares = list(shares)
        self.placed = [[0] * len(self.totals) for _ in shares]
        self.rows = [0] * len(self.shares)
        self.n_rows = int(totals.sum())

    def best(self, parts: Iterable[tuple[int, int]]) -> int:
        """Return the side where the rows add least chi-square distance, over strata and over all rows."""
        parts = list(parts)
        size = sum(count for _, count in parts)
        costs: list[float] = []
        for placed, rows, share in zip(self.placed, self.rows, self.shares, strict=True):
            cost = size * (2 * rows + size) / self.n_rows
            cost += sum(count * (2 * placed[s] + count) / self.totals[s] for s, count in parts)
            costs.append(cost / share)
        return costs.index(min(costs))

    def add(self, side: int, parts: Iterable[tuple[int, int]]) -> None:
        """Count rows on a side."""
        for stratum, count in parts:
            self.placed[side][stratum] += count
            self.rows[side] += count

    def seats(self, stratum: int, n_rows: int) -> list[int]:
        """Return how many of n single rows of a stratum each side gets, and count them."""
        total = self.totals[stratum]
        held = [placed[stratum] for placed in self.placed]
        missing = [max(0.0, share * total - h) for share, h in zip(self.shares, held, strict=True)]
        scale = n_rows / sum(missing)
        seats = [int(m * scale + 1e-9) for m in missing]
        for side, share in enumerate(self.shares):
            if held[side] + seats[side] == 0 and share * total >= 0.5:
                _seat_one(side, seats, held, n_rows)
        for side, count in enumerate(seats):
            self.add(side, [(stratum, count)])
        for _ in range(n_rows - sum(seats)):
            side = self.best([(stratum, 1)])
            self.add(side, [(stratum, 1)])
            seats[side] += 1
        return seats


def _seat_one(side: int, seats: list[int], held: list[int], n_rows: int) -> None:
    """Give an empty side one row: a row left over, or one of the side that has most and keeps another."""
    if sum(seats) < n_rows:
        seats[side] += 1
        return
    donor = seats.index(max(seats))
    if seats[donor] > 0 and seats[donor] + held[donor] > 1:
        seats[donor] -= 1
        seats[side] += 1


def _place_single_rows(placed: IntVector, single: IntVector, strata: IntVector, rank: IntVector, tally: _Tally) -> None:
    """Place units of one row, stratum by stratum in their random order, where shares are missing."""
    order = np.lexsort((rank[single], strata))
    single, strata = single[order], strata[order]
    present, starts = np.unique(strata, return_index=True)
    for stratum, chosen in zip(present.tolist(), np.split(single, starts[1:]), strict=False):
        seats = tally.seats(stratum, len(chosen))
        placed[chosen] = np.repeat(np.arange(len(seats)), seats)


def _fill_empty_sides(placed: IntVector, sizes: IntVector, rank: IntVector, n_sides: int) -> None:
    """Give a side that stayed empty the smallest unit of the side with most units."""
    for side in range(n_sides):
        counts = np.bincount(placed, minlength=n_sides)
        if counts[side] == 0:
            donors = np.flatnonzero(placed == np.argmax(counts))
            placed[donors[np.lexsort((rank[donors], sizes[donors]))[0]]] = side
