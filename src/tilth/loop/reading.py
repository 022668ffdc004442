"""Read the source: commit it when it is new, and replay the recipe on it, so that people's answers and kept edits stay.

A replay is written down before it starts and when it is done: where it was cut short, the next command takes it up again from
the version whose recipe holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.apply import apply, fit_to
from tilth.core.edit import PERSON, Edit
from tilth.core.errors import ConfigError
from tilth.core.names import ROW_ID, SPLIT, Split
from tilth.core.progress import Progress
from tilth.core.taxonomy import Taxonomy
from tilth.loop.history import remember_fitted
from tilth.loop.ingest import Ingested, fingerprint, ingest, plan_mark
from tilth.loop.locations import absolute, source_name
from tilth.loop.moving import Passage, carried, taxonomy_of
from tilth.loop.project_file import ProjectFile
from tilth.sources import RawSource, open_source
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = ["read_source", "refuse_unfinished"]

JUDGES = (str(Split.DEV), str(Split.TEST))
Read = tuple[Version, tuple[str, ...]]


def read_source(
    repository: Repository, file: ProjectFile, folder: Path, progress: Progress, *, cut: bool = True
) -> Read:
    """Return the version to work on and what is to be said of it; the caller holds the lease.

    Parameters
    ----------
    repository : the project's store
    file : what tilth.yaml says
    folder : where the project lies
    progress : told what is done
    cut : whether missing splits are cut; without, every labelled row that names no split learns
    """
    progress("read", source_name(file.source))
    raw = open_source(absolute(file.source, folder), project=folder, may_lack=(file.schema.task.label,))
    mark = fingerprint(raw, file.schema, file.splits, file.seed, _migrated(file))
    standing = _standing(repository)
    if standing is not None and mark in _marks(repository, standing):
        _stand_on(repository, standing)
        return standing, tuple(standing.source.get("warnings", ()))
    found = _ingested(repository, raw, file, standing, cut)
    facts = _plain(found.facts) | {"name": source_name(file.source), "warnings": list(found.warnings)}
    if standing is None or not standing.recipe:
        progress("commit", "the source")
        return _same_content(
            repository, repository.commit_source(found.table, file.schema, facts), mark
        ), found.warnings
    return _replayed(repository, standing, found, facts, file, progress)


def refuse_unfinished(repository: Repository) -> None:
    """Refuse to go on from a version on which a replay was cut short; reading the source finishes it."""
    if _unfinished(repository) is not None:
        raise ConfigError(
            "the last run was cut short while it replayed the recipe on a changed source",
            next_step="tilth run finishes it; then do this again",
        )


def _unfinished(repository: Repository) -> dict[str, Any] | None:
    started, done = repository.records("replay"), repository.records("replayed")
    if not started or (done and done[-1]["number"] == started[-1]["number"]):
        return None
    return dict(started[-1])


def _standing(repository: Repository) -> Version | None:
    """Return the version whose recipe holds: the current one, or the one that an unfinished replay goes back to."""
    pending = _unfinished(repository)
    return repository.latest if pending is None else repository.version(pending["from"])


def _stand_on(repository: Repository, standing: Version) -> None:
    """Make a version current again whose replay on another source was cut short, and is no longer due."""
    pending = _unfinished(repository)
    if pending is None:
        return
    repository.record("head", {"version": standing.version})
    repository.record("replayed", {"number": pending["number"], "version": standing.version})


def _marks(repository: Repository, standing: Version) -> set[Any]:
    """Return the fingerprints of all files that were read as the content from which a version comes."""
    same = [body["fingerprint"] for body in repository.records("same_content") if body["base"] == standing.base]
    return {standing.source.get("fingerprint"), *same}


def _same_content(repository: Repository, base: Version, mark: str) -> Version:
    """Note that other bytes hold the content of a known source, so that they are not read anew each time."""
    if mark not in _marks(repository, base):
        repository.record("same_content", {"fingerprint": mark, "base": base.base})
    return base


def _ingested(
    repository: Repository, raw: RawSource, file: ProjectFile, standing: Version | None, cut: bool
) -> Ingested:
    previous, day_first = None, None
    if standing is not None:
        day_first = standing.source.get("day_first")
        if standing.source.get("plan") == plan_mark(file.schema, file.splits, file.seed):
            previous = repository.dataset(repository.version(standing.base)).read(ROW_ID, SPLIT)
    return ingest(raw, file.schema, file.splits, file.seed, previous, day_first, cut=cut, taxonomy=_migrated(file))


def _migrated(file: ProjectFile) -> Taxonomy | None:
    return file.taxonomy if file.migrations else None


def _replayed(
    repository: Repository,
    standing: Version,
    found: Ingested,
    facts: Mapping[str, Any],
    file: ProjectFile,
    progress: Progress,
) -> Read:
    """Commit the new source and put the recipe on it, edit by edit."""
    number = len(repository.records("replay")) + 1
    repository.record("replay", {"number": number, "from": standing.version})
    progress("commit", "the source")
    mark = str(facts["fingerprint"])
    base = _same_content(repository, repository.commit_source(found.table, file.schema, facts), mark)
    if base.version == standing.base:
        _stand_on(repository, standing)
        return standing, found.warnings
    progress("replay", f"{len(standing.recipe)} edits")
    version, notes = _replay(repository, standing, base, file)
    repository.record("replayed", {"number": number, "version": version.version})
    return version, (*found.warnings, *notes)


def _replay(repository: Repository, standing: Version, base: Version, file: ProjectFile) -> tuple[Version, list[str]]:
    """Put the recipe on a source, edit by edit: rows that are gone, changed since, or judge now are left alone."""
    table = repository.dataset(base).read()
    version, notes = base, []
    before = taxonomy_of(standing)
    for original in repository.recipe(standing).edits:
        edit = original
        if before != file.taxonomy:
            passage = Passage(before=before, after=file.taxonomy, table=table, schema=base.schema)
            edit = carried(repository, passage, original)
        edit = _without_judges(table, fit_to(table, edit)[0])
        if edit.n_rows:
            remember_fitted(repository, edit, original)
            version = repository.commit_edit(version, edit, origin="replay")
            table = apply(table, edit)
        skipped = original.n_rows - edit.n_rows
        if skipped:
            why = "are gone, changed since, or judge now, and were left alone"
            if before != file.taxonomy:
                why = f"mean no one class of label set {file.taxonomy.version}, or {why}"
            notes.append(f"replay of {edit.operator}: {skipped:,} rows {why}")
    return version, notes


def _without_judges(table: pa.Table, edit: Edit) -> Edit:
    """Return an edit for rows some of which a new cut has moved to dev or test: only a person's answers go with them."""
    if edit.evaluation:
        return edit
    judges = table.column(ROW_ID).filter(pc.is_in(table.column(SPLIT), value_set=pa.array(JUDGES)))
    touched = edit.touched.filter(pc.is_in(edit.touched, value_set=judges.combine_chunks()))
    if not len(touched):
        return edit
    if edit.author == PERSON:
        judging = replace(edit.operator, parameters={**edit.operator.parameters, "judging": len(touched)})
        return replace(edit, operator=judging, evaluation=True)
    return replace(
        edit,
        drop=edit.drop.filter(pc.invert(pc.is_in(edit.drop, value_set=touched))),
        set={name: cells for name, cells in _others(edit.set, touched).items() if cells.num_rows},
        expects=_others(edit.expects, touched),
    )


def _others(cells: Mapping[str, pa.Table], ids: pa.Array) -> dict[str, pa.Table]:
    """Return the cells of all rows but these."""
    return {
        name: table.filter(pc.invert(pc.is_in(table.column(ROW_ID), value_set=ids))) for name, table in cells.items()
    }


def _plain(value: Any) -> Any:
    """Return facts as JSON keeps them: tuples become lists."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(one) for one in value]
    return value.item() if isinstance(value, np.generic) else value
