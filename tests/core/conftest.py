"""Tables made by hand, with tilth's own columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from tilth.core.names import AUGMENT, PARENTS, ROW_ID, SPLIT, TARGET, TRUSTED, WEIGHT

TableOf = Callable[..., pa.Table]


@pytest.fixture
def table_of() -> TableOf:
    """Make a table of train rows a, b, c …; keywords give other columns, splits and parents."""

    def make(
        ids: str, *, splits: list[str] | None = None, parents: dict[str, list[str]] | None = None, **columns: Any
    ) -> pa.Table:
        n = len(ids)
        columns.setdefault("label", pa.array(["yes"] * n))
        own = {
            ROW_ID: pa.array(list(ids), pa.string()),
            SPLIT: pa.array(splits or ["train"] * n, pa.string()),
            TARGET: pa.nulls(n, pa.list_(pa.float32(), 2)),
            WEIGHT: pa.nulls(n, pa.float64()),
            TRUSTED: pa.nulls(n, pa.bool_()),
            PARENTS: pa.array([(parents or {}).get(row) for row in ids], pa.list_(pa.string())),
            AUGMENT: pa.nulls(len(ids), pa.string()),
        }
        return pa.table(columns | own)

    return make
