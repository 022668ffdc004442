"""The repository: versions, edits and facts of one project, over the commit log and the row table.

A commit writes rows and the edit's payload first and its record last; what no record names is an orphan that `gc`
removes.
Committing the same edit on the same parent twice gives the same version, so that a killed run resumes by running again.
Reading needs nothing; whoever writes holds `Repository.lease`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.apply import apply
from tilth.core.compare import table_difference
from tilth.core.dataset import Dataset
from tilth.core.edit import Edit
from tilth.core.errors import ContractError, UnknownVersionError
from tilth.core.ids import content_id, content_sums, short_id
from tilth.core.names import PARENTS, ROW_ID, SPLIT
from tilth.core.recipe import Recipe
from tilth.core.schema import Schema
from tilth.store.catalog import Catalog
from tilth.store.commit_log import CommitLog
from tilth.store.edit_shelf import EditShelf
from tilth.store.evidence import EvidenceCache
from tilth.store.lease import Lease
from tilth.store.objects import ObjectStore
from tilth.store.row_evidence import RowEvidence
from tilth.store.stored_rows import StoredRows
from tilth.store.tables import RowTable
from tilth.store.version import Version

__all__ = ["Repository"]

_LANES = 2**64
Sums = Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """What an edit does to the rows that it reaches: these before and after, and the ids of those that go."""

    before: pa.Table
    after: pa.Table
    gone: pa.Array


class Repository:
    """Read and extend one project's store.

    Parameters
    ----------
    root : the project's `.tilth` folder or its URL
    options : store options as Lance names them
    make : make the store where there is none
    """

    def __init__(self, root: str | Path, options: Mapping[str, str] | None = None, *, make: bool = False) -> None:
        self.objects = ObjectStore(root, options, make=make)
        self.log = CommitLog(self.objects)
        self.lease = Lease(self.objects)
        self.table = RowTable(self.objects.uri("rows.lance"), ROW_ID, self.objects.options)
        self.evidence = EvidenceCache(self.objects)
        self.edits = EditShelf(self.objects)
        self._catalog = Catalog(self.log)

    # -- facts ---------------------------------------------------------------------------------------------------------

    def record(self, kind: str, body: Mapping[str, Any]) -> None:
        """Commit a fact of a kind; tuples become lists. Refused where the lease is not held."""
        try:
            plain = json.loads(json.dumps(body, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise ContractError(f"a {kind!r} record cannot be written as JSON: {error}") from error
        self.lease.check()
        self.log.append(kind, plain)

    def records(self, kind: str) -> list[dict[str, Any]]:
        """Return the facts of a kind, oldest first; those that another process committed meanwhile too."""
        return self._catalog.facts(kind)

    def row_evidence(self, key: str) -> RowEvidence:
        """Return the vectors kept under the digest of a spec and its fitted state."""
        return RowEvidence(self.objects, key)

    # -- versions ------------------------------------------------------------------------------------------------------

    def versions(self) -> list[Version]:
        """Return all versions, in order of commit."""
        return list(self._catalog.versions.values())

    @property
    def latest(self) -> Version | None:
        """The version that the last commit, revert or replay made current."""
        return self._catalog.latest

    def tags(self) -> dict[str, str]:
        """Return tag -> version id; the last word on a tag counts."""
        return self._catalog.tags()

    def version(self, name: str) -> Version:
        """Return a version by id, unique beginning of an id, tag, or `latest`."""
        return self._catalog.find(name)

    def dataset(self, version: Version) -> Dataset:
        """Return a handle to the rows of a version."""
        rows = StoredRows(self.table, version.table_version, version.rows)
        return Dataset(rows=rows, schema=version.schema, sums=version.sums, version_id=version.version)

    # -- sources -------------------------------------------------------------------------------------------------------

    def commit_source(self, table: pa.Table, schema: Schema, source: Mapping[str, Any]) -> Version:
        """Commit a source as a version without a parent; only what differs from the last source is written."""
        self.lease.check()
        sums = content_sums(table, ROW_ID)
        content = content_id(sums, schema.to_dict())
        name = short_id("v", ["source", content])
        known = self._catalog.versions.get(name)
        if known is not None and known.source.get("fingerprint") == source.get("fingerprint"):
            return self._head(name)
        version = Version(
            version=name,
            parent=None,
            base=name,
            edit=None,
            recipe=(),
            origin="source",
            table_version=known.table_version if known else self._write_source(table, schema, sums),
            rows=table.num_rows,
            content=content,
            sums=sums,
            schema=schema,
            source=source,
        )
        self.record("version", version.to_dict())
        return self._head(name)

    def _write_source(self, table: pa.Table, schema: Schema, sums: Sums) -> int:
        alike = [v for v in self.versions() if v.is_source and v.schema.names == schema.names]
        if alike and self.table.at(alike[-1].table_version).schema.equals(table.schema):
            return self._write_difference(alike[-1], table, sums)
        self.lease.check()
        return self.table.create(table)

    def _write_difference(self, base: Version, table: pa.Table, sums: Sums) -> int:
        """Write what differs from a base; columns whose sums are explained by rows that came and went are not read.

        A source of which most rows are new is written anew.
        """
        old_ids = self.table.read(base.table_version, [ROW_ID])
        rows = table_difference(old_ids, table.select([ROW_ID]))
        if 2 * len(rows.gone) > old_ids.num_rows:
            self.lease.check()
            return self.table.create(table)
        is_new = pc.is_in(table.column(ROW_ID), value_set=rows.new.column(ROW_ID).combine_chunks())
        new = table.filter(is_new)
        left = self.table.read(base.table_version, table.column_names, rows.gone)
        same = _moved(base.sums, _Change(before=left, after=new, gone=rows.gone))
        number = base.table_version
        for name in (name for name in table.column_names if sums[name] != same[name]):
            old = self.table.read(base.table_version, [ROW_ID, name])
            for cells in table_difference(old, table.select([ROW_ID, name])).changed.values():
                number = self._set(number, cells)
        return self._drop_and_add(number, rows.gone, new)

    # -- edits ---------------------------------------------------------------------------------------------------------

    def commit_edit(
        self, parent: Version, edit: Edit, *, origin: str = "edit", recipe: tuple[str, ...] | None = None
    ) -> Version:
        """Commit an edit on a parent and make the result current; the same commit twice is one version.

        `recipe` is what makes the result from its source, where that is not the parent's recipe and this edit.
        """
        self.lease.check()
        name = short_id("v", [parent.version, edit.edit_id])
        if name in self._catalog.versions:
            return self._head(name)
        change = self._change(self.dataset(parent), parent.table_version, edit)
        sums = _moved(parent.sums, change)
        self.save_edit(edit)
        version = Version(
            version=name,
            parent=parent.version,
            base=parent.base,
            edit=edit.edit_id,
            recipe=(*parent.recipe, edit.edit_id) if recipe is None else recipe,
            origin=origin,
            table_version=self._write_edit(parent.table_version, edit, change.gone),
            rows=parent.rows + change.after.num_rows - change.before.num_rows,
            content=content_id(sums, parent.schema.to_dict()),
            sums=sums,
            schema=parent.schema,
            source=parent.source,
        )
        self.record("version", version.to_dict())
        return self._head(name)

    def _change(self, parent: Dataset, number: int, edit: Edit) -> _Change:
        """Make an edit in memory on the rows and columns that it reaches, which refuses what it may not do."""
        columns = parent.column_names
        if not len(edit.drop) and edit.add is None:
            columns = tuple(name for name in columns if name in {ROW_ID, SPLIT, *edit.set})
        before = self.table.read(number, columns, edit.touched).combine_chunks()
        after = apply(before, edit)
        gone = _gone(parent, edit)
        if len(gone) > len(edit.drop):  # rows that were made from dropped ones
            reached = pa.chunked_array([edit.touched, gone]).unique()
            before = self.table.read(number, columns, reached).combine_chunks()
            after = apply(before, edit)
        return _Change(before=before, after=after, gone=gone)

    def _write_edit(self, number: int, edit: Edit, gone: pa.Array) -> int:
        for column, cells in edit.set.items():
            number = self._set(number, cells.rename_columns([ROW_ID, column]))
        return self._drop_and_add(number, gone, edit.add)

    def save_edit(self, edit: Edit) -> None:
        """Keep an edit's facts and data under its id."""
        self.lease.check()
        self.edits.save(edit)

    def edit(self, edit_id: str) -> Edit:
        """Return an edit by id; UnknownVersionError where there is none, StoreCorruptError where it is damaged."""
        try:
            return self.edits.load(edit_id)
        except UnknownVersionError:
            if edit_id not in self._catalog.removed:
                raise
            what = f"edit {edit_id} was removed by tilth gc"
            raise UnknownVersionError(what, next_step="tilth log lists edits") from None

    def recipe(self, version: Version) -> Recipe:
        """Return the edits that made a version from its source."""
        return Recipe(tuple(self.edit(edit_id) for edit_id in version.recipe))

    def relocate(self, version: Version, number: int) -> Version:
        """Record that the rows of a version lie in another version of the table, which holds the same rows."""
        self.record("version", replace(version, table_version=number).to_dict())
        return self._catalog.versions[version.version]

    # -- writing -------------------------------------------------------------------------------------------------------

    def _set(self, number: int, cells: pa.Table) -> int:
        self.lease.check()
        return self.table.update(cells, base=number)

    def _drop_and_add(self, number: int, gone: pa.Array, new: pa.Table | None) -> int:
        if len(gone):
            self.lease.check()
            number = self.table.delete(gone, base=number)
        if new is not None and new.num_rows:
            self.lease.check()
            number = self.table.append(new, base=number)
        return number

    def _head(self, name: str) -> Version:
        """Make a version current."""
        latest = self.latest
        if latest is None or latest.version != name:
            self.record("head", {"version": name})
        return self._catalog.versions[name]


def _gone(parent: Dataset, edit: Edit) -> pa.Array:
    """Return the ids of the rows that an edit drops, and of those that were made from them."""
    if not len(edit.drop):
        return edit.drop
    family = parent.read(ROW_ID, SPLIT, PARENTS)
    if family.column(PARENTS).null_count == family.num_rows:
        return edit.drop
    left = apply(family, replace(edit, set={}, add=None)).column(ROW_ID).combine_chunks()
    ids = family.column(ROW_ID).combine_chunks()
    return ids.filter(pc.invert(pc.is_in(ids, value_set=left)))


def _moved(sums: Sums, change: _Change) -> dict[str, tuple[int, int]]:
    """Return the sums of a version after an edit: minus the old cells, plus the new ones."""
    old, new = content_sums(change.before, ROW_ID), content_sums(change.after, ROW_ID)
    return {name: _lanes(pair, old[name], new[name]) if name in old else pair for name, pair in sums.items()}


def _lanes(total: Iterable[int], minus: Iterable[int], plus: Iterable[int]) -> tuple[int, int]:
    first, second = ((t - m + p) % _LANES for t, m, p in zip(total, minus, plus, strict=True))
    return first, second
