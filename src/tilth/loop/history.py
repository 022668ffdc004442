"""History: what changed from one version to another, what touched a row, and taking an edit back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.compare import TableDifference, table_difference
from tilth.core.dataset import Dataset
from tilth.core.display import Displayed
from tilth.core.edit import PERSON, Edit, Verb
from tilth.core.errors import UnknownRowError, UnknownVersionError, did_you_mean, first_three
from tilth.core.estimate import Estimate
from tilth.core.names import ROW_ID
from tilth.core.schema import Schema
from tilth.core.spec import Spec
from tilth.core.trial import Trial
from tilth.loop.ledger import Ledger
from tilth.loop.lineage import lineage
from tilth.loop.visibility import HIDDEN, may_tell
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = [
    "Blame",
    "Touch",
    "VersionDiff",
    "applied",
    "blame",
    "changes_between",
    "diff",
    "find_edit",
    "remember_fitted",
    "revert",
    "verdict_on",
]

BY_PERSON = "a person's word"


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionDiff(Displayed):
    """What takes one version to another."""

    before: str
    after: str
    added: tuple[str, ...]
    dropped: tuple[str, ...]
    cells: Mapping[str, int]
    labels: Mapping[tuple[str, str], int]
    metric: str
    delta: Estimate | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        pairs = [{"from": a, "to": b, "rows": n} for (a, b), n in self.labels.items()]
        delta = None if self.delta is None else {"value": self.delta.value, "interval": self.delta.as_list()}
        return {
            "before": self.before,
            "after": self.after,
            "rows_added": list(self.added),
            "rows_dropped": list(self.dropped),
            "cells_changed": dict(self.cells),
            "labels_changed": pairs,
            "metric": self.metric,
            "dev_delta": delta,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """One edit that touched a row: what it did there, why, who, and how its trial went."""

    edit: str
    version: str
    verb: str
    author: str
    reason: str
    changes: Mapping[str, tuple[str | None, str | None]]
    dropped: bool
    added: bool
    verdict: str
    gain: Estimate | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "edit": self.edit,
            "version": self.version,
            "verb": self.verb,
            "author": self.author,
            "reason": self.reason,
            "changes": {name: {"old": old, "new": new} for name, (old, new) in self.changes.items()},
            "dropped": self.dropped,
            "added": self.added,
            "verdict": self.verdict,
            "gain": None if self.gain is None else {"value": self.gain.value, "interval": self.gain.as_list()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame(Displayed):
    """The life of one row: where it stands and every edit that touched it, oldest first."""

    row_id: str
    split: str | None
    touches: tuple[Touch, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"row_id": self.row_id, "split": self.split, "edits": [touch.to_dict() for touch in self.touches]}


def changes_between(repository: Repository, before: Version, after: Version) -> TableDifference:
    """Return the difference of two versions' rows, over the columns that both have."""
    shared = [n for n in repository.dataset(before).column_names if n in repository.dataset(after).column_names]
    old, new = (repository.dataset(version).read(*shared) for version in (before, after))
    return table_difference(old, new)


def diff(repository: Repository, before: Version, after: Version, delta: Estimate | None) -> VersionDiff:
    """Return what takes one version to another; delta is the change of the dev score, where it was computed."""
    found = changes_between(repository, before, after)
    label = after.schema.task.label
    return VersionDiff(
        before=before.version,
        after=after.version,
        added=tuple(found.new.column(ROW_ID).to_pylist()),
        dropped=tuple(found.gone.to_pylist()),
        cells={name: table.num_rows for name, table in found.changed.items()},
        labels=_label_moves(
            repository, before, found.changed.get(label) if after.schema.may_show(label) else None, label
        ),
        metric=after.schema.task.metric,
        delta=delta,
    )


def _label_moves(
    repository: Repository, before: Version, changed: pa.Table | None, label: str
) -> dict[tuple[str, str], int]:
    if changed is None or before.schema.task.is_regression:
        return {}
    old = repository.dataset(before).read(ROW_ID, label)
    at = pc.index_in(changed.column(ROW_ID), value_set=old.column(ROW_ID).combine_chunks())
    given = old.column(label).take(at).to_pylist()
    pairs = Counter(zip(map(str, given), map(str, changed.column(label).to_pylist()), strict=True))
    return dict(sorted(pairs.items(), key=lambda item: (-item[1], item[0])))


def blame(repository: Repository, row_id: str, version: Version) -> Blame:
    """Return every edit of a version's lineage that touched a row; raises UnknownRowError where no version holds it."""
    chain = lineage(repository, version)
    ids = repository.dataset(chain[0]).row_ids
    touches = tuple(_touch(repository, one, row_id) for one in chain if one.edit and _touches(repository, one, row_id))
    known = pc.index(ids, pa.scalar(row_id, ids.type)).as_py() >= 0
    if not known and not touches:
        close = did_you_mean(row_id, ids.slice(0, 20_000).to_pylist())
        raise UnknownRowError(f"no row {row_id!r}.{close}", next_step="tilth export lists row ids; tilth ask too")
    now = repository.dataset(version)
    here = pc.index(now.row_ids, pa.scalar(row_id, pa.string())).as_py()
    split = None if here < 0 else str(now.splits[here])
    return Blame(row_id=row_id, split=split, touches=touches)


def _touches(repository: Repository, version: Version, row_id: str) -> bool:
    assert version.edit is not None
    touched = repository.edit(version.edit).touched
    return bool(pc.index(touched, pa.scalar(row_id, pa.string())).as_py() >= 0)


def _touch(repository: Repository, version: Version, row_id: str) -> Touch:
    assert version.edit is not None
    assert version.parent is not None
    edit = repository.edit(version.edit)
    before = repository.dataset(repository.version(version.parent))
    here = pc.index(before.row_ids, pa.scalar(row_id, pa.string())).as_py()
    verdict, trial = verdict_on(repository, edit)
    return Touch(
        edit=edit.edit_id,
        version=version.version,
        verb=str(edit.verb),
        author=edit.author,
        reason=edit.reason,
        changes={} if here < 0 else _cells(edit, before, here, version.schema),
        dropped=bool(pc.index(edit.drop, pa.scalar(row_id, edit.drop.type)).as_py() >= 0),
        added=here < 0,
        verdict=verdict,
        gain=None if trial is None else trial.gain,
    )


def verdict_on(repository: Repository, edit: Edit) -> tuple[str, Trial | None]:
    """Return the last word on an edit and its last trial; a part of an edit that was fitted to new rows shares both."""
    ledger = Ledger(repository)
    overruled, names = ledger.overruled(), _earlier(repository, edit.edit_id)
    trial = next((trials[-1] for name in names if (trials := ledger.trials_of(name))), None)
    word = next((overruled[name] for name in names if name in overruled), None)
    if word is None and trial is None:
        return (BY_PERSON if edit.author == PERSON else "not tried"), None
    return str(word if word is not None or trial is None else trial.verdict), trial


def remember_fitted(repository: Repository, fitted: Edit, edit: Edit) -> None:
    """Write down that an edit is the part of another that still fits, so that it shares its trial and its verdict."""
    if fitted.edit_id != edit.edit_id and edit.edit_id not in _earlier(repository, fitted.edit_id):
        repository.record("fitted", {"edit": fitted.edit_id, "of": edit.edit_id})


def applied(repository: Repository, version: Version, edit_id: str) -> str | None:
    """Return the edit of a version's recipe that is an edit, or a part of it that was fitted; None where none is."""
    return next((one for one in version.recipe if edit_id in _earlier(repository, one)), None)


def _earlier(repository: Repository, edit_id: str) -> list[str]:
    """Return an edit's id and the ids of the edits that it is a part of, nearest first."""
    came_from = {body["edit"]: body["of"] for body in repository.records("fitted")}
    names = [edit_id]
    while (earlier := came_from.get(names[-1])) is not None and earlier not in names:
        names.append(earlier)
    return names


def _cells(edit: Edit, before: Dataset, row: int, schema: Schema) -> dict[str, tuple[str | None, str | None]]:
    """Return old and new of the cells that an edit sets in one row."""
    row_id, changes = before.row_ids[row], {}
    for column, cells in edit.set.items():
        mine = cells.filter(pc.equal(cells.column(ROW_ID), row_id))
        if mine.num_rows:
            old, new = before.read(column).column(0)[row].as_py(), mine.column("value")[0].as_py()
            is_told = may_tell(schema, column)
            changes[column] = (_shown(old), _shown(new)) if is_told else (HIDDEN, HIDDEN)
    return changes


def _shown(value: Any) -> str | None:
    if value is None:
        return None
    return "[" + ", ".join(f"{v:.3f}" for v in value) + "]" if isinstance(value, list) else str(value)


def find_edit(repository: Repository, name: str) -> Edit:
    """Return an edit by id or unique beginning of an id."""
    folders = sorted({entry.path.split("/")[1] for entry in repository.objects.entries("edits")})
    hits = [edit for edit in folders if edit == name] or [edit for edit in folders if name and edit.startswith(name)]
    if len(hits) == 1:
        return repository.edit(hits[0])
    what = f"{name!r} could be {first_three(hits)}" if hits else f"no edit {name!r}.{did_you_mean(name, folders)}"
    raise UnknownVersionError(what, next_step="tilth log lists edits")


def revert(repository: Repository, edit_id: str) -> Version:
    """Make a version that is the current one without an edit: the recipe is replayed without it."""
    version = repository.latest
    if version is None or edit_id not in version.recipe:
        recipe = first_three(version.recipe) if version is not None else ""
        raise UnknownVersionError(
            f"edit {edit_id!r} is not in the current recipe ({recipe or 'empty'})", next_step="tilth log lists edits"
        )
    base = repository.version(version.base)
    rest = repository.recipe(version).without(edit_id)
    replayed = rest.replay(repository.dataset(base).read()).table
    undo = _undoing(repository.dataset(version).read(), replayed, edit_id, repository.edit(edit_id).reason)
    remaining = tuple(edit.edit_id for edit in rest.edits)
    return repository.commit_edit(version, undo, origin="revert", recipe=remaining)


def _undoing(now: pa.Table, then: pa.Table, edit_id: str, reason: str) -> Edit:
    difference = table_difference(now, then.select(now.column_names))
    cells = {name: table.rename_columns([ROW_ID, "value"]) for name, table in difference.changed.items()}
    return Edit(
        verb=Verb.MODIFY,
        operator=Spec(room="people", name="revert", parameters={"edit": edit_id}),
        reason=f"takes back {edit_id}: {reason}",
        author=PERSON,
        drop=difference.gone,
        set=cells,
        add=difference.new if difference.new.num_rows else None,
        evaluation=True,
    )
