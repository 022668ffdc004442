"""Telling columns: what gives the prediction, the label or the score away by itself, and so describes no rows.

A slice of such a column would say that the model errs where it is unsure, or that wrong predictions are wrong.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import Vector
from tilth.sources._cells import as_category, as_number

__all__ = ["why_telling"]

_FEW = 50
_NEARLY = 0.999


def why_telling(column: pa.ChunkedArray, *, scores: Vector, known: dict[str, pa.ChunkedArray]) -> str:
    """Return what a column gives away, or an empty text.

    Parameters
    ----------
    column : (n,) cells
    scores : (n,) score of each row, not a number where it has none
    known : label and predicted class by what to call them, as text; (n,) each
    """
    cells = as_category(column) if not pa.types.is_nested(column.type) else None
    if cells is None:
        return ""
    values = cells.unique().drop_null()
    if len(values) <= _FEW:
        for name, other in known.items():
            if _is_one_to_one(cells, other):
                return f"says the same as the {name}"
        if _is_pure(cells, scores):
            return "says which predictions are right"
        return ""
    numbers = as_number(column)
    if numbers.junk.any():
        return ""
    amounts = np.asarray(pc.fill_null(numbers.column, float("nan")), dtype=np.float64)
    if _follows(amounts, scores):
        return "is the score by another name"
    if "prediction" in known and _decides(amounts, known["prediction"]):
        return "decides the prediction: name it with --prediction to use it as a probability"
    return ""


def _is_one_to_one(cells: pa.ChunkedArray, other: pa.ChunkedArray) -> bool:
    """Whether two columns of two values or more name the same thing in their own words."""
    both = pa.table({"a": cells, "b": other}).group_by(["a", "b"]).aggregate([]).drop_null()
    one, two = (len(both.column(name).unique()) for name in ("a", "b"))
    return bool(one == two == both.num_rows > 1)


def _is_pure(cells: pa.ChunkedArray, scores: Vector) -> bool:
    """Whether right and wrong predictions never share a value."""
    if not np.isin(scores[np.isfinite(scores)], (0.0, 1.0)).all():
        return False
    both = (
        pa.table({"a": cells, "b": pa.array(scores, from_pandas=True)}).group_by(["a", "b"]).aggregate([]).drop_null()
    )
    return bool(len(both.column("a").unique()) == both.num_rows > 1 == len(both.column("b").unique()) - 1)


def _follows(amounts: Vector, scores: Vector) -> bool:
    """Whether numbers are in the order of real scores, or in the opposite one."""
    both = np.isfinite(amounts) & np.isfinite(scores)
    if len(np.unique(scores[both])) <= 2:
        return False
    one, two = (np.argsort(np.argsort(values[both], kind="stable"), kind="stable") for values in (amounts, scores))
    return bool(abs(np.corrcoef(one, two)[0, 1]) >= _NEARLY)


def _decides(amounts: Vector, predicted: pa.ChunkedArray) -> bool:
    """Whether one threshold on numbers tells two predicted classes apart, or some predicted class from all others."""
    codes = np.asarray(pc.fill_null(predicted.combine_chunks().dictionary_encode().indices, -1))
    both = np.isfinite(amounts) & (codes >= 0)
    order = np.argsort(amounts[both], kind="stable")
    ordered, n = codes[both][order], int(both.sum())
    for code in np.unique(ordered)[:_FEW]:
        inside = ordered == code
        size = int(inside.sum())
        best = max(int(inside[:size].sum()), int(inside[n - size :].sum()))
        if size >= 10 and best >= _NEARLY * size:
            return True
    return False
