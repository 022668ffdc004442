"""Slices of the test rows that conditions name: an SQL predicate over the columns of the data, the label among them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tilth.core.arrays import IntVector, Mask
from tilth.core.dataset import Dataset
from tilth.core.errors import ConfigError
from tilth.core.names import ROW_ID
from tilth.engine.predicate import Predicate
from tilth.operators.batch import batches

__all__ = ["rows_where"]


def rows_where(dataset: Dataset, positions: IntVector, where: str) -> Mask:
    """Return for which of the rows at some positions a predicate holds, (m,); ConfigError with the place for what is none."""
    predicate = Predicate(where)
    known = dataset.schema.names
    names = [name for name in predicate.columns if name in known]
    table = dataset.read(ROW_ID, *names).take(pa.array(positions))
    try:
        return np.concatenate([predicate.holds(batch) for batch in batches(table, names or [ROW_ID])])
    except ConfigError as error:
        place = error.where or f"slice [{where}]"
        raise ConfigError(error.what, where=place, next_step=f"it may name {', '.join(known[:8])}") from None
    except ArithmeticError:
        raise ConfigError(
            "the slice cannot be computed on some cell", where=f"slice [{where}]", next_step="use try_cast(…)"
        ) from None
