"""The cache of tables: what is put is got, what is damaged was never there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import ContractError
from tilth.store.evidence import Entry, EvidenceCache
from tilth.store.objects import ObjectStore

if TYPE_CHECKING:
    from pathlib import Path

KEY = "0123456789abcdef"


@pytest.fixture
def cache(tmp_path: Path) -> EvidenceCache:
    return EvidenceCache(ObjectStore(tmp_path))


def file_of(tmp_path: Path) -> Path:
    return tmp_path / "evidence" / "sets" / f"{KEY}.arrows"


def test_a_table_comes_back(cache: EvidenceCache) -> None:
    table = pa.table({"id": ["a", None], "x": [1.5, float("nan")]}, metadata={"made by": "a test"})
    assert cache.get(KEY) is None
    cache.put(KEY, table)
    found = cache.get(KEY)
    assert found is not None
    assert found["id"].to_pylist() == ["a", None]
    assert found.schema.equals(table.schema, check_metadata=True)
    cache.put(KEY, table.slice(0, 0))
    again = cache.get(KEY)
    assert again is not None
    assert again.num_rows == 0
    assert found["id"].to_pylist() == ["a", None]  # a mapped table outlives its replacement


def test_arrays_of_any_shape_come_back_read_only(cache: EvidenceCache) -> None:
    arrays = {
        "pred_probs": np.random.default_rng(0).random((5, 3)).astype(np.float32),
        "neighbours": np.arange(24, dtype=np.int64).reshape(2, 3, 4)[:, ::2],
        "mask": np.array([True, False]),
        "scalar": np.array(2.5),
        "none": np.zeros((0, 7)),
        "words": np.array(["a", "long word"]),
        "bits": np.array([2**64 - 1], dtype=np.uint64),
    }
    assert cache.get_arrays(KEY) is None
    cache.put_arrays(KEY, arrays)
    found = cache.get_arrays(KEY)
    assert found is not None
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array, strict=True)
        assert not found[name].flags.writeable
        assert found[name].flags.aligned


def test_objects_are_refused(cache: EvidenceCache) -> None:
    with pytest.raises(ContractError):
        cache.put_arrays(KEY, {"x": np.array([{}])})


@pytest.mark.parametrize("key", ["", "abc", "../../etc/passwd", "ABCDEF0123", "g" * 16])
def test_a_key_is_a_digest(cache: EvidenceCache, key: str) -> None:
    with pytest.raises(ContractError):
        cache.get(key)


@pytest.mark.parametrize("part", np.linspace(0, 1, 9))
def test_a_flipped_bit_anywhere_is_a_miss(
    cache: EvidenceCache, tmp_path: Path, caplog: pytest.LogCaptureFixture, part: float
) -> None:
    cache.put(KEY, pa.table({"x": np.arange(1000)}))
    raw = bytearray(file_of(tmp_path).read_bytes())
    raw[round(part * (len(raw) - 1))] ^= 1
    file_of(tmp_path).write_bytes(raw)
    assert cache.get(KEY) is None
    assert "damaged" in caplog.text


@pytest.mark.parametrize("keep", [0, 1, 15, 16, 100, -1])
def test_a_torn_file_is_a_miss_until_it_is_put_again(cache: EvidenceCache, tmp_path: Path, keep: int) -> None:
    table = pa.table({"x": np.arange(1000)})
    cache.put(KEY, table)
    file_of(tmp_path).write_bytes(file_of(tmp_path).read_bytes()[:keep])
    assert cache.get(KEY) is None
    cache.put(KEY, table)
    assert cache.get(KEY) == table


def test_the_file_is_plain_arrow(cache: EvidenceCache, tmp_path: Path) -> None:
    table = pa.table({"x": [1, 2, 3]})
    cache.put(KEY, table)
    with pa.ipc.open_stream(file_of(tmp_path)) as reader:
        assert reader.read_all() == table


def test_entries_and_delete(cache: EvidenceCache, tmp_path: Path) -> None:
    other = "f" * 32
    cache.put(other, pa.table({"x": np.arange(1000)}))
    cache.put(KEY, pa.table({"x": [1]}))
    sizes = {entry.key: entry.size for entry in cache.entries()}
    assert list(sizes) == [KEY, other]
    assert cache.entries()[0] == Entry(KEY, file_of(tmp_path).stat().st_size)
    assert sizes[other] > 8000
    cache.delete(KEY)
    cache.delete(KEY)
    assert cache.get(KEY) is None
    assert [entry.key for entry in cache.entries()] == [other]
