"""Strategies for Hypothesis: tables with tilth's own columns, edits that fit them, labels with predictions.

Hypothesis is asked for when a strategy is made, not when this file is imported: the default install does not bring it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Matrix
from tilth.core.edit import Edit, Verb
from tilth.core.errors import MissingExtraError
from tilth.core.names import AUGMENT, PARENTS, ROW_ID, SPLIT, TARGET, TRUSTED, WEIGHT, Split
from tilth.core.spec import Spec

if TYPE_CHECKING:
    from hypothesis import strategies as st
    from hypothesis.strategies import DrawFn, SearchStrategy
else:

    class _Strategies:
        """Hypothesis' strategies, imported when the first one is made."""

        def __getattr__(self, name: str) -> Any:
            """Return a strategy by name; raises MissingExtraError without Hypothesis."""
            try:
                return getattr(import_module("hypothesis.strategies"), name)
            except ImportError as error:
                raise MissingExtraError(
                    "strategies need hypothesis, which is not installed", next_step="pip install hypothesis"
                ) from error

    st = _Strategies()

__all__ = ["SPEC", "cells", "edits", "labels_and_probs", "tables"]

SPEC = Spec(room="testing", name="strategies")
N_CLASSES = 2
CELL_TYPES: dict[str, pa.DataType] = {
    "number": pa.float64(),
    "count": pa.int64(),
    "word": pa.string(),
    "flag": pa.bool_(),
    "time": pa.timestamp("us"),
    "vector": pa.list_(pa.float32(), 2),
    "label": pa.string(),
}
SETTABLE = (*CELL_TYPES, TARGET, WEIGHT, TRUSTED, AUGMENT)
LARGE = 2**40


def cells(kind: pa.DataType, rows: int) -> SearchStrategy[pa.Array]:
    """Return arrays of cells of one Arrow type, some of them missing."""
    value = _values(kind)
    return st.lists(st.none() | value, min_size=rows, max_size=rows).map(lambda found: pa.array(found, kind))


def tables(*, min_rows: int = 0, max_rows: int = 7) -> SearchStrategy[pa.Table]:
    """Return tables with a column of every type and tilth's own; some rows are made from rows before them."""

    @st.composite
    def made(draw: DrawFn) -> pa.Table:
        ids = draw(st.lists(_names("r"), min_size=min_rows, max_size=max_rows, unique=True))
        n = len(ids)
        columns = {name: draw(cells(kind, n)) for name, kind in CELL_TYPES.items()}
        splits = draw(st.lists(st.sampled_from([str(split) for split in Split]), min_size=n, max_size=n))
        return pa.table(columns | _own(draw, ids, splits, _parents(draw, ids, splits)))

    return made()


def edits(table: pa.Table) -> SearchStrategy[Edit]:
    """Return edits that fit a table: they drop, set and add train and pool rows, or do some of it, or nothing."""

    @st.composite
    def made(draw: DrawFn) -> Edit:
        ids, splits = table.column(ROW_ID).to_pylist(), table.column(SPLIT).to_pylist()
        mine = [row for row, split in zip(ids, splits, strict=True) if split in (Split.TRAIN, Split.POOL)]
        chosen = {
            column: draw(_some(mine)) for column in draw(st.lists(st.sampled_from(SETTABLE), max_size=3, unique=True))
        }
        new = draw(st.lists(_names("new"), max_size=3, unique=True))
        return Edit(
            verb=draw(st.sampled_from(Verb)),
            operator=SPEC,
            reason="a law holds",
            author=SPEC.name,
            drop=pa.array(draw(_some(mine)), pa.string()),
            set={
                column: pa.table({ROW_ID: rows, "value": draw(cells(table.schema.field(column).type, len(rows)))})
                for column, rows in chosen.items()
                if rows
            },
            add=_added(draw, table, new) if new else None,
        )

    return made()


def labels_and_probs(
    *, min_rows: int = 1, max_rows: int = 30, min_classes: int = 2, max_classes: int = 4
) -> SearchStrategy[tuple[IntVector, Matrix]]:
    """Return class numbers (n,) and probabilities (n, k) whose rows sum to 1; zeros and ones among them."""

    @st.composite
    def made(draw: DrawFn) -> tuple[IntVector, Matrix]:
        k = draw(st.integers(min_classes, max_classes))
        n = draw(st.integers(min_rows, max_rows))
        labels = draw(st.lists(st.integers(0, k - 1), min_size=n, max_size=n))
        parts = draw(st.lists(st.lists(st.integers(0, 20), min_size=k, max_size=k).filter(any), min_size=n, max_size=n))
        counts = np.array(parts, dtype=np.float64).reshape(n, k)
        return np.array(labels, dtype=np.intp), counts / counts.sum(axis=1, keepdims=True)

    return made()


def _names(beginning: str) -> SearchStrategy[str]:
    return st.integers(0, 99).map(lambda number: f"{beginning}{number}")


def _some(names: Sequence[str]) -> SearchStrategy[list[str]]:
    if not names:
        return st.just([])
    return st.lists(st.sampled_from(names), unique=True, max_size=len(names))


def _values(kind: pa.DataType) -> Any:
    makers: dict[Callable[[pa.DataType], bool], Callable[[], Any]] = {
        pa.types.is_float64: lambda: st.floats(allow_nan=False, allow_infinity=False, width=32),
        pa.types.is_int64: lambda: st.integers(-LARGE, LARGE),
        pa.types.is_string: lambda: st.text(max_size=6),
        pa.types.is_boolean: st.booleans,
        pa.types.is_timestamp: lambda: st.integers(0, LARGE),
        pa.types.is_fixed_size_list: lambda: st.lists(
            st.floats(0, 1, width=32), min_size=kind.list_size, max_size=kind.list_size
        ),
    }
    return next(make() for test, make in makers.items() if test(kind))


def _own(draw: DrawFn, ids: list[str], splits: list[str], parents: list[list[str] | None]) -> dict[str, pa.Array]:
    n = len(ids)
    return {
        ROW_ID: pa.array(ids, pa.string()),
        SPLIT: pa.array(splits, pa.string()),
        TARGET: draw(cells(pa.list_(pa.float32(), N_CLASSES), n)),
        WEIGHT: draw(cells(pa.float64(), n)),
        TRUSTED: draw(cells(pa.bool_(), n)),
        PARENTS: pa.array(parents, pa.list_(pa.string())),
        AUGMENT: draw(cells(pa.string(), n)),
    }


def _parents(draw: DrawFn, ids: list[str], splits: list[str]) -> list[list[str] | None]:
    """For each row none, or a train row that stands before it; only train rows are made from others."""
    before: list[str] = []
    parents: list[list[str] | None] = []
    for row, split in zip(ids, splits, strict=True):
        is_made = bool(before) and split == Split.TRAIN and draw(st.integers(0, 2)) == 0
        parents.append([draw(st.sampled_from(before))] if is_made else None)
        if split == Split.TRAIN:
            before.append(row)
    return parents


def _added(draw: DrawFn, table: pa.Table, ids: list[str]) -> pa.Table:
    splits = [str(Split.TRAIN)] * len(ids)
    columns = {name: draw(cells(kind, len(ids))) for name, kind in CELL_TYPES.items()}
    return pa.table(columns | _own(draw, ids, splits, [None] * len(ids))).select(table.column_names)
