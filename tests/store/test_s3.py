"""The same store on an S3-compatible server: names, log, lease, tables, evidence."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import MachineError, StoreCorruptError, StoreLockedError
from tilth.store.commit_log import CommitLog
from tilth.store.evidence import EvidenceCache
from tilth.store.lease import Lease
from tilth.store.objects import ObjectExistsError, ObjectStore
from tilth.store.row_evidence import RowEvidence
from tilth.store.tables import RowTable

if TYPE_CHECKING:
    from collections.abc import Iterator

moto_server = pytest.importorskip("moto.server")


@pytest.fixture(scope="module")
def options() -> Iterator[dict[str, str]]:
    import boto3

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # one line per request otherwise
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    access = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1", **access)
    client.create_bucket(Bucket="tilth-store")
    client.close()
    yield access | {"aws_region": "us-east-1", "aws_endpoint": f"http://{host}:{port}", "allow_http": "true"}
    server.stop()


@pytest.fixture
def store(options: dict[str, str], request: pytest.FixtureRequest) -> ObjectStore:
    return ObjectStore(f"s3://tilth-store/{request.node.name}", options)


def test_objects(store: ObjectStore) -> None:
    store.put("a/1", b"one")
    store.put("a/2", [b"o", b"ne"])
    store.create("a/3", b"x")
    with pytest.raises(ObjectExistsError):
        store.create("a/3", b"y")
    assert [(one.path, one.size) for one in store.entries("a")] == [("a/1", 3), ("a/2", 3), ("a/3", 1)]
    assert [one.path for one in store.entries("a", after="a/1")] == ["a/2", "a/3"]
    assert store.get_many(["a/2", "a/3", "a/1"]) == [b"one", b"x", b"one"]
    assert store.buffer("a/2").to_pybytes() == b"one"
    store.delete("a/1")
    store.delete("a/1")
    assert not store.exists("a/1")
    assert store.sweep() == 0
    with pytest.raises(FileNotFoundError):
        store.get("a/1")


def test_a_missing_bucket_is_refused(options: dict[str, str]) -> None:
    store = ObjectStore("s3://no-such-bucket/x", options)
    with pytest.raises(MachineError, match="does not exist"):
        store.put("a", b"")


def test_the_log_refuses_a_second_writer(store: ObjectStore) -> None:
    one, two = CommitLog(store), CommitLog(store)
    for n in range(12):
        one.append("k", {"n": n})
    assert [record.body["n"] for record in two.records()] == list(range(12))
    one.append("k", {"n": 12})
    with pytest.raises(StoreLockedError, match="record 13"):
        two.append("k", {"n": -1})
    last = two.last()
    assert last is not None
    assert last.body == {"n": 12}
    store.put(f"log/{5:020d}.json", b"{")
    with pytest.raises(StoreCorruptError, match="record 5"):
        CommitLog(store).records()


def test_one_writer_at_a_time(store: ObjectStore) -> None:
    now = [1000.0]
    first, second = (Lease(store, seconds=60, clock=lambda: now[0], renews=False) for _ in range(2))
    with first:
        with pytest.raises(StoreLockedError):
            second.acquire()
        now[0] += 50
        first.renew()
        now[0] += 50
        first.check()
        with pytest.raises(StoreLockedError):
            second.acquire()
        now[0] += 10
        second.acquire()
        with pytest.raises(StoreLockedError, match="lost"):
            first.renew()
    second.check()
    second.release()
    assert second.holder() is None


def test_tables(store: ObjectStore) -> None:
    table = RowTable(store.uri("rows.lance"), "id", store.options)
    keys = [f"r{i}" for i in range(500)]
    first = table.create(pa.table({"id": keys, "n": np.arange(500), "text": ["some text"] * 500}))
    second = table.update(pa.table({"id": ["r499", "r0"], "n": [-1, -2]}), first)
    third = table.delete(["r1"], second)
    fourth = table.append(pa.table({"id": ["new"], "n": [7]}), third)
    branch = table.update(pa.table({"id": ["r3"], "text": ["changed"]}), first)
    assert table.read(first)["n"].to_pylist() == list(range(500))
    assert table.read(second, ["n"], ["r0", "r499"])["n"].to_pylist() == [-2, -1]
    assert table.read(fourth, ["id"])["id"].to_pylist() == ["r0", *keys[2:], "new"]
    assert table.read(branch, ["n", "text"], ["r3"]).to_pylist() == [{"n": 3, "text": "changed"}]
    wide = table.add_columns(pa.table({"id": ["new"], "score": [0.5]}), fourth)
    assert table.read(wide, ["score"], ["new", "r0"])["score"].to_pylist() == [None, 0.5]
    table.cleanup([first, wide])
    assert table.at(first).n_rows == 500
    with pytest.raises(StoreCorruptError):
        table.read(branch)


def test_evidence(store: ObjectStore) -> None:
    cache = EvidenceCache(store)
    assert cache.get("0" * 16) is None
    cache.put_arrays("0" * 16, {"x": np.arange(1000.0)})
    found = cache.get_arrays("0" * 16)
    assert found is not None
    assert found["x"].tolist() == list(range(1000))
    ids = np.arange(20, dtype=np.uint64).reshape(10, 2)
    RowEvidence(store, "spec").add(ids[:6], np.ones((6, 4), np.float32))
    assert RowEvidence(store, "spec").lookup(ids)[0].sum() == 6
