"""Laws of keyed tables: whatever is written, every version reads as a plain list of rows would."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.store import tables
from tilth.store.tables import RowTable

TEXT = st.none() | st.sampled_from(["", "a", "it's", "long " * 40])
NUMBER = st.none() | st.integers(-5, 5)
SCHEMA = pa.schema([("id", pa.int64()), ("text", pa.string()), ("number", pa.int64())])
Rows = list[dict[str, Any]]


def as_table(rows: Rows) -> pa.Table:
    return pa.Table.from_pylist(rows, SCHEMA)


def step(table: RowTable, data: st.DataObject, base: int, rows: Rows, fresh: int) -> tuple[int, Rows]:
    """Draw and do one write from `base`; return its version and what it must hold."""
    keys = [row["id"] for row in rows]
    some = st.lists(st.sampled_from(keys), unique=True) if keys else st.just([])
    match data.draw(st.sampled_from(["text", "number", "both", "delete", "append", "restore", "compact"])):
        case "delete":
            gone = data.draw(some)
            return table.delete(gone, base), [row for row in rows if row["id"] not in gone]
        case "append":
            new = [{"id": fresh + i, "text": data.draw(TEXT), "number": i} for i in range(data.draw(st.integers(0, 3)))]
            return table.append(as_table(new), base), rows + new
        case "restore":
            return table.restore(base), rows
        case "compact":
            return table.compact(base), rows
        case kind:
            names = ["text", "number"] if kind == "both" else [kind]
            draws = {"text": TEXT, "number": NUMBER}
            changes = {key: {name: data.draw(draws[name]) for name in names} for key in data.draw(some)}
            sent = pa.Table.from_pylist([{"id": key} | cells for key, cells in changes.items()], SCHEMA)
            return table.update(sent.select(["id", *names]), base), [r | changes.get(r["id"], {}) for r in rows]


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_versions_are_lists_of_rows(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    table = RowTable(str(tmp_path_factory.mktemp("model") / "t.lance"), "id")
    first = [{"id": i * 7 % 11, "text": str(i), "number": i} for i in range(data.draw(st.integers(0, 10)))]
    held = {table.create(as_table(first)): first}
    with pytest.MonkeyPatch.context() as patch:
        for number in range(data.draw(st.integers(1, 7))):
            mode = data.draw(st.sampled_from(["rewrite_rows", "rewrite_columns"]))
            patch.setattr(tables, "_write_mode", lambda *_, chosen=mode: chosen)
            base = data.draw(st.sampled_from(sorted(held)))
            version, rows = step(table, data, base, held[base], 100 * (number + 1))
            assert version not in held or held[version] == rows
            held[version] = rows
    for version, rows in held.items():
        found = table.at(version)
        assert found.read().to_pylist() == rows
        wanted = [row["id"] for row in rows][::2]
        assert found.read(["id"], wanted)["id"].to_pylist() == wanted
        assert pa.concat_tables(found.blocks(block_rows=3)).to_pylist() == rows
    kept = data.draw(st.sets(st.sampled_from(sorted(held)), min_size=1))
    table.cleanup(kept)
    for version in kept:
        assert table.read(version).to_pylist() == held[version]
