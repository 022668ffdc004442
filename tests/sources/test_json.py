"""JSON in its three forms, and what is refused."""

from __future__ import annotations

import gzip
import json

import pytest

from tilth.core.errors import SourceError
from tilth.sources._content import fetch
from tilth.sources.json import Json, parse_json

ROWS = [{"text": "a", "n": 1}, {"text": "b", "n": 2}]


def write(folder, content, name="t.json"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(ROWS),
        json.dumps(ROWS, indent=2),
        "\n".join(map(json.dumps, ROWS)),
        "\n\n".join(map(json.dumps, ROWS)) + "\n",
        json.dumps({"text": ["a", "b"], "n": [1, 2]}),
        json.dumps({"text": {"0": "a", "1": "b"}, "n": {"0": 1, "1": 2}}),
        json.dumps({"version": "1", "data": ROWS}),
        gzip.compress(json.dumps(ROWS).encode()),
    ],
)
def test_all_forms_give_the_same_rows(tmp_path, content):
    name = "t.json.gz" if isinstance(content, bytes) else "t.json"
    assert Json(path=write(tmp_path, content, name)).read().to_pylist() == ROWS


def test_lines_have_types_and_missing_fields_are_null(tmp_path):
    path = write(tmp_path, '{"a": 1, "b": true}\n{"a": 2.5}\n', "t.jsonl")
    assert Json(path=path).read().to_pylist() == [{"a": 1.0, "b": True}, {"a": 2.5, "b": None}]


@pytest.mark.parametrize("content", ['[{"a": 1}, {"a": "x"}]', '{"a": 1}\n{"a": "x"}\n'])
def test_mixed_types_become_text_with_a_warning(tmp_path, content):
    rows = parse_json(fetch(write(tmp_path, content)))
    assert rows.table.column("a").to_pylist() == ["1", "x"]
    assert "mixes types (1 int, 1 str)" in rows.warnings[0]


def test_nested_objects_become_columns(tmp_path):
    table = Json(path=write(tmp_path, '[{"a": {"b": 1, "c": {"d": "x"}}}]')).read()
    assert table.to_pylist() == [{"a.b": 1, "a.c.d": "x"}]


def test_a_single_line_of_a_lines_file_is_one_row(tmp_path):
    table = Json(path=write(tmp_path, '{"a": {"b": [1, 2]}, "t": ["x", "y"]}', "t.jsonl")).read()
    assert table.to_pylist() == [{"a.b": [1, 2], "t": ["x", "y"]}]


def test_one_object_is_one_row(tmp_path):
    assert Json(path=write(tmp_path, '{"a": 1,\n "b": "x"}')).read().to_pylist() == [{"a": 1, "b": "x"}]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "empty"),
        ("   \n", "empty"),
        ("[]", "holds no rows"),
        ("7", "begins with '7'"),
        ('[{"a": 1}, 2, 3]', r"row 2, 3 is no object"),
        ('{"a": 1}\n{"a": 2\n{"a": 3}\n', "line 2, position 8 is not JSON"),
        ('[{"a": 1},\n{"a": }]', "line 2, position 7 is not JSON"),
        ('{"a": [1, 2], "b": [1]}', "columns of different length: 'a' has 2, 'b' has 1"),
    ],
)
def test_refused_with_place_and_remedy(tmp_path, content, said):
    with pytest.raises(SourceError, match=said):
        Json(path=write(tmp_path, content)).read()
