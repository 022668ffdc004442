"""Digests: what is equal has equal digests, whatever its Arrow type; sums do not depend on the order of rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.core.ids import (
    cell_digests,
    column_digests,
    content_id,
    content_sums,
    digest_of,
    hex_ids,
    key_of,
    row_digests,
    short_id,
    text_digests,
)
from tilth.core.names import ROW_ID
from tilth.testing.strategies import tables

LAW = settings(max_examples=40, deadline=None)

WORDS = ["soil", None, "seed", "soil"]
LANES = 2**64
PI_LANES = (0x243F6A8885A308D3, 0x13198A2E03707344)


def equal(left: pa.Array, right: pa.Array) -> bool:
    return np.array_equal(cell_digests(left), cell_digests(right))


def vectors(values: list[list[float] | None], width: int, kind: pa.DataType) -> pa.Table:
    return pa.table({"v": pa.array(values, pa.list_(kind, width))})


@pytest.mark.parametrize("kind", [pa.large_string(), pa.dictionary(pa.int8(), pa.string())])
def test_text_is_text_whatever_holds_it(kind):
    assert equal(pa.array(WORDS).cast(kind), pa.array(WORDS))


def test_bytes_and_long_bytes_agree():
    assert equal(pa.array([b"ab", None], pa.binary()), pa.array([b"ab", None], pa.large_binary()))


@pytest.mark.parametrize("kind", [pa.int8(), pa.int32(), pa.uint16(), pa.int64()])
def test_whole_numbers_of_every_width_agree(kind):
    assert equal(pa.array([0, 7, None], kind), pa.array([0, 7, None], pa.int64()))


def test_float32_and_float64_of_the_same_number_agree():
    values = np.array([0.5, -1.25, 3e8], dtype=np.float32)
    assert equal(pa.array(values), pa.array(values.astype(np.float64)))
    assert not equal(pa.array([0.1], pa.float32()), pa.array([0.1], pa.float64()))  # another number


def test_zero_has_no_sign_and_there_is_one_nan():
    other_nan = np.array([0x7FF8000000000001], dtype=np.uint64).view(np.float64)
    assert equal(pa.array([-0.0]), pa.array([0.0]))
    assert equal(pa.array(other_nan), pa.array([float("nan")]))
    assert not equal(pa.array([float("nan")]), pa.array([None], pa.float64()))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_every_unit_of_time_agrees(unit):
    seconds = pa.array([0, 86_400, None], pa.timestamp("s"))
    assert equal(seconds.cast(pa.timestamp(unit)), seconds)
    assert equal(seconds.cast(pa.timestamp(unit, "UTC")), seconds)


def test_dates_are_the_times_at_which_they_begin():
    assert equal(pa.array([0, 1], pa.date32()), pa.array([0, 86_400], pa.timestamp("s")))


def test_families_do_not_meet():
    columns = [pa.array([1]), pa.array([1.0]), pa.array(["1"]), pa.array([1], pa.timestamp("us")), pa.array([[1]])]
    assert len({cell_digests(column).tobytes() for column in columns}) == len(columns)


@pytest.mark.parametrize("kind", [pa.string(), pa.int64(), pa.float64(), pa.timestamp("us"), pa.bool_()])
def test_a_missing_cell_is_the_same_in_every_type(kind):
    assert equal(pa.nulls(2, kind), pa.nulls(2))


def test_missing_is_neither_empty_nor_zero():
    assert not equal(pa.array([None], pa.string()), pa.array([""]))
    assert not equal(pa.array([None], pa.int64()), pa.array([0]))


def test_slices_and_chunks_do_not_matter():
    whole = pa.array(WORDS)
    assert np.array_equal(cell_digests(whole.slice(1, 2)), cell_digests(whole)[1:3])
    assert np.array_equal(cell_digests(pa.chunked_array([whole[:1], whole[1:]])), cell_digests(whole))


def test_vectors_agree_in_both_widths_and_when_sliced():
    narrow = vectors([[1.0, 0.5], None, [-0.0, 2.0]], 2, pa.float32())
    wide = vectors([[1.0, 0.5], None, [0.0, 2.0]], 2, pa.float64())
    assert np.array_equal(column_digests(narrow, "v"), column_digests(wide, "v"))
    assert np.array_equal(column_digests(narrow.slice(1), "v"), column_digests(wide, "v")[1:])
    assert column_digests(narrow.slice(0, 0), "v").shape == (0, 2)


def test_lists_are_digested_by_their_values():
    parents = pa.array([["a", "b"], [], None], pa.list_(pa.string()))
    assert len({row.tobytes() for row in cell_digests(parents)}) == 3
    assert equal(parents, parents.cast(pa.large_list(pa.string())))


def test_no_cells_have_no_digests():
    assert all(cell_digests(pa.array([], kind)).shape == (0, 2) for kind in (pa.string(), pa.int64(), pa.null()))


def test_rows_bind_cells_to_columns_and_not_to_their_order():
    table = pa.table({"a": ["x", "y"], "b": ["y", "x"]})
    assert np.array_equal(row_digests(table, ["a", "b"]), row_digests(table, ["b", "a"]))
    assert not np.array_equal(*row_digests(table, ["a", "b"]))  # (x, y) is not (y, x)


def test_ids_are_stable_and_readable():
    assert digest_of({"b": 1, "a": [None, True]}) == digest_of({"a": [None, True], "b": 1})
    assert short_id("e", {"a": 1}) == "e-" + digest_of({"a": 1}, size=6)
    assert text_digests([b"soil"]).tobytes().hex() == hex_ids(cell_digests(pa.array(["soil"])))[0]
    with pytest.raises(ValueError, match="JSON"):
        digest_of(float("nan"))


@pytest.mark.parametrize("value", [0, 1, -5, 2**62])
def test_numbers_are_mixed_as_splitmix64_says(value):
    """Parity with the generator written in Python's own integers (Steele, Lea, Flood 2014, figure 4)."""

    def mixed(z: int) -> int:
        z = (z + 0x9E3779B97F4A7C15) % LANES
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) % LANES
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) % LANES
        return z ^ (z >> 31)

    keys = [(lane + int(key)) % LANES for lane, key in zip(PI_LANES, key_of("int"), strict=True)]
    assert cell_digests(pa.array([value]))[0].tolist() == [mixed(value % LANES ^ key) for key in keys]


@LAW
@given(data=st.data(), table=tables())
def test_law_sums_do_not_depend_on_the_order_of_rows(data, table):
    order = data.draw(st.permutations(range(table.num_rows)))
    shuffled = table.take(pa.array(order, pa.int64()))
    assert content_sums(shuffled, ROW_ID) == content_sums(table, ROW_ID)


@LAW
@given(data=st.data(), table=tables(min_rows=1))
def test_law_sums_of_parts_add_up(data, table):
    """What makes an edit re-hash only what it changed."""
    cut = data.draw(st.integers(0, table.num_rows))
    parts = [content_sums(part, ROW_ID) for part in (table.slice(0, cut), table.slice(cut))]
    whole = content_sums(table, ROW_ID)
    for name, pair in whole.items():
        assert tuple((a + b) % LANES for a, b in zip(*(part[name] for part in parts), strict=True)) == pair


@LAW
@given(table=tables(min_rows=2))
def test_law_a_cell_counts_for_its_row(table):
    """Swapping the cells of two rows is a change, unless they are equal."""
    words = table.column("word").to_pylist()
    swapped = table.set_column(
        table.column_names.index("word"), "word", pa.array([words[1], words[0], *words[2:]], pa.string())
    )
    alike = content_sums(swapped, ROW_ID)["word"] == content_sums(table, ROW_ID)["word"]
    assert alike == (words[0] == words[1])


def test_the_content_id_holds_sums_and_schema():
    sums = {"a": (1, 2), "b": (3, 4)}
    assert content_id(sums, None) == content_id(dict(reversed(sums.items())), None)
    assert len({content_id(sums, None), content_id(sums, {"columns": []}), content_id({"a": (1, 2)}, None)}) == 3
