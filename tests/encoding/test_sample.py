from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilth.core.ids import cell_digests
from tilth.core.rng import row_uniforms
from tilth.encoding import _sample

IDS = pa.array([f"r{i}" for i in range(60)])
DIGESTS = cell_digests(IDS)


def sampled(rows: list[int], limit: int, block: int) -> _sample.Sample:
    state = _sample.empty(np.zeros(0, dtype=np.int64))
    for start in range(0, len(rows), block):
        part = np.array(rows[start : start + block])
        state = _sample.take_in(state, DIGESTS[part], np.arange(len(part)), lambda at, part=part: part[at], limit, "s")
    return state


@given(st.permutations(range(60)), st.integers(1, 70), st.integers(1, 60))
def test_holds_the_smallest_draws_whatever_the_blocks_and_the_order(rows: list[int], limit: int, block: int) -> None:
    draws = row_uniforms(DIGESTS, 0, "encoding", "s")
    expected = np.argsort(draws)[:limit]
    assert sampled(list(rows), limit, block).values.tolist() == expected.tolist()


def test_asks_only_for_the_values_of_rows_that_get_in() -> None:
    asked: list[int] = []

    def values_of(rows: np.ndarray) -> np.ndarray:
        asked.extend(rows.tolist())
        return rows

    full = sampled(list(range(60)), 5, 60)
    _sample.take_in(full, DIGESTS, np.arange(60), values_of, 5, "s")
    assert sorted(asked) == sorted(full.values.tolist())


@pytest.mark.parametrize("limit", [1, 7])
def test_merges_arrow_values(limit: int) -> None:
    halves = []
    for part in (np.arange(30), np.arange(30, 60)):
        empty = _sample.empty(pa.array([], pa.string()))
        halves.append(
            _sample.take_in(empty, DIGESTS[part], np.arange(30), lambda at, part=part: IDS.take(part[at]), limit, "s")
        )
    merged = _sample.merge(*halves, limit)
    assert merged.values.to_pylist() == [f"r{i}" for i in sampled(list(range(60)), limit, 60).values]
