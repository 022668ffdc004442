"""Rows through a transform: its columns chosen, what it must know learnt from train rows, its answers checked and joined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from tilth.core.arrays import Mask
from tilth.core.draw import Draw
from tilth.core.errors import ConfigError, ContractError, NotApplicable, UnknownColumnError
from tilth.core.partitions import BLOCK_ROWS
from tilth.core.said import Failure
from tilth.core.schema import Schema
from tilth.core.transformed import Transformed
from tilth.operators.batch import Batch, batches
from tilth.operators.transforming import differing
from tilth.operators.transforms import FunctionTransform

__all__ = ["Varied", "changed_columns", "learnt", "vary"]

LOOKED_AT = 20
"""Rows on which it is checked that a transform gives the same twice."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Varied:
    """Rows after a transform: the table with its columns changed, which rows are changed, on which it failed."""

    table: pa.Table
    applied: Mask
    failures: tuple[Failure, ...]


def changed_columns(transform: Any, schema: Schema) -> tuple[str, ...]:
    """Return the feature columns that a transform is handed.

    Raises
    ------
    UnknownColumnError, ConfigError
        It names a column that there is not, that the model does not read, or that is of a type which it does not accept.
    NotApplicable
        No feature is of a type that it accepts.
    """
    features = {column.name: column.type for column in schema.features}
    for name in transform.columns:
        if name not in schema.names:
            raise UnknownColumnError.among(name, features)
        if name not in features:
            raise ConfigError(f"column {name!r} is no feature: no prediction depends on it", next_step="name a feature")
        if features[name] not in transform.accepts:
            wanted = " or ".join(sorted(transform.accepts))
            raise ConfigError(
                f"column {name!r} is of type {features[name]}, and it changes columns of type {wanted}",
                next_step="name another column, or another transform",
            )
    names = transform.columns or tuple(name for name, kind in features.items() if kind in transform.accepts)
    if not names:
        wanted = " or ".join(sorted(transform.accepts))
        raise NotApplicable(f"it changes columns of type {wanted}, and the model reads none")
    return tuple(names)


def learnt(transform: Any, train: pa.Table, columns: tuple[str, ...], labels: pa.Array | None = None) -> Any:
    """Return a transform that has learnt from train rows, where it goes by what is usual in the data.

    `labels` (n,) are the rows' labels as text, null where there is none: for those that go by classes too.
    """
    if not hasattr(transform, "learn"):
        return transform
    (batch,) = batches(train, columns, max(train.num_rows, 1))
    if labels is not None and getattr(transform, "learns_labels", False):
        return transform.learn(batch, labels)
    return transform.learn(batch)


def vary(transform: Any, table: pa.Table, columns: tuple[str, ...], draw: Draw, block_rows: int = BLOCK_ROWS) -> Varied:
    """Return rows after a transform.

    Parameters
    ----------
    transform : any with the verb apply
    table : `_tilth_id` and the features of n rows
    columns : what it is handed
    draw : its random numbers
    block_rows : rows of a block; results do not depend on it

    Raises
    ------
    ContractError
        It changed types, columns or the number of rows, or did not give the same twice.
    """
    for block in batches(table.slice(0, LOOKED_AT), columns):
        _refuse_dice(transform, block, draw)
    found = [_checked(transform, block, draw) for block in batches(table, columns, block_rows)]
    varied = table
    for name in columns:
        cells = pa.chunked_array([one.columns[name] for one in found])
        varied = varied.set_column(varied.column_names.index(name), name, cells)
    return Varied(
        table=varied,
        applied=np.concatenate([one.applied for one in found]),
        failures=tuple(failure for one in found for failure in one.failures),
    )


def _checked(transform: Any, block: Batch, draw: Draw) -> Transformed:
    after = transform.apply(block, draw)
    if not isinstance(after, Transformed) or set(after.columns) != set(block.columns) or len(after) != len(block):
        raise ContractError(
            f"it answered {after!r}"[:200], next_step="return Transformed with the same columns and rows"
        )
    for name, cells in after.columns.items():
        if cells.type != block.column(name).type:
            raise ContractError(f"column {name!r} came back as {cells.type}", next_step="keep the type of a column")
    return after


def _refuse_dice(transform: Any, block: Batch, draw: Draw) -> None:
    """Refuse a transform that gives something else when it is asked again about the same rows."""
    first, again = (_checked(transform, block, draw) for _ in range(2))
    for name in block.columns:
        if differing(first.columns[name], again.columns[name]).any():
            raise ContractError(
                f"it is not deterministic: column {name!r} of the same rows came out differently the second time",
                where=f"row {block.ids[int(np.flatnonzero(differing(first.columns[name], again.columns[name]))[0])].as_py()}",
                next_step="draw random numbers from the second argument of the function: def name(row, random)"
                if isinstance(transform, FunctionTransform)
                else "draw from `draw` only",
            )
