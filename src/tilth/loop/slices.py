"""The declared slices of a project, and which rows of a version are in each.

Predicates read the table's columns, the label included, and what is known of rows: what the model says of them
(out-of-sample for train rows), and how many labelers vote. Functions of the Python file read the table's columns. A region,
which a file beside tilth.yaml holds, reads the features that the held encoders make of a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import Mask, Vector
from tilth.core.dataset import Dataset
from tilth.core.errors import ConfigError, NotApplicable, UnknownColumnError, first_three
from tilth.core.ids import digest_of
from tilth.core.names import ROW_ID, SPLIT, Split
from tilth.core.region import Region
from tilth.core.schema import ColumnType, Schema
from tilth.core.slice import Slice
from tilth.engine.predicate import Predicate
from tilth.loop._project import ProjectFile, SliceChoice
from tilth.loop._slice_lines import KNOWN_OF_ROWS
from tilth.loop.python_file import load_functions
from tilth.loop.region_files import read_region
from tilth.loop.visibility import HIDDEN, may_tell
from tilth.operators.batch import batches
from tilth.operators.function_digest import Unseen, function_digest
from tilth.operators.rules import FunctionSlice

__all__ = [
    "DeclaredSlice",
    "KnownOfRows",
    "NearRegion",
    "declared_slices",
    "is_judgeable",
    "predicate_rows",
    "shown_rule",
    "slice_rows",
]

MOST_VALUES = 30
"""Slices that one `each` makes: of the most frequent values."""
KnownOfRows = Callable[[], Mapping[str, pa.Array]]
"""Gives what is known of all rows of a version, by the names of `KNOWN_OF_ROWS`, computed when it is first asked for."""
NearRegion = Callable[[Region], Vector]
"""Gives how far all rows of a version belong to a region, (n,) in [0, 1]; NotApplicable where other encoders made it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredSlice:
    """A slice of a project as it is written.

    Parameters
    ----------
    name : what it is called
    where : its predicate, or ""
    each : columns whose values, or combinations of values, are a slice each
    function : the function that says who is in it
    region : the region of embeddings that it is
    key : the digest of what decides who is in it, besides the rows; "" where that is not known
    written : the file and the line
    is_discovered : whether no person declared it: the last run discovered it
    """

    name: str
    where: str = ""
    each: tuple[str, ...] = ()
    function: FunctionSlice | None = None
    region: Region | None = None
    key: str = ""
    written: str = ""
    is_discovered: bool = False


def declared_slices(file: ProjectFile, folder: Path) -> tuple[DeclaredSlice, ...]:
    """Return the slices of tilth.yaml, then those of the Python file.

    Raises
    ------
    ConfigError
        Two have one name, or the Python file, or a region's file, cannot be loaded.
    UnknownColumnError
        A function declares a column that there is not.
    """
    found = [_of_line(one, folder) for one in file.slices]
    if file.python is not None and (folder / file.python).is_file():
        path = folder / file.python
        written = [one for one in load_functions(path) if isinstance(one, FunctionSlice)]
        found += [_of_function(one, file.schema, path) for one in written]
    first: dict[str, DeclaredSlice] = {}
    for one in found:
        if first.setdefault(one.name, one) is not one:
            raise ConfigError(
                f"two slices are called {one.name!r}",
                where=f"{first[one.name].written}; {one.written}",
                next_step="give one of them another name",
            )
    return tuple(found)


def _of_line(one: SliceChoice, folder: Path) -> DeclaredSlice:
    region, key = None, repr(one)
    if one.region:
        region, text = read_region(folder / one.region, one.where_written)
        key = digest_of([one.name, text])
    return DeclaredSlice(
        name=one.name, where=one.where, each=one.each, region=region, key=key, written=one.where_written
    )


def _of_function(function: FunctionSlice, schema: Schema, path: Path) -> DeclaredSlice:
    written = f"{path}, line {function.line}"
    for column in function.columns:
        if column not in schema.names:
            raise UnknownColumnError.among(column, schema.names, where=f"slice {function.name!r}, {written}")
    try:
        key = function_digest(function.function, path.parent)
    except Unseen:
        key = ""
    return DeclaredSlice(name=function.name, function=function, key=key, written=written)


def slice_rows(
    declared: Sequence[DeclaredSlice], dataset: Dataset, known: KnownOfRows, near: NearRegion | None = None
) -> tuple[list[tuple[Slice, Mask]], list[str]]:
    """Return the slices of a version with their rows (n,) in storage order, and what a reader must know.

    A region that says nothing of this version's features is left out, with a note.
    """
    found: list[tuple[Slice, Mask]] = []
    notes: list[str] = []
    for one in declared:
        if one.function is not None:
            rows, said = _function_rows(one, one.function, dataset)
            found.append((Slice(name=one.name, function=one.name), rows))
            notes += said
            continue
        if one.region is not None:
            found += _region_rows(one, one.region, near, notes)
            continue
        plain = [Slice(name=one.name, where=one.where)] if one.where else list(_of_each(one, dataset, notes))
        found += [(each, predicate_rows(each, dataset, known)) for each in plain]
    notes += [f"slice {one.name!r} has no row" for one, rows in found if not rows.any()]
    return found, notes


def is_judgeable(one: Slice, schema: Schema) -> bool:
    """Whether a slice's score can be compared with a later one: not where its rows were chosen by whether the model is right."""
    if not one.where:
        return True
    named = set(Predicate(one.where).columns)
    return "tilth_correct" not in named and not {"tilth_predicted", schema.task.label} <= named


def shown_rule(one: Slice, schema: Schema) -> str:
    """Return a slice's rule, or "" where it would quote cells of a column that is not shown."""
    if one.where and not all(may_tell(schema, name) for name in Predicate(one.where).columns):
        return ""
    return one.rule


def predicate_rows(one: Slice, dataset: Dataset, known: KnownOfRows) -> Mask:
    """Return the rows of a version for which a slice's predicate is true; (n,)."""
    predicate = Predicate(one.where)
    names = [name for name in predicate.columns if name not in KNOWN_OF_ROWS]
    table = dataset.read(*dict.fromkeys([ROW_ID, *names]))
    if set(predicate.columns) & set(KNOWN_OF_ROWS):
        facts = known()
        for name in predicate.columns:
            if name in KNOWN_OF_ROWS:
                table = table.append_column(name, facts[name])
    try:
        return np.concatenate([predicate.holds(batch) for batch in batches(table, list(predicate.columns))])
    except ArithmeticError as error:
        raise ConfigError(
            f"slice {one.name!r} cannot be computed on some cell: {error}",
            where=one.where,
            next_step="use TRY_CAST, or leave such cells out: column IS NOT NULL AND …",
        ) from None


def _region_rows(
    one: DeclaredSlice, region: Region, near: NearRegion | None, notes: list[str]
) -> list[tuple[Slice, Mask]]:
    try:
        if near is None:
            raise NotApplicable("no features are known here")
        rows = near(region) >= region.least
    except NotApplicable as refusal:
        notes.append(f"slice {one.name!r} is left out: {refusal.what} ({one.written})")
        return []
    return [(Slice(name=one.name, region=region), np.asarray(rows))]


def _function_rows(one: DeclaredSlice, function: FunctionSlice, dataset: Dataset) -> tuple[Mask, list[str]]:
    heavy = (ColumnType.IMAGE, ColumnType.EMBEDDING)
    usual = [column.name for column in dataset.schema.columns if column.type not in heavy]
    names = list(function.columns or usual)
    table = dataset.read(*dict.fromkeys([ROW_ID, *names]))
    parts = [function.ruled(batch) for batch in batches(table, names)]
    failed = [failure for part in parts for failure in part.failures]
    notes = []
    if failed:
        what = failed[0].error if all(may_tell(dataset.schema, name) for name in names) else "an error"
        rows = first_three([failure.row_id for failure in failed])
        notes.append(f"slice {one.name!r} failed on {len(failed):,} rows, which are not in it: rows {rows}: {what}")
    return np.concatenate([part.holds for part in parts]), notes


# -- one slice per value -----------------------------------------------------------------------------------------------


def _of_each(one: DeclaredSlice, dataset: Dataset, notes: list[str]) -> Iterator[Slice]:
    """Yield a slice per combination of values that train rows have, the most frequent ones."""
    train = dataset.read(*dict.fromkeys([SPLIT, *one.each]))
    train = train.filter(pc.equal(train.column(SPLIT), str(Split.TRAIN))).select(list(one.each))
    counted = train.group_by(list(one.each)).aggregate([([], "count_all")]).to_pylist()
    ordered = sorted(counted, key=lambda row: (-row["count_all"], [str(row[name]) for name in one.each]))
    if len(ordered) > MOST_VALUES:
        notes.append(
            f"slice {one.name!r}: {' × '.join(one.each)} has {len(ordered):,} values; the {MOST_VALUES} most frequent are slices"
        )
    for place, row in enumerate(ordered[:MOST_VALUES], start=1):
        where = " AND ".join(_equals(name, row[name]) for name in one.each)
        yield Slice(name=_name(dataset.schema, one.each, row, place), where=where)


def _name(schema: Schema, columns: Sequence[str], row: Mapping[str, Any], place: int) -> str:
    if not all(may_tell(schema, name) for name in columns):
        return f"{' × '.join(columns)} = {HIDDEN} {place}"
    return " and ".join(f"{name} = {row[name]}" for name in columns)


def _equals(column: str, value: Any) -> str:
    name = '"' + column.replace('"', '""') + '"'
    if value is None:
        return f"{name} IS NULL"
    if isinstance(value, bool | int | float):
        return f"{name} = {value!r}".lower() if isinstance(value, bool) else f"{name} = {value!r}"
    text = str(value).replace("'", "''")
    return f"{name} = '{text}'" if isinstance(value, str) else f"CAST({name} AS VARCHAR) = '{text}'"
