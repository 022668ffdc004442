"""Evidence: the time of rows, from a column or from their order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from loop_worlds import schema_of, table_of, world_of

from tilth.core.names import PARENTS
from tilth.detection.stale import Stale
from tilth.loop._split_plan import ROW_ORDER
from tilth.loop.evidence import MISSING_TIME, row_times


@pytest.fixture
def world():
    x = np.random.default_rng(0).normal(size=(40, 2))
    schema = schema_of(2, 2)
    table = table_of(x, (x[:, 0] > 0).astype(int), ["train"] * 30 + ["dev"] * 10, schema)
    made = [["r0"] if row == 5 else None for row in range(40)]
    at = table.column_names.index(PARENTS)
    table = table.set_column(at, PARENTS, pa.array(made, pa.list_(pa.string())))
    return world_of(table, schema, truth=np.zeros(40))


def test_order_is_time_where_the_splits_say_so(world):
    assert row_times(world.dataset) is None
    wanted = [MISSING_TIME if row == 5 else row for row in range(40)]
    assert row_times(world.dataset, by_order=True).tolist() == wanted
    assert not world.evidence.view(Stale()).has("times")
    ordered = replace(world.evidence, source={"time": ROW_ORDER}, _cache={})
    assert ordered.view(Stale()).times.tolist() == wanted[:30]
