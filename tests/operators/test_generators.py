"""tilth.generator: what a function may give, what is refused, and that it stays callable."""

from __future__ import annotations

import pyarrow as pa
import pytest

import tilth
from tilth.core.errors import ContractError, UsageError
from tilth.operators._label_rows import row_of

KINDS = {"text": pa.string(), "n": pa.int64()}


def test_a_decorated_function_stays_callable():
    @tilth.generator
    def louder(row):
        return {"text": row.text.upper()}

    assert louder({"text": "a"}) == {"text": "A"}
    assert (louder.name, louder.most_calls, louder.kind) == ("louder", 200, "generator")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (None, []),
        ({"text": "b"}, [{"text": "b"}]),
        ([{"text": "b"}, None, {"text": "c", "n": 2}], [{"text": "b"}, {"text": "c", "n": 2}]),
    ],
)
def test_rows_several_rows_or_none(answer, expected):
    one = tilth.generator(name="g")(lambda row: answer)
    assert one.made(row_of({"text": "a", "n": 1}), KINDS) == expected


def test_a_bare_cell_where_there_is_one_column():
    one = tilth.generator(name="g", columns="text")(lambda row: [row.text + "!", row.text + "?"])
    assert one.made(row_of({"text": "a"}), {"text": pa.string()}) == [{"text": "a!"}, {"text": "a?"}]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("b", "a str, which is no row"),
        ({}, "not one of its columns"),
        ({"other": 1}, "'other', not one of its columns"),
        ({"n": "many"}, "a str for column 'n'"),
        ({"text": object()}, "a object for column 'text'"),
    ],
)
def test_what_is_no_row_is_refused(answer, why):
    one = tilth.generator(name="g")(lambda row: answer)
    with pytest.raises(ContractError, match=why):
        one.made(row_of({"text": "a", "n": 1}), KINDS)


def test_calls_are_a_whole_number():
    for wrong in (0, -1, 1.5, True):
        with pytest.raises(UsageError, match="most_calls"):
            tilth.generator(most_calls=wrong)
