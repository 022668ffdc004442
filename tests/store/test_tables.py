"""Keyed tables: versions, storage order, small writes, names and types, and refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tilth.core.errors import (
    DuplicateIdError,
    InputError,
    StoreCorruptError,
    StoreLockedError,
    UnknownColumnError,
    UnknownRowError,
)
from tilth.store import table_version, tables
from tilth.store._lance import stored_name, user_name
from tilth.store.tables import RowTable

FIVE = pa.table({"id": list("cabed"), "label": [1, 2, 3, 4, 5], "text": ["x", None, "y", "it's", ""]})


@pytest.fixture
def table(tmp_path: Path) -> RowTable:
    return RowTable(str(tmp_path / "rows.lance"), "id")


@pytest.fixture(params=["rewrite_rows", "rewrite_columns"])
def mode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways in which Lance can write changed cells."""
    monkeypatch.setattr(tables, "_write_mode", lambda *_: request.param)
    return str(request.param)


def folder_bytes(table: RowTable) -> int:
    return sum(file.stat().st_size for file in Path(table.uri).rglob("*") if file.is_file())


def data_bytes(table: RowTable) -> int:
    return sum(file.stat().st_size for file in Path(table.uri, "data").iterdir())


def test_what_is_created_is_read(table: RowTable) -> None:
    version = table.create(FIVE)
    assert table.read(version).equals(FIVE)
    at = table.at(version)
    assert (at.number, at.n_rows, at.schema) == (version, 5, FIVE.schema)
    assert table.read(version, ["text", "id"]).equals(FIVE.select(["text", "id"]))


def test_a_stream_is_created_in_its_order(table: RowTable) -> None:
    version = table.create(FIVE.to_reader(max_chunksize=2))
    assert table.read(version).equals(FIVE)


def test_a_second_creation_is_a_new_version_of_any_schema(table: RowTable) -> None:
    first = table.create(FIVE)
    other = pa.table({"id": ["q"], "number": [1.5]})
    second = table.create(other)
    assert table.read(second).equals(other)
    assert table.read(first).equals(FIVE)
    third = table.update(pa.table({"id": ["a"], "label": [0]}), base=first)
    assert table.read(third, keys=["a"])["label"].to_pylist() == [0]


def test_an_empty_table_has_rows_appended(table: RowTable) -> None:
    version = table.append(FIVE, table.create(FIVE.slice(0, 0)))
    assert table.read(version).equals(FIVE)


def test_an_update_sets_cells_and_keeps_the_order(table: RowTable, mode: str) -> None:
    first = table.create(FIVE)
    second = table.update(pa.table({"id": ["d", "c"], "label": [50, None]}), first)
    assert table.read(second).to_pydict() == FIVE.to_pydict() | {"label": [None, 2, 3, 4, 50]}
    assert table.read(first).equals(FIVE)


def test_every_version_stays_as_it_was(table: RowTable, mode: str) -> None:
    versions = {table.create(FIVE): FIVE.to_pylist()}

    def note(version: int, rows: list[dict[str, Any]]) -> int:
        versions[version] = rows
        return version

    rows = FIVE.to_pylist()
    v = note(
        table.update(pa.table({"id": ["a"], "text": ["new"]})),
        [r | ({"text": "new"} if r["id"] == "a" else {}) for r in rows],
    )
    v = note(table.delete(["c"]), [r for r in versions[v] if r["id"] != "c"])
    v = note(
        table.append(pa.table({"id": ["z"], "label": [9]})),
        [*versions[v], {"id": "z", "label": 9, "text": None}],
    )
    v = note(
        table.add_columns(pa.table({"id": ["z", "b"], "score": [0.5, 0.25]})),
        [r | {"score": {"z": 0.5, "b": 0.25}.get(r["id"])} for r in versions[v]],
    )
    v = note(
        table.update(pa.table({"id": ["b", "z"], "score": [1.0, None]})),
        [
            r | ({"score": 1.0} if r["id"] == "b" else {}) | ({"score": None} if r["id"] == "z" else {})
            for r in versions[v]
        ],
    )
    v = note(table.drop_columns(["label"]), [{k: x for k, x in r.items() if k != "label"} for r in versions[v]])
    for version, expected in versions.items():
        assert table.read(version).to_pylist() == expected
    assert set(versions) <= set(table.versions())


def test_a_write_may_start_from_an_older_version(table: RowTable) -> None:
    first = table.create(FIVE)
    left = table.delete(["a"], first)
    right = table.update(pa.table({"id": ["a"], "label": [20]}), first)
    assert table.read(left)["id"].to_pylist() == list("cbed")
    assert table.read(right)["label"].to_pylist() == [1, 20, 3, 4, 5]
    again = table.restore(left)
    assert table.read(again).equals(table.read(left))
    assert table.restore(again) == again


def test_rows_are_read_by_key_in_storage_order(table: RowTable) -> None:
    version = table.create(FIVE)
    picked = table.read(version, ["label"], ["d", "nowhere", "c", "d"])
    assert picked.to_pydict() == {"label": [1, 5]}
    assert table.read(version, ["id"], []).to_pydict() == {"id": []}
    assert table.at(version).has(["d", "nowhere", "c"]).tolist() == [True, False, True]


@pytest.mark.parametrize("few", [0, 10_000], ids=["scan", "index"])
def test_keys_found_by_index_or_by_scan_are_the_same(
    table: RowTable, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(table_version, "_FEW_KEYS", few)
    monkeypatch.setattr(table_version, "_KEYS_PER_FILTER", min(few, 7))
    monkeypatch.setattr(table_version, "_ROWS_PER_KEY", 0)
    keys = [f"it's {i}" for i in range(300)]
    version = table.create(pa.table({"id": keys, "n": range(300)}))
    version = table.update(pa.table({"id": keys[5:50:3], "n": [-1] * 15}), version)
    version = table.delete(keys[10:20], version)
    found = table.read(version, ["n"], keys[30:5:-1])
    expected = [-1 if i < 50 and (i - 5) % 3 == 0 else i for i in [*range(6, 10), *range(20, 31)]]
    assert found["n"].to_pylist() == expected


def test_blocks_cut_the_storage_order(table: RowTable, mode: str) -> None:
    version = table.create(pa.table({"id": range(50), "n": range(50)}))
    version = table.update(pa.table({"id": [3, 30], "n": [103, 130]}), version)
    version = table.delete([0, 49], version)
    whole = table.read(version)
    for size in (1, 7, 48, 1000):
        blocks = list(table.at(version).blocks(["n", "id"], size))
        assert [block.num_rows for block in blocks[:-1]] == [size] * (len(blocks) - 1)
        assert pa.concat_tables(blocks).equals(whole.select(["n", "id"]))
    emptied = table.delete(list(range(1, 49)), version)
    assert [block.num_rows for block in table.at(emptied).blocks()] == [0]
    assert table.read(emptied).num_rows == 0


def test_relabelling_one_row_in_a_hundred_writes_little(table: RowTable) -> None:
    """20,000 rows of 64 floats are 5 MiB; 200 labels anew must cost less than 1 % of that."""
    rng = np.random.default_rng(0)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(rng.normal(size=20_000 * 64).astype(np.float32)), 64)
    keys = [f"row-{i}" for i in range(20_000)]
    version = table.create(pa.table({"id": keys, "label": rng.integers(0, 10, 20_000), "vector": vectors}))
    before = folder_bytes(table)
    chosen = rng.choice(20_000, 200, replace=False)
    version = table.update(pa.table({"id": [keys[i] for i in chosen], "label": [11] * 200}), version)
    assert folder_bytes(table) - before < 50_000
    labels = table.read(version, ["label"])["label"].to_numpy()
    assert np.flatnonzero(labels == 11).tolist() == sorted(chosen.tolist())
    before = folder_bytes(table)
    version = table.update(pa.table({"id": [keys[7]], "vector": vectors.slice(0, 1)}), version)
    assert folder_bytes(table) - before < 50_000
    assert table.read(version, ["vector"], [keys[7]])["vector"].to_pylist() == vectors.slice(0, 1).to_pylist()


def test_labels_of_one_letter_are_rewritten_at_less_than_a_byte_each(table: RowTable) -> None:
    rng, n = np.random.default_rng(0), 60_000
    ids = pa.array([f"row-{i}" for i in range(n)])
    data = {"id": ids, "label": np.array(list("abc"))[rng.integers(0, 3, n)], "vector": list(rng.normal(size=(n, 32)))}
    version = table.create(pa.table(data))
    before, some = data_bytes(table), np.arange(0, n, 100)
    later = table.update(pa.table({"id": ids.take(pa.array(some)), "label": ["b"] * len(some)}), version)
    assert data_bytes(table) - before < n / 2
    read = table.read(later, ["label"])
    assert read.column(0).take(pa.array(some)).to_pylist() == ["b"] * len(some)
    assert read.schema.field("label").metadata is None


def test_a_stale_writer_is_refused(table: RowTable, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process writes between our opening and our commit: each kind of write is refused."""
    first = table.create(FIVE)
    other = RowTable(table.uri, "id")
    writes = {
        "update the same row": lambda: table.update(pa.table({"id": ["a"], "label": [7]})),
        "update another row": lambda: table.update(pa.table({"id": ["e"], "label": [7]})),
        "delete": lambda: table.delete(["e"]),
        "append": lambda: table.append(pa.table({"id": ["z"]})),
        "add": lambda: table.add_columns(pa.table({"id": ["a"], "new": [1]})),
        "drop": lambda: table.drop_columns(["text"]),
    }
    for write in writes.values():
        base = table.restore(first)

        def interfere(name: str) -> None:
            if name == "table.before_write":
                monkeypatch.setattr(tables, "reach", lambda _: None)
                other.update(pa.table({"id": ["a"], "label": [99]}))

        monkeypatch.setattr(tables, "reach", interfere)
        with pytest.raises(StoreLockedError):
            write()
        theirs = base + 1
        assert table.read(theirs)["label"].to_pylist() == [1, 99, 3, 4, 5]
        after = other.update(pa.table({"id": ["b"], "label": [98]}), base=theirs)
        assert table.read(after).to_pydict() == FIVE.to_pydict() | {"label": [1, 99, 98, 4, 5]}


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda t: t.update(pa.table({"id": ["a", "no"], "label": [1, 2]})), UnknownRowError),
        (lambda t: t.update(pa.table({"id": ["a", "a"], "label": [1, 2]})), DuplicateIdError),
        (lambda t: t.update(pa.table({"id": ["a"], "lable": [1]})), UnknownColumnError),
        (lambda t: t.update(pa.table({"label": [1]})), UnknownColumnError),
        (lambda t: t.update(pa.table({"id": ["a"], "label": ["many"]})), InputError),
        (lambda t: t.update(pa.table({"id": [None], "label": [1]})), InputError),
        (lambda t: t.delete(["a", "no"]), UnknownRowError),
        (lambda t: t.delete(["a", "a"]), DuplicateIdError),
        (lambda t: t.append(pa.table({"id": ["z", "a"]})), DuplicateIdError),
        (lambda t: t.append(pa.table({"id": ["z", "z"]})), DuplicateIdError),
        (lambda t: t.add_columns(pa.table({"id": ["a"], "label": [1]})), InputError),
        (lambda t: t.add_columns(pa.table({"id": ["no"], "new": [1]})), UnknownRowError),
        (lambda t: t.drop_columns(["id"]), UnknownColumnError),
        (lambda t: t.drop_columns(["no"]), UnknownColumnError),
        (lambda t: t.read(2, ["no"]), UnknownColumnError),
        (lambda t: t.read(99), StoreCorruptError),
        (lambda t: t.create(pa.table({"other": [1]})), UnknownColumnError),
        (lambda t: t.create(pa.table({"id": ["a", "b", "a"]})), DuplicateIdError),
        (lambda t: t.create(pa.table({"id": ["a", "b", "a"]}).to_reader()), DuplicateIdError),
        (lambda t: t.create(pa.table({"id": ["a", None]})), InputError),
        (lambda t: t.create(pa.table({"id": [0.5, 1.5]})), InputError),
        (lambda t: t.cleanup([]), InputError),
    ],
)
def test_refusals_leave_the_recorded_version_whole(table: RowTable, act: Any, error: type[Exception]) -> None:
    version = table.create(FIVE)
    with pytest.raises(error):
        act(table)
    assert table.read(version).equals(FIVE)
    after = table.update(pa.table({"id": ["a"], "label": [7]}), version)
    assert table.read(after)["label"].to_pylist() == [1, 7, 3, 4, 5]


def test_writing_nothing_is_no_version(table: RowTable) -> None:
    version = table.create(FIVE)
    assert table.update(FIVE.slice(0, 0)) == version
    assert table.update(FIVE.select(["id"])) == version
    assert table.delete([]) == version
    assert table.append(FIVE.slice(0, 0)) == version
    assert table.add_columns(FIVE.select(["id"])) == version
    assert table.drop_columns([]) == version
    assert table.versions()[-1] == version


AWKWARD = [
    "a.b",
    "a`b",
    'a"b',
    "a'b",
    "a b",
    "%",
    "%41",
    "",
    "é",
    "A",
    "a",
    "_rowid",
    "_row",
    "_tilth_order",
    "select",
]


def test_any_column_name_is_kept(table: RowTable, tmp_path: Path, mode: str) -> None:
    assert len({stored_name(name) for name in AWKWARD}) == len(AWKWARD)
    assert [user_name(stored_name(name)) for name in AWKWARD] == AWKWARD
    data = pa.table([pa.array([f"{i}x", f"{i}y"]) for i in range(len(AWKWARD))], names=AWKWARD)
    for key in AWKWARD:
        one = RowTable(str(tmp_path / str(AWKWARD.index(key))), key)
        version = one.create(data)
        own = data[key].to_pylist()
        other = "a.b" if key != "a.b" else "a`b"
        version = one.update(pa.table([pa.array([own[1]]), pa.array(["new"])], names=[key, other]), version)
        assert one.read(version, [other], own)[other].to_pylist() == [data[other][0].as_py(), "new"]
        version = one.add_columns(pa.table([pa.array(own), pa.array([1, 2])], names=[key, "n.ew"]), version)
        assert one.read(version).column_names == [*AWKWARD, "n.ew"]
        assert one.read(one.delete([own[0]], version), [key])[key].to_pylist() == [own[1]]


TYPES = {
    "nothing": pa.nulls(3),
    "large": pa.array(["a", None, "c"], pa.large_string()),
    "codes": pa.array(["a", None, "a"]).dictionary_encode(),
    "time": pa.array([1, None, 3], pa.timestamp("us", "UTC")),
    "day": pa.array([1, None, 3], pa.date32()),
    "struct": pa.array([{"a": 1, "b": "x"}, None, {"a": 3, "b": None}]),
    "list": pa.array([["a"], None, []]),
    "bool": pa.array([True, None, False]),
    "bytes": pa.array([b"1", None, b""]),
    "vector": pa.array([[1.0, 2.0], None, [3.0, 4.0]], pa.list_(pa.float32(), 2)),
    "decimal": pa.array([1, None, 3], pa.decimal128(9, 2)),
    "unsigned": pa.array([2**64 - 1, None, 0], pa.uint64()),
}


@pytest.mark.parametrize("kind", TYPES)
def test_any_column_type_is_kept(table: RowTable, kind: str, mode: str) -> None:
    data = pa.table({"id": [1, 2, 3], "x": TYPES[kind], "other": [1, 2, 3]})
    version = table.create(data)
    assert table.read(version).equals(data)
    swapped = pa.table({"id": [1, 2], "x": TYPES[kind].take(pa.array([1, 0]))})
    version = table.update(swapped, version)
    assert table.read(version)["x"].to_pylist() == TYPES[kind].take(pa.array([1, 0, 2])).to_pylist()
    version = table.append(pa.table({"id": [4], "x": TYPES[kind].slice(2, 1)}), version)
    assert table.read(version)["x"].to_pylist() == TYPES[kind].take(pa.array([1, 0, 2, 2])).to_pylist()


def test_narrower_types_are_widened(table: RowTable) -> None:
    version = table.create(FIVE)
    version = table.update(pa.table({"id": ["a"], "label": pa.array([7], pa.int8())}), version)
    version = table.update(pa.table({"id": pa.array(["b"], pa.large_string()), "text": ["t"]}), version)
    assert table.read(version).to_pydict() == FIVE.to_pydict() | {
        "label": [1, 7, 3, 4, 5],
        "text": ["x", None, "t", "it's", ""],
    }


def test_compaction_changes_no_row_and_mends_the_index(table: RowTable) -> None:
    version = table.create(FIVE)
    for name in "pqr":
        version = table.append(pa.table({"id": [name]}), version)
    version = table.delete(["a", "q"], version)
    rows = table.read(version)
    after = table.compact(version)
    assert after > version
    assert table.read(after).equals(rows)
    dataset = table._open(after)
    assert len(dataset.get_fragments()) == 1
    assert [index.num_rows_indexed for index in dataset.describe_indices()] == [6]
    again = table.update(pa.table({"id": ["r"], "label": [3]}), after)
    assert table.read(again, ["label"], ["r"])["label"].to_pylist() == [3]


def test_cleanup_keeps_the_named_versions_and_frees_the_rest(table: RowTable) -> None:
    first = table.create(FIVE)
    second = table.update(pa.table({"id": ["a"], "text": ["z" * 10_000]}), first)
    third = table.delete(["c"], first)
    orphan = table.append(pa.table({"id": ["orphan"], "text": ["z" * 10_000]}), third)
    rest = Path(table.uri) / "data" / ("0" * 24 + "deadbeef.lance")
    rest.write_bytes(b"left by a killed write")
    before = folder_bytes(table)
    freed = table.cleanup([first, third])
    assert freed > 10_000
    assert folder_bytes(table) <= before - 10_000
    assert not rest.exists()
    assert second not in table.versions()
    assert orphan not in table.versions()
    assert table.read(first).equals(FIVE)
    assert table.read(third)["id"].to_pylist() == list("abed")
    assert table.read(table.update(pa.table({"id": ["a"], "label": [0]}), first), keys=["a"])["label"].to_pylist() == [
        0
    ]


def test_a_damaged_file_is_named(table: RowTable) -> None:
    version = table.create(FIVE)
    for file in (Path(table.uri) / "data").iterdir():
        file.write_bytes(file.read_bytes()[:20])
    with pytest.raises(StoreCorruptError) as refusal:
        RowTable(table.uri, "id").read(version)
    assert refusal.value.where == table.uri


def test_chunks_with_their_own_codes_and_strict_fields_are_taken(table: RowTable) -> None:
    codes = pa.chunked_array([pa.array(["a", "b"]).dictionary_encode(), pa.array(["c"]).dictionary_encode()])
    schema = pa.schema(
        [pa.field("id", pa.int64(), nullable=False, metadata={"k": "v"}), pa.field("x", codes.type)],
        metadata={"made by": "a test"},
    )
    version = table.create(pa.table([pa.array([1, 2, 3]), codes], schema=schema))
    assert table.read(version)["x"].to_pylist() == ["a", "b", "c"]
    version = table.append(pa.table({"id": [4], "x": ["d"]}), version)
    version = table.update(pa.table({"id": [1], "x": ["e"]}), version)
    assert table.read(version)["x"].to_pylist() == ["e", "b", "c", "d"]


def test_a_schema_without_rows_is_a_table(table: RowTable) -> None:
    version = table.create(FIVE.schema.empty_table())
    assert table.read(version).equals(FIVE.schema.empty_table())
    assert table.read(table.append(FIVE, version)).equals(FIVE)
