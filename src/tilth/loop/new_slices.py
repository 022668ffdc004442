"""The slices of a project among new rows: which of them belong to each, beside the share that train rows have there.

A slice that reads what nobody knows of new rows (the label, whether the model is right, votes) is left out, with a note.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from tilth.core.arrays import FloatMatrix32, Mask, Matrix
from tilth.core.dataset import Dataset
from tilth.core.names import Split
from tilth.core.new_slice import NewSlice
from tilth.core.partitions import TableRows
from tilth.core.slice import Slice
from tilth.engine.predicate import Predicate
from tilth.loop._slice_lines import KNOWN_OF_ROWS
from tilth.loop.declared_rows import declared_rows, near_of
from tilth.loop.slices import DeclaredSlice, slice_rows
from tilth.loop.workshop import Workshop
from tilth.store.version import Version

__all__ = ["SliceOfNew", "lines_of", "slices_of_new"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SliceOfNew:
    """A slice with its rows.

    Parameters
    ----------
    name, is_declared : as in `NewSlice`
    rows : (n,) of the version, in storage order
    new_rows : (m,) of the new rows, in their order
    """

    name: str
    is_declared: bool
    rows: Mask
    new_rows: Mask


def slices_of_new(
    workshop: Workshop, version: Version, table: pa.Table, features: FloatMatrix32, predicted: Matrix
) -> tuple[list[SliceOfNew], list[str]]:
    """Return the workshop's slices that can be told among new rows, and what a reader must know.

    Parameters
    ----------
    workshop, version : the slices, and the version whose rows they are compared with
    table : new rows with ids, in the types of the schema
    features : (m, d) by the held encoders
    predicted : (m, k) probabilities, or (m, 1) numbers
    """
    if not workshop.slices:
        return [], []
    found, notes = declared_rows(workshop, version)
    new, known = _dataset(table, version), _known(version, predicted)
    functions = {one.name: one for one in workshop.slices if one.function is not None}
    discovered = {one.name for one in workshop.slices if one.is_discovered}
    told: dict[str, SliceOfNew] = {}
    for one, rows in found:
        lacks = _lacking(one, functions, table.column_names, known)
        if lacks:
            notes.append(f"slice {one.name!r} is left out: nobody knows {lacks} of new rows")
            continue
        own = functions.get(one.function) or DeclaredSlice(name=one.name, where=one.where, region=one.region)
        inside, said = slice_rows([own], new, _always(known), near_of(workshop, version, features))
        notes += said
        told[one.name] = SliceOfNew(
            name=one.name, is_declared=one.name not in discovered, rows=rows, new_rows=inside[0][1]
        )
    return list(told.values()), [note for note in notes if not note.endswith("has no row")]


def lines_of(told: Sequence[SliceOfNew], dataset: Dataset) -> tuple[NewSlice, ...]:
    """Return how many new rows belong to each slice, beside the share of train rows."""
    train = dataset.mask(Split.TRAIN)
    return tuple(
        NewSlice(
            name=one.name,
            is_declared=one.is_declared,
            rows=int(one.new_rows.sum()),
            share=float(one.new_rows.mean()),
            train_share=float(one.rows[train].mean()) if train.any() else 0.0,
        )
        for one in told
    )


def _dataset(table: pa.Table, version: Version) -> Dataset:
    """Return new rows as a dataset that has the columns which are there."""
    schema = version.schema
    there = tuple(column for column in schema.columns if column.name in table.column_names)
    return Dataset(rows=TableRows(table), schema=replace(schema, columns=there), sums={}, version_id="new")


def _known(version: Version, predicted: Matrix) -> Mapping[str, pa.Array]:
    task = version.schema.task
    if task.is_regression:
        return {"tilth_predicted": pa.array(predicted[:, 0])}
    decided = pa.array(task.classes, pa.string()).take(pa.array(predicted.argmax(axis=1)))
    return {"tilth_predicted": decided, "tilth_confidence": pa.array(np.asarray(predicted.max(axis=1)))}


def _always(known: Mapping[str, pa.Array]) -> Callable[[], Mapping[str, pa.Array]]:
    return lambda: known


def _lacking(
    one: Slice, functions: Mapping[str, DeclaredSlice], columns: Sequence[str], known: Mapping[str, pa.Array]
) -> str:
    """Return the first of the names that a slice reads which new rows have not; "" where they have all."""
    if one.where:
        names: Sequence[str] = list(Predicate(one.where).columns)
    else:
        own = functions.get(one.function)
        names = () if own is None or own.function is None else own.function.columns
    there = {*known, *(name for name in columns if name not in KNOWN_OF_ROWS)}
    return next((repr(name) for name in names if name not in there), "")
