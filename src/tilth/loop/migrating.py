"""Migrations of the label set: what one would do, making it, taking the last one back, and where the label set stands.

A migration is a line of tilth.yaml. Making one writes the line and reads the source again, whose labels go through all
lines; the recipe is replayed with its labels carried over. So a migration is versioned, diffed and replayed like the data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import Mask
from tilth.core.errors import ConfigError, UsageError
from tilth.core.migration import Migration
from tilth.core.migration_plan import SECONDS_PER_ANSWER, MigrationPlan, RuleCheck, TaxonomyState
from tilth.core.moving_labels import MovedLabels, move_labels
from tilth.core.names import SPLIT, TRUSTED, Split
from tilth.core.progress import Progress, silent
from tilth.core.taxonomy import Taxonomy
from tilth.loop._migration_lines import with_migration, without_last_migration
from tilth.loop.frames import trusted_of
from tilth.loop.locations import FILE, writing
from tilth.loop.moving import open_sets, rules_over
from tilth.loop.project_file import ProjectFile, parse
from tilth.loop.reading import read_source
from tilth.numerics.intervals import wilson
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["migrate", "plan_of", "rule_checks", "state_of", "take_back"]

LONGEST_ANSWER = 600.0
"""Seconds beyond which an answer is taken for a break."""


def plan_of(file: ProjectFile, repository: Repository, version: Version, migration: Migration) -> MigrationPlan:
    """Return what a migration would do to the labels of a version; nothing is changed.

    Raises
    ------
    UsageError : the label is a number
    TaxonomyError : the migration does not fit the classes
    ConfigError : a rule is no SQL, or names a column that there is not
    """
    _refuse_numbers(file)
    taxonomy = file.taxonomy.migrated(migration)
    dataset, label = repository.dataset(version), version.schema.task.label
    table = dataset.read()
    moved = move_labels(table.column(label), taxonomy, rules_over(table), since=file.taxonomy.version)
    labelled = np.asarray(pc.is_in(table.column(label), value_set=pa.array(file.taxonomy.names)))
    settled = labelled & np.asarray(moved.labels.is_valid())
    by_rule = settled & (moved.by_rule >= 0)
    is_open = np.zeros(len(labelled), dtype=bool)
    is_open[moved.open] = True
    lost = labelled & ~settled & ~is_open
    splits = np.asarray(table.column(SPLIT).to_pylist(), dtype="<U6")
    return MigrationPlan(
        said=str(migration),
        taxonomy=taxonomy.version,
        classes=taxonomy.names,
        before=version.version,
        after="",
        rows=int(labelled.sum()),
        kept=int((settled & ~by_rule).sum()),
        by_rule=_counted_rules(moved, by_rule),
        torn=moved.torn,
        opened=_by_split(splits, is_open),
        dropped=_by_split(splits, lost),
        trusted=int(((is_open | lost) & trusted_of(table)).sum()),
        seconds=seconds_per_answer(repository),
        notes=tuple(_notes(moved)),
    )


def migrate(
    folder: Path,
    file: ProjectFile,
    repository: Repository,
    migration: Migration,
    *,
    dry_run: bool = False,
    cut: bool = True,
    progress: Progress = silent,
) -> tuple[MigrationPlan, ProjectFile]:
    """Make a migration, or say what it would do; the caller holds the lease. Returns the project file as it is afterwards."""
    version, _ = read_source(repository, file, folder, progress, cut=cut)
    plan = plan_of(file, repository, version, migration)
    if dry_run:
        return plan, file
    return _rewritten(folder, file, repository, lambda text: with_migration(text, migration), plan, cut, progress)


def take_back(
    folder: Path,
    file: ProjectFile,
    repository: Repository,
    *,
    cut: bool = True,
    progress: Progress = silent,
) -> tuple[MigrationPlan, ProjectFile]:
    """Take the last migration back; labels that were given since are carried back where they mean one class there."""
    if not file.migrations:
        raise UsageError("there is no migration to take back", next_step="tilth taxonomy shows what was made")
    version, _ = read_source(repository, file, folder, progress, cut=cut)
    earlier = Taxonomy(file.taxonomy.first, file.migrations[:-1])
    plan = MigrationPlan(
        said=f"take back: {file.migrations[-1]}",
        taxonomy=earlier.version,
        classes=earlier.names,
        before=version.version,
        after="",
        rows=0,
        kept=0,
        by_rule={},
        torn=0,
        opened={},
        dropped={},
        trusted=0,
    )
    made, after = _rewritten(folder, file, repository, without_last_migration, plan, cut, progress)
    dataset = repository.dataset(repository.version(made.after))
    labelled = len(dataset.read(after.schema.task.label).column(0).drop_null())
    return replace(made, rows=labelled, kept=labelled), after


def _rewritten(
    folder: Path,
    file: ProjectFile,
    repository: Repository,
    change: Callable[[str], str],
    plan: MigrationPlan,
    cut: bool,
    progress: Progress,
) -> tuple[MigrationPlan, ProjectFile]:
    """Write tilth.yaml anew and read the source by it; where that fails the file is as it was."""
    path = folder / FILE
    text = path.read_text(encoding="utf-8")
    if parse(text, str(path)) != file:
        raise ConfigError("tilth.yaml has changed meanwhile", where=str(path), next_step="do this again")
    after = replace(parse(change(text), str(path)), home=file.home)
    with writing(folder):
        path.write_text(change(text), encoding="utf-8")
    try:
        version, notes = read_source(repository, after, folder, progress, cut=cut)
    except BaseException:
        path.write_text(text, encoding="utf-8")
        raise
    new = tuple(note for note in notes if note.startswith("replay"))
    return replace(plan, after=version.version, notes=(*plan.notes, *new)), after


def state_of(file: ProjectFile, repository: Repository, version: Version) -> TaxonomyState:
    """Return where the label set stands in a version."""
    _refuse_numbers(file)
    dataset, names = repository.dataset(version), version.schema.task.classes
    counts = Counter(dataset.read(version.schema.task.label).column(0).to_pylist())
    rows, sets = open_sets(repository.dataset(repository.version(version.base)), dataset)
    is_open = np.zeros(dataset.n_rows, dtype=bool)
    is_open[rows] = True
    return TaxonomyState(
        version=version.version,
        taxonomy=version.schema.task.taxonomy,
        classes=file.taxonomy.classes,
        labelled={name: counts[name] for name in names},
        possible={name: int(sets[:, at].sum()) for at, name in enumerate(names)},
        migrations=tuple(str(one) for one in file.migrations),
        opened=_by_split(dataset.splits.astype(str), is_open),
        checks=rule_checks(file, repository, version),
        seconds=seconds_per_answer(repository),
    )


def rule_checks(file: ProjectFile, repository: Repository, version: Version) -> tuple[RuleCheck, ...]:
    """Return for each rule how many rows it settled, and how many of those drawn to check it people have confirmed."""
    label = version.schema.task.label
    dataset = repository.dataset(version)
    checks = []
    for rule in version.source.get("rules", ()):
        ids = pa.array(rule["sample"], pa.string())
        here = ids.filter(pc.is_in(ids, value_set=dataset.row_ids))
        rows = dataset.read(label, TRUSTED).take(pa.array(dataset.positions(here)))
        answers = rows.column(label).filter(pa.array(trusted_of(rows)))
        right = sum(said == rule["class"] for said in answers.to_pylist())
        checks.append(
            RuleCheck(
                taxonomy=rule["taxonomy"],
                name=rule["class"],
                rule=file.migrations[rule["taxonomy"] - 2].rules[rule["class"]],
                rows=rule["rows"],
                checked=len(answers),
                right=wilson(right, len(answers)) if len(answers) else None,
            )
        )
    return tuple(checks)


def seconds_per_answer(repository: Repository) -> float:
    """Return the median time that people took over an answer, as far as it is known."""
    answers = (one for body in repository.records("annotations") for one in body["answers"])
    taken = [_seconds(one["started"], one["answered"]) for one in answers if one.get("started") and one.get("answered")]
    known = [seconds for seconds in taken if 0 < seconds < LONGEST_ANSWER]
    return float(median(known)) if known else SECONDS_PER_ANSWER


def _seconds(started: str, answered: str) -> float:
    return (datetime.fromisoformat(answered) - datetime.fromisoformat(started)).total_seconds()


def _refuse_numbers(file: ProjectFile) -> None:
    if file.schema.task.is_regression:
        raise UsageError("the label is a number: it has no classes to migrate")


def _counted_rules(moved: MovedLabels, by_rule: Mask) -> dict[str, int]:
    counts = np.bincount(moved.by_rule[by_rule], minlength=len(moved.rules))
    return {name: int(n) for (_, name), n in zip(moved.rules, counts, strict=True)}


def _by_split(splits: np.ndarray, rows: Mask) -> dict[str, int]:
    counts = Counter(splits[rows].tolist())
    return {str(split): counts[str(split)] for split in Split if counts[str(split)]}


def _notes(moved: MovedLabels) -> list[str]:
    notes = []
    if moved.torn:
        notes.append(f"{moved.torn:,} rows are claimed by two rules of one split, and stay open")
    never = [name for number, (_, name) in enumerate(moved.rules) if not (moved.by_rule == number).any()]
    notes += [f"the rule for {name!r} settles no row" for name in never]
    return notes
