"""Half of the train rows: what a model of half as much data shows of a learning curve.

slope of the curve = score(all rows) - score(half of them):   what the last doubling of rows brought
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Mask
from tilth.core.names import PARENTS, ROW_ID
from tilth.core.target import Target
from tilth.learning._crossfit import fold_numbers
from tilth.loop.frames import made_rows

__all__ = ["half_of"]


def half_of(table: pa.Table, target: Target, *, groups: IntVector | None = None, seed: int = 0) -> Mask:
    """Return one half of the rows of the source, drawn by id, and what was made of that half alone; (n,).

    Half of every class, and whole groups. Which rows of the source are chosen does not depend on what was made.

    Parameters
    ----------
    table : n rows with their ids and parents
    target : their targets
    groups : (n,) codes of rows that stand together; default None = every row alone
    seed : the run's seed
    """
    source = np.flatnonzero(~made_rows(table))
    ids = table.column(ROW_ID).take(pa.array(source))
    ids = ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids
    mine = None if groups is None else groups[source]
    chosen = source[fold_numbers(ids, target.take(source), groups=mine, n_folds=2, seed=seed) == 0]
    return _with_descent(table, chosen) if len(source) < table.num_rows else _mask(chosen, table.num_rows)


def _with_descent(table: pa.Table, chosen: IntVector) -> Mask:
    """Return which rows are chosen, or made of chosen rows alone, however late."""
    ids, parents = table.column(ROW_ID).to_pylist(), table.column(PARENTS).to_pylist()
    known, fresh = set[str](), {ids[row] for row in chosen.tolist()}
    while fresh:  # what was made of made rows follows these
        known |= fresh
        families = zip(ids, parents, strict=True)
        fresh = {row for row, mine in families if mine and row not in known and known.issuperset(mine)}
    return np.array([row in known for row in ids], dtype=bool)


def _mask(rows: IntVector, n: int) -> Mask:
    found = np.zeros(n, dtype=bool)
    found[rows] = True
    return found
