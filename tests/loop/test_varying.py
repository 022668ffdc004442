"""Rows through a transform: which columns, checked answers, the same for every size of block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest
from loop_worlds import schema_of

import tilth
from tilth.core.draw import Draw
from tilth.core.errors import ConfigError, ContractError, NotApplicable, UnknownColumnError
from tilth.core.names import ROW_ID
from tilth.core.schema import ColumnType
from tilth.core.transformed import Transformed
from tilth.editing.jitter import Jitter
from tilth.editing.typo import Typo
from tilth.loop.varying import changed_columns, learnt, vary
from tilth.operators.transforming import draw_of

SCHEMA = schema_of(2, 2)
TABLE = pa.table({ROW_ID: [f"r{i}" for i in range(50)], "x0": np.arange(50) / 3, "x1": np.arange(50.0)})


def test_columns_are_features_of_a_type_that_it_accepts():
    assert changed_columns(Jitter(), SCHEMA) == ("x0", "x1")
    assert changed_columns(Jitter(columns=("x1",)), SCHEMA) == ("x1",)
    with pytest.raises(NotApplicable, match="type text"):
        changed_columns(Typo(), SCHEMA)
    with pytest.raises(ConfigError, match="of type number, and it changes columns of type text"):
        changed_columns(Typo(columns=("x0",)), SCHEMA)
    with pytest.raises(ConfigError, match="is no feature"):
        changed_columns(Jitter(columns=("label",)), SCHEMA)
    with pytest.raises(UnknownColumnError, match="no column 'x'"):
        changed_columns(Jitter(columns=("x",)), SCHEMA)


def test_blocks_make_no_difference():
    made = learnt(Jitter(severity=5), TABLE, ("x0", "x1"))
    assert made.highs == {"x0": 49 / 3, "x1": 49.0}
    whole = vary(made, TABLE, ("x0", "x1"), draw_of(made, 0))
    parts = vary(made, TABLE, ("x0", "x1"), draw_of(made, 0), block_rows=7)
    assert whole.table.column_names == TABLE.column_names
    assert whole.table.equals(parts.table)
    assert whole.applied.tolist() == parts.applied.tolist()
    assert vary(made, TABLE.slice(0, 0), ("x0",), draw_of(made, 0)).table.num_rows == 0


def test_dice_are_refused():
    rng = np.random.default_rng(0)
    dice = tilth.transform(name="dice", columns=["x0"])(lambda row: rng.random())
    with pytest.raises(ContractError, match="not deterministic: column 'x0'") as caught:
        vary(dice, TABLE, ("x0",), draw_of(dice, 0))
    assert "def name(row, random)" in caught.value.message


@dataclass(frozen=True, kw_only=True)
class Breaks:
    how: str
    accepts = frozenset(ColumnType)
    columns = ()
    label = "keep"

    def apply(self, batch, draw: Draw):
        mask = np.zeros(len(batch), dtype=bool)
        if self.how == "type":
            return Transformed(columns={"x0": batch.column("x0").cast(pa.string())}, applied=mask)
        if self.how == "rows":
            return Transformed(columns={"x0": batch.column("x0").slice(1)}, applied=mask[1:])
        return Transformed(columns={}, applied=mask) if self.how == "columns" else None


@pytest.mark.parametrize("how", ["type", "rows", "columns", "nothing"])
def test_what_breaks_the_contract_is_refused(how):
    with pytest.raises(ContractError):
        vary(Breaks(how=how), TABLE, ("x0",), draw_of(Breaks(how=how), 0))
