"""Bring a source in: typed columns, row ids, splits and tilth's own columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import Mask
from tilth.core.errors import DuplicateIdError, SchemaChangedError, did_you_mean, first_three
from tilth.core.ids import cell_digests, digest_of, hex_ids, row_digests
from tilth.core.names import AUGMENT, PARENTS, ROW_ID, SPLIT, TARGET, TRUSTED, WEIGHT, Split
from tilth.core.schema import ColumnType, Role, Schema, TaskType
from tilth.core.taxonomy import Taxonomy
from tilth.loop.frames import class_codes, numeric_labels
from tilth.loop.moving import moved_labels, rules_to_check, with_moved_labels
from tilth.loop.splits import ROW_ORDER, Assignment, SplitPlan, SplitRows, assign
from tilth.sources import RawSource, is_day_first, normalise

__all__ = ["Ingested", "fingerprint", "ingest", "plan_mark", "refuse_changed_columns", "row_ids"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Ingested:
    """A source ready to be committed."""

    table: pa.Table
    facts: dict[str, Any]
    warnings: tuple[str, ...]


def ingest(
    raw: RawSource,
    schema: Schema,
    plan: SplitPlan,
    seed: int,
    previous: pa.Table | None = None,
    day_first: Sequence[str] | None = None,
    *,
    cut: bool = True,
    taxonomy: Taxonomy | None = None,
) -> Ingested:
    """Return the source with types, row ids and splits, its labels carried to the label set of today.

    Parameters
    ----------
    raw : what was read
    schema : what tilth.yaml says of the columns
    plan : how rows are split
    seed : decides every cut
    day_first : columns of dates like 31/12/2020, where an earlier ingest has settled it
    previous : `_tilth_id` and `_tilth_split` of the last source: rows that were there keep the split that was cut for them
    cut : whether missing splits are cut; without, every labelled row that names no split learns
    taxonomy : the label set in all its versions, where it was migrated; ids and splits go by the labels as the source has them
    """
    now, schema = schema, schema if taxonomy is None else _as_named(schema, taxonomy)
    refuse_changed_columns(raw.table, schema)
    _refuse_lost_labels(raw.table, schema, previous)
    days = list(_day_first(raw.table, schema) if day_first is None else day_first)
    typed, warnings = normalise(raw.table, schema, day_first=days)
    ids = row_ids(typed, schema)
    given = _given_splits(raw, plan)
    rows = _split_rows(typed, schema, plan, ids, given)
    assignment = _assigned(rows, plan, seed, schema, cut=cut)
    splits = _kept_splits(ids, assignment.splits, rows, plan, previous)
    table = _with_system_columns(typed, now, ids, splits)
    if taxonomy is not None:
        moved = moved_labels(table, now, taxonomy)
        table = with_moved_labels(table, now, moved)
    marks = {"fingerprint": fingerprint(raw, now, plan, seed, taxonomy), "plan": plan_mark(schema, plan, seed)}
    facts = _by_row_id(raw.facts, ids) | marks | {"day_first": days, "time": plan.time}
    if taxonomy is not None:
        facts |= {"taxonomy": taxonomy.to_dict(), "rules": rules_to_check(moved, ids, seed)}
    notes = (*raw.facts.get("warnings", ()), *warnings, *assignment.notes)
    return Ingested(table=table, facts=facts, warnings=notes)


def _as_named(schema: Schema, taxonomy: Taxonomy) -> Schema:
    """Return the schema by which the source's labels are read: its names may be of any version of the label set."""
    task = replace(schema.task, type=TaskType.MULTICLASS, classes=taxonomy.every_name)
    return schema.with_task(task)


def _by_row_id(facts: Mapping[str, Any], ids: pa.Array) -> dict[str, Any]:
    """Return a source's facts with the rows of broken images by id: a position means nothing once an edit has moved rows."""
    broken = [(None if row is None else ids[row].as_py(), path, why) for row, path, why in facts["broken_images"]]
    return dict(facts) | {"broken_images": broken}


def _day_first(table: pa.Table, schema: Schema) -> list[str]:
    """Return the columns whose dates are written day first, as their cells tell."""
    dates = [c.name for c in schema.columns if c.type is ColumnType.DATE and c.name in table.column_names]
    return [name for name in dates if is_day_first(table.column(name))]


def fingerprint(raw: RawSource, schema: Schema, plan: SplitPlan, seed: int, taxonomy: Taxonomy | None = None) -> str:
    """Return a digest of the files' contents and of how they are read: equal digests, equal ingest."""
    files = [file.get("digest") for file in raw.facts.get("files", ())]
    if not all(files) or not files:
        files = [row_digests(raw.table, raw.table.column_names).sum(axis=0, dtype=np.uint64).tolist()]
    migrated = [] if taxonomy is None else [taxonomy.to_dict()]
    return digest_of([files, schema.to_dict(), _plan_facts(plan), seed, *migrated])


def plan_mark(schema: Schema, plan: SplitPlan, seed: int) -> str:
    """Return a digest of what decides a cut besides the rows; where it changes, splits are cut anew."""
    return digest_of([_plan_facts(plan), schema.first(Role.GROUP), seed])


def _plan_facts(plan: SplitPlan) -> list[Any]:
    return [plan.column, {k: str(v) for k, v in plan.names.items()}, list(plan.shares), plan.time]


def refuse_changed_columns(table: pa.Table, schema: Schema) -> None:
    """Refuse a source that lacks columns which tilth.yaml names."""
    lost = [name for name in schema.names if name not in table.column_names and name != schema.task.label]
    if lost:
        new = [name for name in table.column_names if name not in schema.names and name != SPLIT]
        guess = did_you_mean(lost[0], new)
        raise SchemaChangedError(
            f"the source no longer has {first_three(lost)}.{guess}",
            where="tilth.yaml, columns",
            next_step="bring the column back, or rename or delete it in tilth.yaml",
        )


def _refuse_lost_labels(table: pa.Table, schema: Schema, previous: pa.Table | None) -> None:
    """Refuse a source whose label column is gone, where the last source had labels."""
    label = schema.task.label
    if label in table.column_names or previous is None:
        return
    if any(name != str(Split.POOL) for name in previous.column(SPLIT).unique().to_pylist()):
        guess = did_you_mean(label, [name for name in table.column_names if name not in schema.names])
        raise SchemaChangedError(
            f"the source no longer has the label column {label!r}.{guess}",
            where="tilth.yaml, label",
            next_step="bring the column back, or rename it in tilth.yaml",
        )


def _assigned(rows: SplitRows, plan: SplitPlan, seed: int, schema: Schema, *, cut: bool) -> Assignment:
    """Return where each row stands; rows that nobody has labelled yet are the pool, all of them."""
    if not rows.labelled.any() and schema.task.classes:
        return Assignment(splits=np.full(len(rows.labelled), Split.POOL, dtype="<U6"), notes=[])
    if not cut and rows.given is None:
        return Assignment(splits=np.where(rows.labelled, Split.TRAIN, Split.POOL).astype("<U6"), notes=[])
    return assign(rows, plan, seed)


def row_ids(table: pa.Table, schema: Schema) -> pa.Array:
    """Return row ids: the user's id column, else the digest of the row and how often it occurred before.

    Ids that may not be shown are known by their digest, for row ids stand in every output. Raises DuplicateIdError where
    the user's ids repeat or are missing.
    """
    column = schema.first(Role.ID)
    if column is not None:
        ids = _given_ids(table.column(column), column)
        return ids if schema.may_show(column) else pa.array([name[:16] for name in hex_ids(cell_digests(ids))])
    digests = row_digests(table, [c.name for c in schema.columns if c.role is not Role.SPLIT])
    names = [name[:16] for name in hex_ids(digests)]
    seen: dict[str, int] = {}
    ids = []
    for name in names:
        again = seen.get(name, 0)
        seen[name] = again + 1
        ids.append(f"{name}-{again}" if again else name)
    return pa.array(ids, pa.string())


def _given_ids(column: pa.ChunkedArray, name: str) -> pa.Array:
    ids = column.cast(pa.string()).combine_chunks()
    if ids.null_count:
        rows = np.flatnonzero(np.asarray(ids.is_null()))
        raise DuplicateIdError(
            f"{ids.null_count:,} rows have no id", where=f"column {name!r}, rows {first_three(rows + 1)}"
        )
    counts = pc.value_counts(ids)
    twice = counts.filter(pc.greater(counts.field("counts"), 1)).field("values")
    if len(twice):
        raise DuplicateIdError(
            f"{len(twice):,} ids occur more than once",
            where=f"column {name!r}, ids {first_three(twice.to_pylist())}",
            next_step="make the ids unique, or give the column another role in tilth.yaml so that tilth makes ids",
        )
    return ids


def _given_splits(raw: RawSource, plan: SplitPlan) -> list[str | None] | None:
    name = plan.column if plan.column is not None else SPLIT if SPLIT in raw.table.column_names else None
    if name is None or name not in raw.table.column_names:
        return None
    values: list[str | None] = raw.table.column(name).cast(pa.string()).to_pylist()
    return values


def _split_rows(
    table: pa.Table, schema: Schema, plan: SplitPlan, ids: pa.Array, given: Sequence[str | None] | None
) -> SplitRows:
    is_regression = schema.task.is_regression
    numbers, labelled = numeric_labels(table, schema) if is_regression else (None, np.zeros(0, dtype=bool))
    codes, labelled = (None, labelled) if is_regression else class_codes(table, schema)
    group = schema.first(Role.GROUP)
    groups = None if group is None else table.column(group).cast(pa.string()).combine_chunks().dictionary_encode()
    features = [c.name for c in schema.columns if c.role in (Role.FEATURE, Role.TIME)]
    duplicates = np.unique(row_digests(table, features)[:, 0], return_inverse=True)[1] if features else None
    return SplitRows(
        digests=cell_digests(ids),
        labelled=labelled,
        given=given,
        classes=codes,
        numbers=numbers,
        class_names=schema.task.classes,
        groups=None if groups is None else np.asarray(pc.fill_null(groups.indices, 0)).astype(np.intp),
        grouped=None if groups is None else np.asarray(groups.indices.is_valid()),
        duplicates=None if plan.time == ROW_ORDER or duplicates is None else duplicates.astype(np.intp),
        time=None if plan.time in (None, ROW_ORDER) else np.asarray(table.column(plan.time)),
    )


def _kept_splits(
    ids: pa.Array, fresh: np.ndarray, rows: SplitRows, plan: SplitPlan, previous: pa.Table | None
) -> np.ndarray:
    """Keep the splits that were cut for known rows, so that dev and test stay the same rows when the source grows.

    What the source itself names wins: a row is only moved back to a split that no row of the source is given. A new row
    that belongs with known ones (a copy, a row of their group) joins them.
    """
    if previous is None:
        return fresh
    at = pc.index_in(ids, value_set=previous.column(ROW_ID).combine_chunks())
    known = np.asarray(pc.is_valid(at))
    old = np.full(len(fresh), "", dtype="<U6")
    old[known] = previous.column(SPLIT).take(pc.drop_null(at)).to_pylist()
    learnable = fresh != str(Split.POOL)
    from_cut, agrees = _may_move(fresh, old, rows.given, plan)
    keeps = known & learnable & (old != str(Split.POOL)) & agrees
    kept = np.where(keeps, old, fresh)
    return _joined(kept, keeps & from_cut, learnable & from_cut & ~known, rows)


def _may_move(
    fresh: np.ndarray, old: np.ndarray, given: Sequence[str | None] | None, plan: SplitPlan
) -> tuple[Mask, Mask]:
    """Return which rows a cut has placed, not the source, and which rows may stand where they stood before."""
    if given is None:
        return np.ones(len(fresh), dtype=bool), np.ones(len(fresh), dtype=bool)
    meant = {name: str(plan.split_of(name)) for name in set(given) if name is not None}
    named = np.array([meant.get(name or "", "") for name in given], dtype="<U6")
    from_cut = np.isin(named, np.unique(named[(named != fresh) & (fresh != str(Split.POOL))]))
    was_cut = ~np.isin(old, list(meant.values()))
    return from_cut, (old == named) | (from_cut & was_cut)


def _joined(kept: np.ndarray, known: Mask, new: Mask, rows: SplitRows) -> np.ndarray:
    """Put new rows where the known rows stand that they belong with, so that copies never stand on two sides."""
    if not new.any() or not known.any():
        return kept
    units = rows.units(np.arange(len(kept)))
    first = dict(zip(units[known][::-1].tolist(), kept[known][::-1].tolist(), strict=True))
    for row in np.flatnonzero(new):
        kept[row] = first.get(int(units[row]), kept[row])
    return kept


def _with_system_columns(table: pa.Table, schema: Schema, ids: pa.Array, splits: np.ndarray) -> pa.Table:
    n, k = table.num_rows, max(schema.task.n_classes, 1)
    columns = {name: table.column(name) for name in schema.names}
    columns[ROW_ID] = ids
    columns[SPLIT] = pa.array([str(s) for s in splits], pa.string())
    columns[TARGET] = pa.nulls(n, pa.list_(pa.float32(), k))
    columns[WEIGHT] = pa.nulls(n, pa.float64())
    columns[TRUSTED] = pa.array(np.zeros(n, dtype=bool))
    columns[PARENTS] = pa.nulls(n, pa.list_(pa.string()))
    columns[AUGMENT] = pa.nulls(n, pa.string())
    return pa.table(columns)
