"""The commit log: order, immutability, and the ways in which a log can be broken."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilth.core.errors import ContractError, StoreCorruptError, StoreLockedError, StoreTooNewError
from tilth.store.commit_log import FORMAT, CommitLog
from tilth.store.objects import ObjectStore

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path)


def path(number: int) -> str:
    return f"log/{number:020d}.json"


def test_records_come_back_in_order(store: ObjectStore) -> None:
    log = CommitLog(store)
    assert log.last() is None
    assert log.records() == []
    for n in range(1, 13):
        assert log.append("step", {"n": n}).number == n
    fresh = CommitLog(store)
    assert [record.body["n"] for record in fresh.records()] == list(range(1, 13))
    assert [record.number for record in fresh.records(since=10)] == [11, 12]
    assert fresh.records(since=12) == []
    last = fresh.last()
    assert last is not None
    assert (last.number, last.kind, last.body) == (12, "step", {"n": 12})


def test_last_sees_what_another_wrote(store: ObjectStore) -> None:
    reader, writer = CommitLog(store), CommitLog(store)
    assert reader.last() is None
    writer.append("a", {})
    writer.append("b", {})
    last = reader.last()
    assert last is not None
    assert last.number == 2


def test_a_writer_that_was_overtaken_is_refused_until_it_has_read(store: ObjectStore) -> None:
    slow, fast = CommitLog(store), CommitLog(store)
    slow.append("a", {})
    fast.records()
    fast.append("b", {"by": "fast"})
    for _ in range(2):
        with pytest.raises(StoreLockedError, match="record 2"):
            slow.append("b", {"by": "slow"})
    assert slow.records()[-1].body == {"by": "fast"}
    assert slow.append("c", {}).number == 3


def test_equal_records_of_two_writers_are_still_two_writers(store: ObjectStore) -> None:
    one, two = CommitLog(store), CommitLog(store)
    one.last()
    two.last()
    one.append("same", {})
    with pytest.raises(StoreLockedError):
        two.append("same", {})


def test_a_request_sent_again_after_a_lost_answer_meets_its_own_record(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = ObjectStore.create

    def sent_twice(self: ObjectStore, name: str, data: bytes) -> None:
        create(self, name, data)
        create(self, name, data)

    monkeypatch.setattr(ObjectStore, "create", sent_twice)
    assert CommitLog(store).append("a", {"x": 1}).number == 1


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(body=st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), json_values, max_size=4))
def test_every_json_body_is_read_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, body: dict[str, object]
) -> None:
    store = ObjectStore(tmp_path_factory.mktemp("log"))
    CommitLog(store).append("any", body)
    found = CommitLog(store).records()[0].body
    assert found == body
    assert json.dumps(found, sort_keys=True) == json.dumps(body, sort_keys=True)


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), (1, 2), {1: "a"}, np.arange(3), {"a"}, b"x", np.float32(1), "\ud800"],
    ids=["nan", "inf", "tuple", "int-key", "array", "set", "bytes", "float32", "surrogate"],
)
def test_what_json_would_change_or_cannot_hold_is_refused(store: ObjectStore, value: object) -> None:
    log = CommitLog(store)
    with pytest.raises(ContractError):
        log.append("bad", {"x": [value]})
    assert log.records() == []


def test_the_record_on_disk_is_canonical(store: ObjectStore) -> None:
    CommitLog(store).append("k", {"b": 0.1, "a": "é"})
    text = store.get(path(1)).decode()
    record = json.loads(text)
    assert record["number"] == 1
    assert record["kind"] == "k"
    assert record["format"] == FORMAT
    assert record["body"] == {"a": "é", "b": 0.1}
    assert text == json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def corrupt(data: bytes, how: str) -> bytes:
    record = json.loads(data)
    match how:
        case "empty":
            return b""
        case "torn":
            return data[: len(data) // 2]
        case "zeros":
            return b"\0" * len(data)
        case "one digit":
            return data.replace(b"0.125", b"0.126")
        case "other kind":
            return json.dumps(record | {"kind": "x"}).encode()
        case "other number":
            return json.dumps(record | {"number": 7}).encode()
        case "old format":
            return json.dumps(record | {"format": 0}).encode()
        case "no format":
            return json.dumps({"number": 2}).encode()
        case "list":
            return b"[]"
        case "nan":
            return data.replace(b"0.125", b"NaN")
        case _:
            raise AssertionError(how)


@pytest.mark.parametrize(
    "how",
    [
        "empty",
        "torn",
        "zeros",
        "one digit",
        "other kind",
        "other number",
        "old format",
        "no format",
        "list",
        "nan",
    ],
)
def test_a_damaged_record_is_named(store: ObjectStore, how: str) -> None:
    log = CommitLog(store)
    for _ in range(3):
        log.append("k", {"x": 0.125})
    store.put(path(2), corrupt(store.get(path(2)), how))
    with pytest.raises(StoreCorruptError, match="record 2") as refusal:
        CommitLog(store).records()
    assert refusal.value.where.endswith(f"{2:020d}.json")
    assert "doctor" in refusal.value.next_step


def test_a_record_of_a_newer_tilth_is_refused(store: ObjectStore) -> None:
    CommitLog(store).append("k", {})
    record = json.loads(store.get(path(1)))
    store.put(path(1), json.dumps(record | {"format": FORMAT + 1, "body": ["new"]}).encode())
    for read in (CommitLog(store).records, CommitLog(store).last, lambda: CommitLog(store).append("k", {})):
        with pytest.raises(StoreTooNewError, match="upgrade"):
            read()


def test_a_gap_is_named(store: ObjectStore) -> None:
    log = CommitLog(store)
    for _ in range(4):
        log.append("k", {})
    store.delete(path(2))
    with pytest.raises(StoreCorruptError, match=r"record 2 .* missing"):
        CommitLog(store).records()
    assert [record.number for record in CommitLog(store).records(since=2)] == [3, 4]


def test_foreign_files_are_left_alone(store: ObjectStore) -> None:
    store.put("log/.DS_Store", b"?")
    store.put("log/notes.txt", b"?")
    store.put("log/00000000000000000009.json~", b"?")
    CommitLog(store).append("k", {})
    assert len(CommitLog(store).records()) == 1
