"""Carry labels from one version of the label set to another: what stays one class, what several classes may be.

    state_0 = {label};   state_t+1 = union over classes c in state_t of what c may mean after migration t

Renames and merges keep one class. A split, a new class that hid in others, a new guideline or a retired class leave a set, unless a
rule says which. A label that may mean any class says nothing, and is none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import IntVector, Mask, Matrix
from tilth.core.migration import OTHERWISE, Change, Migration
from tilth.core.taxonomy import Taxonomy

__all__ = ["Matches", "MovedLabels", "earlier_name", "move_labels", "moved_mass", "names_between"]

Matches = Callable[[str], Mask]
"""Gives the (n,) rows for which an SQL predicate holds."""
_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, eq=False)
class MovedLabels:
    """Labels of n rows in another version of the label set.

    Parameters
    ----------
    labels : (n,) class names; null where there is none, or several are possible
    open : (m,) rows for which several classes are possible, but not all, ascending
    sets : (m, k) the classes that are possible for these rows
    by_rule : (n,) number in `rules` of the rule that settled the row last, -1 where none did
    rules : (version, class) that each rule belongs to
    torn : rows that two rules of one split claim: they stay open
    """

    labels: pa.Array
    open: IntVector
    sets: Mask
    by_rule: IntVector
    rules: tuple[tuple[int, str], ...]
    torn: int

    def targets(self) -> Matrix:
        """Return (m, k) even shares over the possible classes of the open rows."""
        return np.asarray(self.sets / np.maximum(self.sets.sum(axis=1, keepdims=True), 1), dtype=np.float64)


def move_labels(
    labels: pa.Array | pa.ChunkedArray,
    taxonomy: Taxonomy,
    matches: Matches,
    *,
    since: int | None = None,
    by_rules: bool = True,
) -> MovedLabels:
    """Return labels in the newest version of a taxonomy.

    Parameters
    ----------
    labels : (n,) class names, null for none; names that no version has are no labels
    taxonomy : the versions
    matches : evaluates the rules over the n rows
    since : the version in which the labels are; None reads each name in the earliest version that has it
    by_rules : whether rules decide; without them a class that was split stays open, whatever `otherwise` says
    """
    moving = _Moving(labels, taxonomy, matches, since, by_rules=by_rules)
    for number in range(since or 1, taxonomy.version):
        moving.enter(number)
        moving.step(number + 1)
    moving.enter(taxonomy.version)
    return moving.result()


def moved_mass(taxonomy: Taxonomy, since: int) -> Matrix:
    """Return the (k_before, k_after) shares in which a class's probability goes to the classes that it may mean, without rules."""
    names = taxonomy.names_of(since)
    nowhere = np.zeros(len(names), dtype=bool)
    moved = move_labels(pa.array(names, pa.string()), taxonomy, lambda _: nowhere, since=since, by_rules=False)
    shares = np.full((len(names), len(taxonomy.names)), 1.0 / len(taxonomy.names))
    kept = np.flatnonzero(np.asarray(moved.labels.is_valid()))
    at = {name: number for number, name in enumerate(taxonomy.names)}
    shares[kept] = np.eye(len(at))[[at[moved.labels[row].as_py()] for row in kept]]
    shares[moved.open] = moved.targets()
    return shares


def names_between(before: Taxonomy, after: Taxonomy) -> dict[str, str]:
    """Return for each class of one taxonomy the one class that it is in another; classes that may be several, or none, are left out."""
    common = before.common_with(after)
    if not common:
        return {name: name for name in before.names if name in after.names}
    former = [earlier_name(before, name, common) for name in before.names]
    nowhere = np.zeros(len(former), dtype=bool)
    moved = move_labels(pa.array(former, pa.string()), after, lambda _: nowhere, since=common, by_rules=False)
    pairs = zip(before.names, moved.labels.to_pylist(), strict=True)
    return {name: now for name, now in pairs if now is not None}


def earlier_name(taxonomy: Taxonomy, name: str, version: int) -> str | None:
    """Return the one class of an earlier version that a class of today was, None where there were several, or none."""
    names = {name}
    for number in range(taxonomy.version, version, -1):
        before, after = taxonomy.names_of(number - 1), taxonomy.names_of(number)
        migration = taxonomy.migrations[number - 2]
        names = {one for one in before if migration.image(one, after) & names and not _only_hid(migration, one, names)}
    return next(iter(names)) if len(names) == 1 else None


def _only_hid(migration: Migration, name: str, after: set[str]) -> bool:
    """Whether a class goes by its own name afterwards, and only may have hidden the classes in question."""
    return migration.change in (Change.ADD, Change.REDEFINE) and name not in after


class _Moving:
    """Rows on their way: each has the number of its set of possible classes."""

    def __init__(
        self,
        labels: pa.Array | pa.ChunkedArray,
        taxonomy: Taxonomy,
        matches: Matches,
        since: int | None,
        *,
        by_rules: bool,
    ) -> None:
        self._taxonomy, self._matches, self._since, self._rules_decide = taxonomy, matches, since, by_rules
        column = labels.combine_chunks() if isinstance(labels, pa.ChunkedArray) else labels
        coded = column.cast(pa.string()).dictionary_encode()
        self._names: list[str] = coded.dictionary.to_pylist()
        self._codes = np.asarray(pc.fill_null(coded.indices, -1)).astype(np.intp)
        self._sets: list[frozenset[str]] = [_NONE]
        self._state = np.zeros(len(column), dtype=np.intp)
        self._by_rule = np.full(len(column), -1, dtype=np.intp)
        self._rules: list[tuple[int, str]] = []
        self._torn = 0

    def enter(self, number: int) -> None:
        """Let in the labels whose names are read in this version."""
        known = set(self._taxonomy.names_of(number))
        for code, name in enumerate(self._names):
            if name in known and number == (self._since or self._taxonomy.first_version_of(name)):
                self._state[self._codes == code] = self._number(frozenset((name,)))

    def step(self, number: int) -> None:
        """Make the migration that leads to a version."""
        migration, after = self._taxonomy.migrations[number - 2], self._taxonomy.names_of(number)
        images = [frozenset[str]().union(*(migration.image(name, after) for name in one)) for one in self._sets]
        chosen = self._chosen(migration, number)
        before, all_of_them = self._state.copy(), frozenset(after)
        for state in np.unique(before):
            rows = before == state
            self._state[rows] = self._number(_NONE if images[state] == all_of_them else images[state])
            for keep, rule, hits in chosen:
                mine = rows & hits
                if self._sets[state] & set(migration.classes) and mine.any():
                    left = self._sets[state] - set(migration.classes) if rule >= 0 else self._sets[state]
                    self._state[mine] = self._number(left | keep)
                    self._by_rule[mine] = rule if rule >= 0 else self._by_rule[mine]

    def _chosen(self, migration: Migration, number: int) -> list[tuple[frozenset[str], int, Mask]]:
        """Return (classes, number of the rule, rows) of what rules decide; -1 where rows keep what they have."""
        about = np.array([not one.isdisjoint(migration.classes) for one in self._sets])[self._state]
        if not about.any():
            return []
        if migration.change is Change.REDEFINE and migration.where:
            return [(_NONE, -1, about & ~self._matches(migration.where))]
        if not migration.rules or not self._rules_decide:
            return []
        hits = {name: about & self._matches(rule) for name, rule in migration.rules.items() if rule != OTHERWISE}
        claims = np.sum(list(hits.values()), axis=0) if hits else np.zeros(len(about), dtype=np.intp)
        self._torn += int((claims > 1).sum())
        hits = {name: mask & (claims == 1) for name, mask in hits.items()}
        rest = next((name for name, rule in migration.rules.items() if rule == OTHERWISE), None)
        if rest is not None:
            hits[rest] = about & (claims == 0)
        start = len(self._rules)
        self._rules += [(number, name) for name in hits]
        return [(frozenset((name,)), start + at, mask) for at, (name, mask) in enumerate(hits.items())]

    def _number(self, names: frozenset[str]) -> int:
        if names not in self._sets:
            self._sets.append(names)
        return self._sets.index(names)

    def result(self) -> MovedLabels:
        """Return where the rows stand."""
        names = self._taxonomy.names
        single = [next(iter(one)) if len(one) == 1 else None for one in self._sets]
        is_open = np.array([len(one) > 1 for one in self._sets])[self._state]
        table = np.array([[name in one for name in names] for one in self._sets])
        rows = np.flatnonzero(is_open)
        return MovedLabels(
            labels=pa.array(single, pa.string()).take(pa.array(self._state)),
            open=rows,
            sets=table[self._state[rows]],
            by_rule=self._by_rule,
            rules=tuple(self._rules),
            torn=self._torn,
        )
