"""The repository: versions, edits and facts of one project, over the commit log and the row table.

A commit writes rows and the edit's payload first and its record last; what no record names is an orphan that `gc` removes.
Committing the same edit on the same parent twice gives the same version, so that a killed run resumes by running again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.apply import apply
from tilth.core.compare import table_difference
from tilth.core.dataset import Dataset
from tilth.core.edit import Edit
from tilth.core.errors import UnknownVersionError, did_you_mean
from tilth.core.ids import content_id, content_sums, short_id
from tilth.core.names import ROW_ID
from tilth.core.partitions import BLOCK_ROWS
from tilth.core.recipe import Recipe
from tilth.core.schema import Schema
from tilth.store.commit_log import CommitLog
from tilth.store.evidence import EvidenceCache, load_table, save_table
from tilth.store.lease import Lease
from tilth.store.objects import ObjectStore
from tilth.store.row_evidence import RowEvidence
from tilth.store.tables import RowTable

__all__ = ["Repository", "StoredRows", "Version"]

_LANES = 2**64
Sums = dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What the log says of one version."""

    version: str
    parent: str | None
    base: str
    edit: str | None
    recipe: tuple[str, ...]
    origin: str
    table_version: int
    rows: int
    content: str
    sums: Mapping[str, tuple[int, int]]
    schema: Schema
    source: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for the log."""
        return {
            "version": self.version,
            "parent": self.parent,
            "base": self.base,
            "edit": self.edit,
            "recipe": list(self.recipe),
            "origin": self.origin,
            "table_version": self.table_version,
            "rows": self.rows,
            "content": self.content,
            "sums": {name: list(pair) for name, pair in self.sums.items()},
            "schema": self.schema.to_dict(),
            "source": dict(self.source),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Version:
        """Build a version from what `to_dict` gave."""
        facts = dict(values)
        facts["recipe"] = tuple(facts["recipe"])
        facts["sums"] = {name: (pair[0], pair[1]) for name, pair in facts["sums"].items()}
        facts["schema"] = Schema.from_dict(facts["schema"])
        return cls(**facts)


class StoredRows:
    """Rows of one version, read from the table when asked and kept column by column."""

    def __init__(self, table: RowTable, table_version: int, n_rows: int) -> None:
        self._table, self._version, self._n_rows = table, table_version, n_rows
        self._columns: dict[str, pa.ChunkedArray] = {}

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self._n_rows

    def read(self, columns: Sequence[str]) -> pa.Table:
        """Return the named columns of all rows, in storage order."""
        new = [name for name in dict.fromkeys(columns) if name not in self._columns]
        if new:
            table = self._table.read(self._version, new)
            self._columns |= {name: table.column(name) for name in new}
        return pa.table({name: self._columns[name] for name in columns})

    def blocks(self, columns: Sequence[str], block_rows: int = BLOCK_ROWS) -> Iterator[pa.Table]:
        """Yield the named columns block by block."""
        table = self.read(columns)
        for start in range(0, max(self.n_rows, 1), block_rows):
            yield table.slice(start, block_rows)


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
        self._records: dict[str, list[dict[str, Any]]] = {}
        self._read_to = 0

    # -- facts ---------------------------------------------------------------------------------------------------------

    def record(self, kind: str, body: Mapping[str, Any]) -> None:
        """Commit a fact of a kind."""
        self.log.append(kind, json.loads(json.dumps(body, allow_nan=False)))
        self._forget_versions()

    def records(self, kind: str) -> list[dict[str, Any]]:
        """Return the facts of a kind, oldest first."""
        for record in self.log.records(since=self._read_to):
            self._records.setdefault(record.kind, []).append(dict(record.body))
            self._read_to = record.number
        return self._records.get(kind, [])

    def row_evidence(self, key: str) -> RowEvidence:
        """Return the vectors kept under the digest of a spec and its fitted state."""
        return RowEvidence(self.objects, key)

    # -- versions ------------------------------------------------------------------------------------------------------

    @cached_property
    def _versions(self) -> dict[str, Version]:
        found = (Version.from_dict(body) for body in self.records("version"))
        return {version.version: version for version in found}

    def _forget_versions(self) -> None:
        self.__dict__.pop("_versions", None)

    def versions(self) -> list[Version]:
        """Return all versions, in order of commit."""
        return list(self._versions.values())

    @property
    def latest(self) -> Version | None:
        """The version that the last commit, revert or replay made current."""
        heads = self.records("head")
        return self._versions[heads[-1]["version"]] if heads else None

    def tags(self) -> dict[str, str]:
        """Return tag -> version id; the last word on a tag counts."""
        return {body["name"]: body["version"] for body in self.records("tag")}

    def version(self, name: str) -> Version:
        """Return a version by id, unique beginning of an id, tag, or `latest`."""
        if name == "latest" and self.latest is not None:
            return self.latest
        name = self.tags().get(name, name)
        hits = [v for v in self._versions if v == name] or [v for v in self._versions if v.startswith(name)]
        if len(hits) == 1:
            return self._versions[hits[0]]
        what = f"{name!r} could be {len(hits)} versions" if hits else f"no version or tag {name!r}."
        guess = "" if hits else did_you_mean(name, [*self._versions, *self.tags(), "latest"])
        raise UnknownVersionError(what + guess, next_step="tilth log lists versions and tags")

    def dataset(self, version: Version) -> Dataset:
        """Return a handle to the rows of a version."""
        rows = StoredRows(self.table, version.table_version, version.rows)
        return Dataset(rows=rows, schema=version.schema, sums=version.sums, version_id=version.version)

    # -- commits -------------------------------------------------------------------------------------------------------

    def commit_source(self, table: pa.Table, schema: Schema, source: Mapping[str, Any]) -> Version:
        """Commit a source as a version without a parent; only what differs from the last source is written."""
        sums = content_sums(table, ROW_ID)
        content = content_id(sums, schema.to_dict())
        name = short_id("v", ["source", content])
        known = self._versions.get(name)
        if known is not None and known.source.get("fingerprint") == source.get("fingerprint"):
            return self._head(known)
        version = Version(
            version=name,
            parent=None,
            base=name,
            edit=None,
            recipe=(),
            origin="source",
            table_version=known.table_version if known else self._write_source(table, schema),
            rows=table.num_rows,
            content=content,
            sums=sums,
            schema=schema,
            source=source,
        )
        return self._commit(version)

    def _write_source(self, table: pa.Table, schema: Schema) -> int:
        before = [v for v in self.versions() if v.origin == "source" and v.schema.names == schema.names]
        if before and self.table.at(before[-1].table_version).schema.equals(table.schema):
            return self._write_difference(before[-1], table)
        return self.table.create(table)

    def _write_difference(self, base: Version, table: pa.Table) -> int:
        old = self.dataset(base).rows.read(table.column_names)
        difference = table_difference(old, table)
        number = base.table_version
        for cells in difference.changed.values():
            number = self.table.update(cells, base=number)
        if len(difference.gone):
            number = self.table.delete(difference.gone, base=number)
        if difference.new.num_rows:
            number = self.table.append(difference.new, base=number)
        return number

    def commit_edit(
        self, parent: Version, edit: Edit, *, origin: str = "edit", recipe: tuple[str, ...] | None = None
    ) -> Version:
        """Commit an edit on a parent and make the result current; the same commit twice is one version.

        `recipe` is what makes the result from its source, where that is not the parent's recipe and this edit.
        """
        name = short_id("v", [parent.version, edit.edit_id])
        if name in self._versions:
            return self._head(self._versions[name])
        before = self.dataset(parent)
        touched = self._touched(before, edit)
        after = apply(touched, edit)
        sums = _moved(parent.sums, touched, after)
        self.save_edit(edit)
        version = Version(
            version=name,
            parent=parent.version,
            base=parent.base,
            edit=edit.edit_id,
            recipe=(*parent.recipe, edit.edit_id) if recipe is None else recipe,
            origin=origin,
            table_version=self._write_edit(parent.table_version, edit),
            rows=parent.rows + after.num_rows - touched.num_rows,
            content=content_id(sums, parent.schema.to_dict()),
            sums=sums,
            schema=parent.schema,
            source=parent.source,
        )
        return self._commit(version)

    def _touched(self, before: Dataset, edit: Edit) -> pa.Table:
        """Rows that the edit can touch: those that it names, and when it drops some, every row with parents."""
        table = before.read()
        if len(edit.drop):
            return table
        return table.filter(pc.is_in(table.column(ROW_ID), value_set=edit.touched)).combine_chunks()

    def _write_edit(self, number: int, edit: Edit) -> int:
        for column, cells in edit.set.items():
            number = self.table.update(cells.rename_columns([ROW_ID, column]), base=number)
        if len(edit.drop):
            number = self.table.delete(edit.drop, base=number)
        if edit.add is not None and edit.add.num_rows:
            number = self.table.append(edit.add, base=number)
        return number

    def _commit(self, version: Version) -> Version:
        if version.version not in self._versions:
            self.record("version", version.to_dict())
        return self._head(version)

    def _head(self, version: Version) -> Version:
        """Make a version current."""
        if self.latest is None or self.latest.version != version.version:
            self.record("head", {"version": version.version})
        return version

    # -- edits ---------------------------------------------------------------------------------------------------------

    def save_edit(self, edit: Edit) -> None:
        """Keep an edit's facts and data under its id."""
        folder = f"edits/{edit.edit_id}"
        tables = edit.to_tables()
        for number, table in enumerate(tables.values()):
            save_table(self.objects, f"{folder}/{number}.arrow", table)
        facts = edit.describe() | {"tables": list(tables)}
        self.objects.put(f"{folder}/edit.json", json.dumps(facts).encode())

    def edit(self, edit_id: str) -> Edit:
        """Return an edit by id; raises UnknownVersionError where there is none."""
        path = f"edits/{edit_id}/edit.json"
        if not self.objects.exists(path):
            raise UnknownVersionError(f"no edit {edit_id!r}", next_step="tilth log lists edits")
        facts = json.loads(self.objects.get(path))
        tables = {}
        for number, name in enumerate(facts["tables"]):
            table = load_table(self.objects, f"edits/{edit_id}/{number}.arrow")
            assert table is not None, "an edit's tables are written before its facts"
            tables[name] = table
        return Edit.from_parts(facts, tables)

    def recipe(self, version: Version) -> Recipe:
        """Return the edits that made a version from its source."""
        return Recipe(tuple(self.edit(edit_id) for edit_id in version.recipe))


def _moved(sums: Mapping[str, tuple[int, int]], before: pa.Table, after: pa.Table) -> Sums:
    """Return the sums of a version after some of its rows changed: minus the old cells, plus the new ones."""
    old, new = content_sums(before, ROW_ID), content_sums(after, ROW_ID)
    return {name: _lanes(pair, old[name], new[name]) for name, pair in sums.items()}


def _lanes(total: Iterable[int], minus: Iterable[int], plus: Iterable[int]) -> tuple[int, int]:
    first, second = ((t - m + p) % _LANES for t, m, p in zip(total, minus, plus, strict=True))
    return first, second
