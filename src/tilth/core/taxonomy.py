"""Taxonomy: the label set in all its versions, and migrations from one to the next.

Version 1 is the set in which the source is labelled; each migration makes the next one. A class keeps its id through a
rename; classes that come out of a merge, a split or a new definition have ids of their own. A label is read in the earliest
version that has its name: where `car` was split into `car` and `van`, `car` in the source means both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tilth.core.errors import TaxonomyError, did_you_mean, first_three
from tilth.core.migration import OTHERWISE, Change, Migration

__all__ = ["LabelClass", "Taxonomy"]

FEWEST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelClass:
    """One class: its id, its name, the version that made it, and the ids of the classes that it was made of."""

    id: str
    name: str
    since: int = 1
    origin: tuple[str, ...] = ()


@dataclass(frozen=True)
class Taxonomy:
    """The label set of a source, and the migrations that led to the one of today.

    Parameters
    ----------
    first : class names of version 1, in their order
    migrations : oldest first

    Raises
    ------
    TaxonomyError
        A migration names a class that there is not then, brings a name that is taken, or leaves fewer than two classes.
    """

    first: tuple[str, ...]
    migrations: tuple[Migration, ...] = ()

    def __post_init__(self) -> None:
        """Refuse migrations that do not fit: making the versions checks each step."""
        self.names_of(self.version)

    @property
    def version(self) -> int:
        """The number of the label set of today: 1 where nothing was migrated."""
        return 1 + len(self.migrations)

    @property
    def classes(self) -> tuple[LabelClass, ...]:
        """The classes of today, in their order."""
        return self._versions[-1]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the classes of today, in their order."""
        return self.names_of(self.version)

    def names_of(self, version: int) -> tuple[str, ...]:
        """Return the names of the classes of one version, in their order."""
        return tuple(one.name for one in self._versions[version - 1])

    @cached_property
    def every_name(self) -> tuple[str, ...]:
        """Names of all versions, each once, the earliest first."""
        return tuple(dict.fromkeys(one.name for version in self._versions for one in version))

    def first_version_of(self, name: str) -> int:
        """Return the earliest version that has a class of this name; raises TaxonomyError where none has."""
        for number in range(1, self.version + 1):
            if name in self.names_of(number):
                return number
        raise TaxonomyError(f"no version of the label set has a class {name!r}.{did_you_mean(name, self.every_name)}")

    def meanings_of(self, name: str) -> tuple[str, ...]:
        """Return the classes of today that a name may mean where nothing else is known, by the latest version that has it.

        Rules of splits need a row, and decide nothing here; raises TaxonomyError for a name that no version has.
        """
        first = self.first_version_of(name)
        latest = max(number for number in range(first, self.version + 1) if name in self.names_of(number))
        meant = {name}
        for number in range(latest, self.version):
            migration, after = self.migrations[number - 1], self.names_of(number + 1)
            meant = {one for earlier in meant for one in migration.image(earlier, after)}
        return tuple(one for one in self.names if one in meant)

    def migrated(self, migration: Migration) -> Taxonomy:
        """Return the taxonomy with one more migration; raises TaxonomyError where it does not fit."""
        return Taxonomy(self.first, (*self.migrations, migration))

    def common_with(self, other: Taxonomy) -> int:
        """Return the last version up to which two taxonomies are one; 0 where they begin differently."""
        if self.first != other.first:
            return 0
        pairs = zip(self.migrations, other.migrations, strict=False)
        return 1 + next((at for at, (mine, theirs) in enumerate(pairs) if mine != theirs), self._shorter(other))

    def _shorter(self, other: Taxonomy) -> int:
        return min(len(self.migrations), len(other.migrations))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"classes": list(self.first), "migrations": [one.to_dict() for one in self.migrations]}

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Taxonomy:
        """Build a taxonomy from what `to_dict` gave."""
        return cls(tuple(facts["classes"]), tuple(Migration.from_dict(one) for one in facts["migrations"]))

    @cached_property
    def _versions(self) -> tuple[tuple[LabelClass, ...], ...]:
        start = tuple(LabelClass(id=f"c{at}", name=name) for at, name in enumerate(self.first, 1))
        versions, made = [start], len(start)
        for number, migration in enumerate(self.migrations, 2):
            _refuse_misfit(migration, [one.name for one in versions[-1]])
            versions.append(_next(versions[-1], migration, number, made))
            made += sum(one.since == number for one in versions[-1])
            if len(versions[-1]) < FEWEST:
                raise TaxonomyError(
                    f"{migration} leaves {len(versions[-1])} class", next_step="keep two classes or more"
                )
        return tuple(versions)


def _next(before: tuple[LabelClass, ...], migration: Migration, number: int, made: int) -> tuple[LabelClass, ...]:
    """Return the classes after a migration: new ones stand where the first of those stood that they are made of."""
    about = [one for one in before if one.name in migration.classes]
    if migration.change is Change.RENAME:
        renamed = LabelClass(id=about[0].id, name=migration.into[0], since=about[0].since, origin=about[0].origin)
        return tuple(renamed if one is about[0] else one for one in before)
    if migration.change is Change.RETIRE:
        return tuple(one for one in before if one not in about)
    origin = tuple(one.id for one in about)
    names = migration.classes[:1] if migration.change is Change.REDEFINE else migration.into
    fresh = [LabelClass(id=f"c{made + at}", name=name, since=number, origin=origin) for at, name in enumerate(names, 1)]
    if migration.change is Change.ADD:
        return (*before, *fresh)
    gone = [one for one in about if one.name in names] if migration.change is Change.REDEFINE else about
    place = before.index(gone[0])
    return (*(one for one in before[:place] if one not in gone), *fresh, *(o for o in before[place:] if o not in gone))


def _refuse_misfit(migration: Migration, before: list[str]) -> None:
    """Raise TaxonomyError where a migration cannot be made on these classes."""
    for name in migration.classes:
        if name not in before:
            raise TaxonomyError(
                f"cannot {migration}: there is no class {name!r} then.{did_you_mean(name, before)}",
                next_step=f"the classes are {first_three(before)}",
            )
    _refuse_repeats(migration)
    wanted = _COUNTS[migration.change]
    if not wanted[0] <= len(migration.classes) or not wanted[1] <= len(migration.into) <= wanted[2]:
        raise TaxonomyError(f"cannot {migration}: {wanted[3]}")
    left = [name for name in before if name not in migration.classes]
    if migration.change is Change.RETIRE:
        _refuse_unknown_heirs(migration, left)
    else:
        taken = left if migration.change is not Change.ADD else before
        _refuse_taken(migration, taken)
    _refuse_rules(migration)


_MANY = 1_000_000
_COUNTS = {
    Change.RENAME: (1, 1, 1, "name one class, and one new name"),
    Change.MERGE: (2, 1, 1, "name two classes or more, and one that they become"),
    Change.SPLIT: (1, 2, _MANY, "name one class, and two or more that it becomes"),
    Change.ADD: (0, 1, 1, "name one new class"),
    Change.RETIRE: (1, 0, _MANY, "name one class"),
    Change.REDEFINE: (1, 0, 0, "name one class"),
}
"""Fewest classes before, fewest and most after, and what to do."""


def _refuse_repeats(migration: Migration) -> None:
    for names in (migration.classes, migration.into):
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise TaxonomyError(f"cannot {migration}: {twice!r} is named twice", next_step="name it once")


def _refuse_unknown_heirs(migration: Migration, left: list[str]) -> None:
    for name in migration.into:
        if name not in left:
            raise TaxonomyError(
                f"cannot {migration}: {name!r} is no class that is left.{did_you_mean(name, left)}",
                next_step="add the class first, or name one of the others",
            )


def _refuse_taken(migration: Migration, taken: list[str]) -> None:
    for name in migration.into:
        if name in taken:
            then = f"tilth taxonomy merge {name} … makes one of them" if migration.change is not Change.ADD else ""
            raise TaxonomyError(f"cannot {migration}: {name!r} is a class already", next_step=then)
        if not name.strip() or name != name.strip():
            raise TaxonomyError(f"cannot {migration}: {name!r} is no name for a class")
    if migration.change is Change.RENAME and migration.classes == migration.into:
        raise TaxonomyError(f"cannot {migration}: it is called so already")


def _refuse_rules(migration: Migration) -> None:
    for name in migration.rules:
        if name not in migration.into:
            raise TaxonomyError(
                f"cannot {migration}: there is a rule for {name!r}, which it does not make"
                f".{did_you_mean(name, migration.into)}"
            )
    if list(migration.rules.values()).count(OTHERWISE) > 1:
        raise TaxonomyError(f"cannot {migration}: two rules say {OTHERWISE!r}", next_step="leave one of them")
    if migration.change is Change.REDEFINE and not migration.guideline:
        raise TaxonomyError(f"cannot {migration}: no guideline is named", next_step="say its version: --guideline 2")
