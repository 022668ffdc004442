"""Labels on their way to another version of the label set: in a source that is read, and in the edits that are replayed on it.

A label that several classes of today may be leaves its cell empty; even shares of these classes are the row's target, at weight
0: learning on even shares made models worse than leaving such rows out (`python -m benchmarks migrations`), so they wait for an edit
that knows better, or an answer. One that may be any class is no label: a train row goes back to the pool.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import IntVector, Mask
from tilth.core.dataset import Dataset
from tilth.core.edit import Edit, target_column
from tilth.core.errors import ConfigError
from tilth.core.ids import digest_of
from tilth.core.moving_labels import Matches, MovedLabels, earlier_name, move_labels, moved_mass
from tilth.core.names import ROW_ID, SPLIT, TARGET, TRUSTED, WEIGHT, Split
from tilth.core.rng import generator
from tilth.core.schema import Schema
from tilth.core.taxonomy import Taxonomy
from tilth.operators.batch import Batch
from tilth.operators.registry import make
from tilth.store.repository import Repository
from tilth.store.version import Version

__all__ = [
    "Passage",
    "carried",
    "moved_labels",
    "open_sets",
    "rules_over",
    "rules_to_check",
    "taxonomy_of",
    "with_moved_labels",
]

CHECKED = 60
"""Rows of each rule whose answers check it: where 59 of 60 are right, at least nine in ten are (Wilson, 95 %)."""


def rules_over(table: pa.Table) -> Matches:
    """Return what evaluates an SQL predicate over a table's rows; a predicate that cannot be used raises ConfigError."""
    ids = table.column(ROW_ID).combine_chunks()
    known: dict[str, Mask] = {}

    def matches(predicate: str) -> Mask:
        if predicate not in known:
            sql = make("labeling", "sql", where=predicate, says="yes")
            missing = [name for name in sql.columns if name not in table.column_names]
            if missing:
                columns = [name for name in table.column_names if not name.startswith("_tilth_")]
                raise ConfigError(
                    f"the rule {predicate!r} names no column of the data: {missing[0]!r}",
                    where="tilth.yaml, migrations",
                    next_step=f"it may name {', '.join(columns)}",
                )
            said = sql.vote(Batch(ids=ids, columns={name: table.column(name).combine_chunks() for name in sql.columns}))
            known[predicate] = np.asarray(said.names.is_valid())
        return known[predicate]

    return matches


def moved_labels(table: pa.Table, schema: Schema, taxonomy: Taxonomy) -> MovedLabels:
    """Return the labels of a source's rows in the label set of today."""
    return move_labels(table.column(schema.task.label), taxonomy, rules_over(table))


def with_moved_labels(table: pa.Table, schema: Schema, moved: MovedLabels) -> pa.Table:
    """Return a source's rows with labels of today: open ones empty, with even shares as their target, at weight 0."""
    label, n = schema.task.label, table.num_rows
    had_one = np.asarray(table.column(label).is_valid())
    is_open = np.zeros(n, dtype=bool)
    is_open[moved.open] = True
    splits = np.asarray(table.column(SPLIT).to_pylist(), dtype="<U6")
    unknown = had_one & ~is_open & ~np.asarray(moved.labels.is_valid())
    splits[unknown & (splits == str(Split.TRAIN))] = str(Split.POOL)
    target = table.column(TARGET).type
    shares = pa.nulls(n, target)
    if len(moved.open):
        at = np.full(n, -1)
        at[moved.open] = np.arange(len(moved.open))
        shares = target_column(moved.targets()).take(pa.array(at, mask=at < 0)).cast(target)
    weights = np.where(is_open, 0.0, np.nan)
    for name, column in {
        label: moved.labels.cast(table.column(label).type),
        SPLIT: pa.array(splits.tolist(), pa.string()),
        TARGET: shares,
        WEIGHT: pa.array(weights, mask=~is_open),
    }.items():
        table = table.set_column(table.column_names.index(name), name, column)
    return table


def rules_to_check(moved: MovedLabels, ids: pa.Array, seed: int) -> list[dict[str, Any]]:
    """Return for each rule how many rows it settled, and some of them drawn at random, whose answers check it."""
    found = []
    for number, (made, name) in enumerate(moved.rules):
        rows = np.flatnonzero(moved.by_rule == number)
        drawn = generator(seed, "rule", str(made), name).permutation(rows)[:CHECKED]
        sample = ids.take(pa.array(drawn)).to_pylist()
        found.append({"taxonomy": made, "class": name, "rows": len(rows), "sample": sample})
    return found


def open_sets(base: Dataset, dataset: Dataset) -> tuple[IntVector, Mask]:
    """Return the rows of a version whose label a migration left open and nobody has answered, and their possible classes.

    Returns
    -------
    rows : (m,) storage positions, ascending
    sets : (m, k) possible classes
    """
    k = dataset.schema.task.n_classes
    if dataset.schema.task.taxonomy == 1:
        return np.zeros(0, dtype=np.intp), np.zeros((0, k), dtype=bool)
    before = base.read(ROW_ID, SPLIT, TARGET)
    at = pc.index_in(dataset.row_ids, value_set=before.column(ROW_ID).combine_chunks())
    was_pool = pc.fill_null(pc.equal(before.column(SPLIT).take(at), str(Split.POOL)), True)
    first = before.column(TARGET).combine_chunks().take(at.combine_chunks() if isinstance(at, pa.ChunkedArray) else at)
    shares = pc.if_else(first.is_valid(), first, dataset.read(TARGET).column(0).combine_chunks())
    empty = dataset.read(dataset.schema.task.label).column(0).is_null()
    rows = np.flatnonzero(np.asarray(empty) & np.asarray(shares.is_valid()) & ~np.asarray(was_pool))
    return rows, np.asarray(shares.take(pa.array(rows)).flatten()).reshape(len(rows), k) > 0


def taxonomy_of(version: Version) -> Taxonomy:
    """Return the label set of a version, in all its versions."""
    facts = version.source.get("taxonomy")
    return Taxonomy(version.schema.task.classes) if facts is None else Taxonomy.from_dict(facts)


def carried(repository: Repository, passage: Passage, edit: Edit) -> Edit:
    """Return an edit in another label set; one that came from there is the edit that it was, so that undoing loses nothing."""
    goal = digest_of(passage.after.to_dict())
    known = {(body["edit"], body["taxonomy"]): body["of"] for body in repository.records("carried")}
    names = [edit.edit_id, *(body["of"] for body in repository.records("fitted") if body["edit"] == edit.edit_id)]
    former = next((known[name, goal] for name in names if (name, goal) in known), None)
    if former is not None:
        return repository.edit(former)
    found = passage.carried(edit)
    if found.edit_id != edit.edit_id and (found.edit_id, digest_of(passage.before.to_dict())) not in known:
        body = {"edit": found.edit_id, "of": edit.edit_id, "taxonomy": digest_of(passage.before.to_dict())}
        repository.record("carried", body)
    return found


@dataclass(frozen=True, kw_only=True, eq=False)
class Passage:
    """Carries the edits of a recipe from one version of the label set to another.

    Parameters
    ----------
    before, after : the label set of the recipe, and of the rows on which it is replayed
    table : those rows, with tilth's columns
    schema : their schema
    """

    before: Taxonomy
    after: Taxonomy
    table: pa.Table
    schema: Schema

    def carried(self, edit: Edit) -> Edit:
        """Return an edit in the label set of the rows; labels that were several classes before are left out.

        A label that may be several classes afterwards empties the cell, as in the source, and is no longer trusted.
        """
        label = self.schema.task.label
        if label not in edit.set and TARGET not in edit.set and label not in edit.expects:
            return edit
        common = self.before.common_with(self.after)
        cells = dict(edit.set)
        moved = self._labels(cells[label], common, trusts=TRUSTED in cells) if label in cells else {}
        cells |= moved
        carriers: dict[str, Callable[[pa.Table], pa.Table]] = {
            TARGET: partial(self._targets, common=common),
            WEIGHT: lambda own: own,
        }
        for name, carry in carriers.items():
            if name in edit.set:
                cells[name] = _joined(moved.get(name), edit.set[name], carry)
        expects = {name: cell for name, cell in edit.expects.items() if name != label}
        if label in cells:
            expects[label] = self._as_they_are(cells[label].column(ROW_ID))
        return replace(edit, set={name: cell for name, cell in cells.items() if cell.num_rows}, expects=expects)

    def _labels(self, cells: pa.Table, common: int, *, trusts: bool) -> dict[str, pa.Table]:
        """Return the cells of label, target and trust that labels of before come to."""
        cells = self._earlier(cells, common)
        ids = cells.column(ROW_ID).combine_chunks()
        rows = np.asarray(pc.fill_null(pc.index_in(ids, value_set=self._ids), -1)).astype(np.intp)
        moved = move_labels(cells.column("value"), self.after, self._matches(rows), since=common)
        settled = np.asarray(moved.labels.is_valid())
        there = settled | (rows >= 0)
        found = {self.schema.task.label: pa.table({ROW_ID: ids, "value": moved.labels}).filter(pa.array(there))}
        if trusts:
            found[TRUSTED] = pa.table({ROW_ID: ids, "value": pa.array(settled)}).filter(pa.array(settled))
        if len(moved.open):
            mine = pa.array(moved.open)
            found[TARGET] = pa.table({ROW_ID: ids.take(mine), "value": target_column(moved.targets())})
            found[WEIGHT] = pa.table({ROW_ID: ids.take(mine), "value": pa.array(np.zeros(len(mine)))})
        return found

    def _earlier(self, cells: pa.Table, common: int) -> pa.Table:
        """Return labels by their names in the last version that both label sets share."""
        if self.before.version == common:
            return cells
        names = {name: earlier_name(self.before, name, common) for name in self.before.names}
        labels = pa.array([names.get(name) for name in cells.column("value").to_pylist()], pa.string())
        known = pa.table({ROW_ID: cells.column(ROW_ID), "value": labels})
        return known.filter(labels.is_valid())

    def _targets(self, cells: pa.Table, common: int) -> pa.Table:
        """Return an edit's own target cells in the classes of today; those of classes that are taken back are left out."""
        values = cells.column("value").combine_chunks()
        is_set = np.asarray(values.is_valid())
        if is_set.any() and self.before.version != common:
            return self._targets(cells.filter(pa.array(~is_set)), common)
        shares = np.zeros((len(is_set), len(self.after.names)))
        if is_set.any():
            mass = np.asarray(values.drop_null().flatten(), dtype=np.float64).reshape(int(is_set.sum()), -1)
            shares[is_set] = mass @ moved_mass(self.after, common)
        column = target_column(shares).take(pa.array(np.arange(len(is_set)), mask=~is_set))
        return pa.table({ROW_ID: cells.column(ROW_ID), "value": column})

    def _as_they_are(self, ids: pa.ChunkedArray) -> pa.Table:
        """Return what the rows' label cells hold now: what was expected of them was said of another label set."""
        at = pc.index_in(ids, value_set=self._ids)
        labels = self.table.column(self.schema.task.label).take(at)
        return pa.table({ROW_ID: ids, "value": labels}).filter(at.is_valid())

    @property
    def _ids(self) -> pa.Array:
        return self.table.column(ROW_ID).combine_chunks()

    def _matches(self, rows: IntVector) -> Matches:
        over = rules_over(self.table)
        return lambda predicate: over(predicate)[rows] & (rows >= 0)


def _joined(moved: pa.Table | None, own: pa.Table, carry: Callable[[pa.Table], pa.Table]) -> pa.Table:
    """Return the cells that an edit's labels come to, and its own of other rows, carried over."""
    if moved is None:
        return carry(own)
    others = pc.invert(pc.is_in(own.column(ROW_ID), value_set=moved.column(ROW_ID).combine_chunks()))
    return pa.concat_tables([moved, carry(own.filter(others))])
