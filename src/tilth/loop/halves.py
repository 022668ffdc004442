"""Half of the train rows: what a model of half as much data shows of a learning curve.

slope of the curve = score(all rows) - score(half of them):   what the last doubling of rows brought
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tilth.core.arrays import IntVector, Mask
from tilth.core.names import PARENTS, ROW_ID
from tilth.core.target import Target
from tilth.learning._crossfit import fold_numbers
from tilth.loop.frames import made_rows

__all__ = ["half_of", "made_of"]


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
    chosen = fold_numbers(ids, target.take(source), groups=mine, n_folds=2, seed=seed) == 0
    return made_of(table, ids.filter(pa.array(chosen)))


def made_of(table: pa.Table, ids: pa.Array) -> Mask:
    """Return which rows are among some, by id, or made of such rows alone, however late; (n,)."""
    found = np.array(pc.is_in(table.column(ROW_ID), value_set=ids))
    if not made_rows(table).any():
        return found
    names, parents = table.column(ROW_ID).to_pylist(), table.column(PARENTS).to_pylist()
    known, fresh = set[str](), set(ids.to_pylist())
    while fresh:  # what was made of made rows follows these
        known |= fresh
        families = zip(names, parents, strict=True)
        fresh = {row for row, mine in families if mine and row not in known and known.issuperset(mine)}
    return np.array([row in known for row in names], dtype=bool)
