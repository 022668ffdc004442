"""Bring a source in: typed columns, row ids, splits and tilth's own columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.errors import DuplicateIdError, SchemaChangedError, did_you_mean, first_three
from tilth.core.ids import cell_digests, digest_of, hex_ids, row_digests
from tilth.core.names import PARENTS, ROW_ID, SPLIT, TARGET, TRUSTED, WEIGHT, Split
from tilth.core.schema import ColumnType, Role, Schema
from tilth.loop.frames import class_codes, numeric_labels
from tilth.loop.splits import ROW_ORDER, SplitPlan, SplitRows, assign
from tilth.sources import RawSource, is_day_first, normalise

__all__ = ["Ingested", "ingest", "refuse_changed_columns", "row_ids"]


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
) -> Ingested:
    """Return the source with types, row ids and splits.

    Parameters
    ----------
    raw : what was read
    schema : what tilth.yaml says of the columns
    plan : how rows are split
    seed : decides every cut
    day_first : columns of dates like 31/12/2020, where an earlier ingest has settled it
    previous : `_tilth_id` and `_tilth_split` of the last source: rows that were there keep the split that was cut for them
    """
    refuse_changed_columns(raw.table, schema)
    days = list(_day_first(raw.table, schema) if day_first is None else day_first)
    typed, warnings = normalise(raw.table, schema, day_first=days)
    ids = row_ids(typed, schema)
    given = _given_splits(raw, plan)
    rows = _split_rows(typed, schema, plan, ids, given)
    assignment = assign(rows, plan, seed)
    splits = _kept_splits(ids, assignment.splits, given, plan, previous)
    table = _with_system_columns(typed, schema, ids, splits)
    facts = dict(raw.facts) | {"fingerprint": fingerprint(raw, schema, plan, seed), "day_first": days}
    notes = (*raw.facts.get("warnings", ()), *warnings, *assignment.notes)
    return Ingested(table=table, facts=facts, warnings=notes)


def _day_first(table: pa.Table, schema: Schema) -> list[str]:
    """Return the columns whose dates are written day first, as their cells tell."""
    dates = [c.name for c in schema.columns if c.type is ColumnType.DATE and c.name in table.column_names]
    return [name for name in dates if is_day_first(table.column(name))]


def fingerprint(raw: RawSource, schema: Schema, plan: SplitPlan, seed: int) -> str:
    """Return a digest of the files' contents and of how they are read: equal digests, equal ingest."""
    files = [file.get("digest") for file in raw.facts.get("files", ())]
    if not all(files) or not files:
        files = [row_digests(raw.table, raw.table.column_names).sum(axis=0, dtype=np.uint64).tolist()]
    plan_facts = [plan.column, {k: str(v) for k, v in plan.names.items()}, list(plan.shares), plan.time]
    return digest_of([files, schema.to_dict(), plan_facts, seed])


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


def row_ids(table: pa.Table, schema: Schema) -> pa.Array:
    """Return row ids: the user's id column, else the digest of the row and how often it occurred before.

    Raises DuplicateIdError where the user's ids repeat or are missing.
    """
    column = schema.first(Role.ID)
    if column is not None:
        return _given_ids(table.column(column), column)
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
    labels, labelled = (numeric_labels if schema.task.is_regression else class_codes)(table, schema)
    group = schema.first(Role.GROUP)
    groups = None if group is None else table.column(group).cast(pa.string()).combine_chunks().dictionary_encode()
    features = [c.name for c in schema.columns if c.role in (Role.FEATURE, Role.TIME)]
    duplicates = np.unique(row_digests(table, features)[:, 0], return_inverse=True)[1] if features else None
    return SplitRows(
        digests=cell_digests(ids),
        labelled=labelled,
        given=given,
        classes=None if schema.task.is_regression else labels,
        numbers=labels if schema.task.is_regression else None,
        class_names=schema.task.classes,
        groups=None if groups is None else np.asarray(pc.fill_null(groups.indices, 0)).astype(np.intp),
        grouped=None if groups is None else np.asarray(groups.indices.is_valid()),
        duplicates=None if plan.time == ROW_ORDER or duplicates is None else duplicates.astype(np.intp),
        time=None if plan.time in (None, ROW_ORDER) else np.asarray(table.column(plan.time)),
    )


def _kept_splits(
    ids: pa.Array,
    fresh: np.ndarray,
    given: Sequence[str | None] | None,
    plan: SplitPlan,
    previous: pa.Table | None,
) -> np.ndarray:
    """Keep the splits that were cut for known rows, so that dev and test stay the same rows when the source grows.

    What the source itself names wins: a row is only moved back to a split that no row of the source is given.
    """
    if previous is None:
        return fresh
    meant = {plan.split_of(name) for name in set(given or ()) if name is not None}
    at = pc.index_in(ids, value_set=previous.column(ROW_ID).combine_chunks())
    known = np.asarray(pc.is_valid(at))
    old = np.asarray(previous.column(SPLIT).take(pc.drop_null(at)).to_pylist(), dtype=object)
    kept = fresh.astype(object)
    rows = np.flatnonzero(known)
    cut = np.array([Split(name) not in meant for name in old], dtype=bool)
    learnable = (fresh[rows] != str(Split.POOL)) & (old != str(Split.POOL))
    chosen = rows[cut & learnable] if given is not None else rows[learnable]
    kept[chosen] = old[cut & learnable] if given is not None else old[learnable]
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
    return pa.table(columns)
