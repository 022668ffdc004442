"""Vectors by row digest: only what is new is computed, however it was added."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.core.errors import ContractError
from tilth.store import row_evidence
from tilth.store.objects import ObjectStore
from tilth.store.row_evidence import RowEvidence

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path)


def digests(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**64, (n, 2), dtype=np.uint64)


def test_nothing_is_known_at_first(store: ObjectStore) -> None:
    known, matrix = RowEvidence(store, "spec").lookup(digests(3))
    assert known.tolist() == [False] * 3
    assert matrix.shape == (0, 0)
    assert len(RowEvidence(store, "spec")) == 0


def test_vectors_come_back_in_the_order_of_the_question(store: ObjectStore) -> None:
    ids = digests(4)
    matrix = np.arange(8, dtype=np.float32).reshape(4, 2)
    RowEvidence(store, "spec").add(ids, matrix)
    known, found = RowEvidence(store, "spec").lookup(np.vstack([ids[2], digests(1, seed=9), ids[0], ids[2]]))
    assert known.tolist() == [True, False, True, True]
    assert found.dtype == np.float32
    assert found.tolist() == [[4, 5], [0, 1], [4, 5]]
    assert RowEvidence(store, "other spec").lookup(ids)[0].sum() == 0


def test_an_edit_of_one_row_in_a_hundred_asks_for_one_in_a_hundred(store: ObjectStore) -> None:
    ids = digests(10_000)
    RowEvidence(store, "spec").add(ids, np.zeros((10_000, 3), np.float32))
    edited = ids.copy()
    edited[::100] = digests(100, seed=1)
    cache = RowEvidence(store, "spec")
    known, _ = cache.lookup(edited)
    assert (~known).sum() == 100
    cache.add(edited[~known], np.ones((100, 3), np.float32))
    known, matrix = RowEvidence(store, "spec").lookup(edited)
    assert known.all()
    assert np.flatnonzero(matrix[:, 0]).tolist() == list(range(0, 10_000, 100))


def test_vectors_are_gathered_in_blocks(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_evidence, "BLOCK_ROWS", 3)
    ids, matrix = digests(20), np.arange(40, dtype=np.float32).reshape(20, 2)
    cache = RowEvidence(store, "spec")
    cache.add(ids[:15], matrix[:15])
    cache.add(ids[15:], matrix[15:])
    order = np.random.default_rng(3).permutation(20)
    np.testing.assert_array_equal(cache.lookup(ids[order])[1], matrix[order])


def test_digests_that_share_a_lane_are_told_apart(store: ObjectStore) -> None:
    ids = np.array([[5, 1], [5, 2], [5, 9], [6, 1]], dtype=np.uint64)
    cache = RowEvidence(store, "spec")
    cache.add(ids, np.array([[1], [2], [9], [61]], np.float32))
    asked = np.array([[5, 9], [5, 3], [6, 1], [6, 2], [5, 1], [4, 1], [7, 1]], dtype=np.uint64)
    known, found = cache.lookup(asked)
    assert known.tolist() == [True, False, True, False, True, False, False]
    assert found.ravel().tolist() == [9, 61, 1]


def test_many_small_additions_lie_in_few_files(store: ObjectStore) -> None:
    cache = RowEvidence(store, "spec")
    ids = digests(500)
    for start in range(0, 500, 5):
        cache.add(ids[start : start + 5], np.full((5, 2), start, np.float32))
    assert len(store.entries("evidence/rows/spec")) <= math.log2(500)
    again = RowEvidence(store, "spec")
    assert len(again) == 500
    known, matrix = again.lookup(ids)
    assert known.all()
    assert matrix[:, 0].tolist() == [i // 5 * 5 for i in range(500)]


@settings(max_examples=30, deadline=None)
@given(
    batches=st.lists(st.lists(st.integers(0, 30), max_size=20), max_size=6),
    asked=st.lists(st.integers(0, 40)),
)
def test_it_is_a_dictionary_in_which_the_first_value_stays(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[int]], asked: list[int]
) -> None:
    store = ObjectStore(tmp_path_factory.mktemp("rows"))
    spread = np.array([[i % 5, i] for i in range(41)], dtype=np.uint64)
    model: dict[int, float] = {}
    cache = RowEvidence(store, "spec")
    for number, batch in enumerate(batches):
        values = [model.get(i, number) for i in batch]
        cache.add(spread[batch].reshape(-1, 2), np.array(values, np.float32).reshape(-1, 1))
        model |= dict(zip(batch, values, strict=True))
    for one in (cache, RowEvidence(store, "spec")):
        known, found = one.lookup(spread[asked].reshape(-1, 2))
        assert known.tolist() == [i in model for i in asked]
        assert found.ravel().tolist() == [model[i] for i in asked if i in model]
        assert len(one) == len(model)


def test_a_damaged_file_is_asked_for_again(store: ObjectStore, caplog: pytest.LogCaptureFixture) -> None:
    ids = digests(10)
    RowEvidence(store, "spec").add(ids, np.ones((10, 2), np.float32))
    (file,) = store.entries("evidence/rows/spec")
    store.put(file.path, store.get(file.path)[:-1])
    cache = RowEvidence(store, "spec")
    assert not cache.lookup(ids)[0].any()
    assert "damaged" in caplog.text
    cache.add(ids, np.ones((10, 2), np.float32))
    assert RowEvidence(store, "spec").lookup(ids)[0].all()


def test_what_a_killed_merge_left_twice_is_one_value(store: ObjectStore) -> None:
    ids = digests(8)
    cache = RowEvidence(store, "spec")
    cache.add(ids[:3], np.ones((3, 2), np.float32))
    (small,) = store.entries("evidence/rows/spec")
    raw = store.get(small.path)
    cache.add(ids[3:], np.full((5, 2), 2, np.float32))
    store.put(small.path, raw)
    known, found = RowEvidence(store, "spec").lookup(ids)
    assert known.all()
    assert found[:, 0].tolist() == [1] * 3 + [2] * 5


def test_shapes_are_checked(store: ObjectStore) -> None:
    cache = RowEvidence(store, "spec")
    with pytest.raises(ContractError):
        cache.add(digests(3), np.zeros((2, 4), np.float32))
    cache.add(digests(2), np.zeros((2, 4), np.float32))
    with pytest.raises(ContractError, match="width"):
        cache.add(digests(2, seed=1), np.zeros((2, 5), np.float32))
