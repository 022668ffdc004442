"""What people's labelers see: a row, or the columns of a block; by attribute, and by name in brackets."""

from __future__ import annotations

import gc
from collections import namedtuple
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import pyarrow as pa

from tilth.core.errors import MissingExtraError, UndeclaredNeedError, did_you_mean
from tilth.operators.batch import Batch

__all__ = ["Columns", "Row", "cells_of", "row_of", "rows_of"]

_Cell: Any = type(namedtuple("_OneCell", "cell").cell)  # type: ignore[attr-defined]  # noqa: PYI024
"""What reads a field of a named tuple: it does not go through the brackets, which take names here."""


class Row(tuple[Any, ...]):
    """One row: `row.text`, `row["text"]`, `row.get("text")`; a missing cell is None."""

    __slots__ = ()
    _names: tuple[str, ...] = ()

    def __getitem__(self, name: Any) -> Any:
        """Return the cell of a column."""
        try:
            return tuple.__getitem__(self, self._names.index(name))
        except ValueError:
            raise _unknown(name, self._names) from None

    def __getattr__(self, name: str) -> Any:
        """Refuse a column that the labeler did not declare; those that it did are found before."""
        raise _unknown(name, self._names)

    def __contains__(self, name: object) -> bool:
        """Whether there is such a column."""
        return name in self._names

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the names of the columns, as a mapping does."""
        return iter(self._names)

    def get(self, name: str, default: Any = None) -> Any:
        """Return the cell of a column, or a default where there is no such column."""
        return self[name] if name in self._names else default

    def keys(self) -> tuple[str, ...]:
        """Return the names of the columns."""
        return self._names

    def values(self) -> tuple[Any, ...]:
        """Return the cells, in the order of the columns."""
        return tuple(tuple.__iter__(self))

    def items(self) -> tuple[tuple[str, Any], ...]:
        """Return names with their cells."""
        return tuple(zip(self._names, self.values(), strict=True))

    def __repr__(self) -> str:
        """Show the cells by name."""
        return f"Row({dict(self.items())})"


class Columns(Mapping[str, pa.Array]):
    """The columns of a block as Arrow arrays: `columns.text`, `columns["text"]`, `columns.to_pandas()`."""

    def __init__(self, cells: Mapping[str, Any], rows: int) -> None:
        self._cells, self._rows = cells, rows

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self._rows

    def __getitem__(self, name: str) -> Any:
        """Return one column."""
        if name not in self._cells:
            raise _unknown(name, tuple(self._cells))
        return self._cells[name]

    def __getattr__(self, name: str) -> Any:
        """Return one column."""
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._cells)

    def __len__(self) -> int:
        """Number of columns."""
        return len(self._cells)

    def to_table(self) -> pa.Table:
        """Return the columns as an Arrow table."""
        return pa.table(dict(self._cells))

    def to_pandas(self) -> Any:
        """Return the columns as a pandas DataFrame, which needs pandas."""
        try:
            return self.to_table().to_pandas()
        except ModuleNotFoundError as error:
            raise MissingExtraError("pandas is not installed", next_step="pip install pandas") from error


@lru_cache(maxsize=256)
def row_kind(names: tuple[str, ...]) -> type[Row]:
    """Return the class of rows of these columns."""
    cells: dict[str, Any] = {name: _Cell(place, f"The cell of {name}.") for place, name in enumerate(names)}
    return type("Row", (Row,), {"__slots__": (), "_names": names, **cells})


def rows_of(batch: Batch) -> list[Row]:
    """Return the rows of a batch; they are made once for all labelers that read it."""
    if "rows" not in batch.memo:
        kind, make = row_kind(tuple(batch.columns)), tuple.__new__
        cells = [cells_of(column) for column in batch.columns.values()]
        values = zip(*cells, strict=True) if cells else (() for _ in range(len(batch)))
        with _without_collector():
            batch.memo["rows"] = [make(kind, one) for one in values]
    rows: list[Row] = batch.memo["rows"]
    return rows


@contextmanager
def _without_collector() -> Iterator[None]:
    """Hold the collector of rings back: it would look through tens of thousands of new rows again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def cells_of(column: pa.Array) -> list[Any]:
    """Return cells as Python has them, null as None; text takes the short way."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        texts: list[Any] = column.to_numpy(zero_copy_only=False).tolist()
        return texts
    return list(column.to_pylist())


def row_of(cells: Mapping[str, Any]) -> Row:
    """Return a row of a mapping: for calling a labeler by hand."""
    kind = row_kind(tuple(cells))
    return tuple.__new__(kind, tuple(cells.values()))


def _unknown(name: object, known: tuple[str, ...]) -> UndeclaredNeedError:
    shown = ", ".join(map(repr, known)) or "none"
    return UndeclaredNeedError(
        f"a labeler read column {name!r}, which it did not declare; it may read {shown}.{did_you_mean(str(name), known)}",
        next_step="name it in columns=[…]",
    )
