"""What people's transforms returned, as columns of the types that there were; what changes type or shape is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.errors import ContractError, did_you_mean, first_three
from tilth.operators._label_rows import Columns, Row
from tilth.operators.batch import Batch

__all__ = ["new_cells", "new_columns"]

LONGEST = 60
LEFT = object()
"""Stands for a cell that was left as it is."""


def new_cells(answers: Sequence[Any], batch: Batch, transform: str) -> dict[str, pa.Array]:
    """Return the columns of a batch with what a transform answered row by row.

    Parameters
    ----------
    answers : (n,) None, the new cell where the batch has one column, or a mapping from column to cell
    batch : the n rows
    transform : its name, for messages

    Raises
    ------
    ContractError
        An unknown column, a cell of another type or shape, or None for a cell that was there.
    """
    cells: dict[str, list[Any]] = {name: [LEFT] * len(batch) for name in batch.columns}
    for place, answer in enumerate(answers):
        if answer is None:
            continue
        for name, cell in _by_column(answer, batch, transform, place):
            cells[name][place] = cell
    return {name: _merged(batch, name, given, transform) for name, given in cells.items()}


def new_columns(answer: Any, batch: Batch, transform: str) -> dict[str, pa.Array]:
    """Return the columns of a batch with what a transform answered for all of it; null and None leave a row as it is."""
    if answer is None:
        return dict(batch.columns)
    given = answer if isinstance(answer, Mapping | Columns) else None
    if given is None:
        given = {_only_column(batch, transform): answer}
    changed = dict(batch.columns)
    for name in given:
        _refuse_unknown(name, batch, transform)
        values = _listed(given[name])
        if len(values) != len(batch):
            raise ContractError(
                f"transform {transform!r} gave {len(values):,} cells of column {name!r} for {len(batch):,} rows",
                where=_rows(batch, range(min(3, len(batch)))),
                next_step="return one cell per row, in the order of the rows",
            )
        changed[name] = _merged(batch, name, [LEFT if value is None else value for value in values], transform)
    return changed


def _by_column(answer: Any, batch: Batch, transform: str, place: int) -> list[tuple[str, Any]]:
    if isinstance(answer, Row) or (isinstance(answer, Mapping) and not isinstance(answer, str)):
        for name in answer:
            _refuse_unknown(name, batch, transform)
        return list(answer.items())
    return [(_only_column(batch, transform, place), answer)]


def _only_column(batch: Batch, transform: str, place: int = 0) -> str:
    if len(batch.columns) == 1:
        return next(iter(batch.columns))
    raise ContractError(
        f"transform {transform!r} has {len(batch.columns)} columns and did not say which one it changed",
        where=_rows(batch, [place] if len(batch) else []),
        next_step='return a mapping such as {"text": …}, or declare one column: columns=["text"]',
    )


def _refuse_unknown(name: Any, batch: Batch, transform: str) -> None:
    if name not in batch.columns:
        raise ContractError(
            f"transform {transform!r} changed column {name!r}, which it does not have.{did_you_mean(str(name), batch.columns)}",
            next_step=f"change some of {first_three(batch.columns)}, or name it in columns=[…]",
        )


def _merged(batch: Batch, name: str, given: Sequence[Any], transform: str) -> pa.Array:
    """Return a column with the cells that were given, each of the column's type, the others as they were."""
    before = batch.column(name)
    rows = [place for place, cell in enumerate(given) if cell is not LEFT]
    if not rows:
        return before
    wrong = [place for place in rows if not _fits(given[place], before.type)]
    lost = [place for place in rows if given[place] is None and before[place].is_valid]
    if wrong or lost:
        place = (wrong or lost)[0]
        shown = repr(given[place])[:LONGEST]
        raise ContractError(
            f"transform {transform!r} gave {shown} for a cell of column {name!r}, which holds {_kind(before.type)}",
            where=_rows(batch, wrong or lost),
            next_step="return a cell of the same type and shape, or None for the row to leave it as it is",
        )
    values = pa.array([_plain(given[place], before.type) for place in rows], _plain_type(before.type)).cast(before.type)
    at = np.arange(len(before))
    at[rows] = len(before) + np.arange(len(rows))
    both = [before.cast(_plain_type(before.type)), values.cast(_plain_type(before.type))]
    return pa.concat_arrays(both).take(pa.array(at)).cast(before.type)


def _fits(cell: Any, kind: pa.DataType) -> bool:
    """Whether a cell is of a column's type and shape; None fits where nothing was."""
    if cell is None:
        return True
    kind = _plain_type(kind)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return isinstance(cell, str)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return isinstance(cell, bytes)
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        is_number = isinstance(cell, int | float | np.number) and not isinstance(cell, bool)
        return bool(is_number and np.isfinite(cell) and (pa.types.is_floating(kind) or float(cell).is_integer()))
    if pa.types.is_fixed_size_list(kind):
        vector = np.asarray(cell)
        return bool(vector.shape == (kind.list_size,) and vector.dtype.kind in "fiu" and np.isfinite(vector).all())
    return _casts(cell, kind)


def _casts(cell: Any, kind: pa.DataType) -> bool:
    try:
        pa.scalar(cell, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, TypeError, ValueError):
        return False
    return True


def _plain(cell: Any, kind: pa.DataType) -> Any:
    if pa.types.is_fixed_size_list(kind) and cell is not None:
        return np.asarray(cell).tolist()
    return float(cell) if pa.types.is_floating(kind) and cell is not None else cell


def _plain_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_fixed_size_list(kind):
        return f"vectors of {kind.list_size} numbers"
    words = {"string": "text", "large_string": "text", "binary": "bytes", "large_binary": "bytes"}
    plain = str(_plain_type(kind))
    return "numbers" if pa.types.is_floating(kind) or pa.types.is_integer(kind) else words.get(plain, plain)


def _listed(values: Any) -> list[Any]:
    """Return Arrow, NumPy, pandas or a list as Python values; NaN in floats stays NaN and is refused later."""
    if isinstance(values, pa.Array | pa.ChunkedArray | pa.Scalar):
        return list(values.to_pylist())
    if isinstance(values, str | bytes):
        return [values]
    to_list = getattr(values, "tolist", None)
    return list(to_list()) if callable(to_list) else list(values)


def _rows(batch: Batch, places: Sequence[int] | range) -> str:
    return f"rows {first_three(pc.take(batch.ids, pa.array(list(places), pa.int64())).to_pylist())}" if places else ""
