"""Whole cells, and words inside of a text; case and spaces make no difference; two classes in one text abstain."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tilth.core.errors import ConfigError
from tilth.labeling.lookup import Lookup
from tilth.operators.batch import Batch


def said(labeler: Lookup, cells: pa.Array) -> list[str | None]:
    batch = Batch(ids=pa.array([str(i) for i in range(len(cells))]), columns={"c": cells})
    return labeler.vote(batch).names.to_pylist()


def test_whole_cells():
    labeler = Lookup(column="c", entries={"New  York": "usa", "Köln": "de", "7": "x"})
    assert said(labeler, pa.array(["new york", " KÖLN", "New York City", None])) == ["usa", "de", None, None]
    assert said(labeler, pa.array([7.0, 8.0])) == ["x", None]


def test_words_inside():
    labeler = Lookup(column="c", entries={"New York": "usa", "york": "uk", "Köln": "de"}, match="words")
    texts = ["I saw Köln.", "york is old", "in new york", "yorkshire", "Köln and Köln"]
    assert said(labeler, pa.array(texts)) == ["de", "uk", None, None, "de"]


def test_one_class_for_all_keys():
    assert said(Lookup(column="c", entries={"a": "?", "b": "?"}, says="x"), pa.array(["A", "c"])) == ["x", None]


def test_parity_with_a_plain_loop():
    entries = {f"k{i}": "abc"[i % 3] for i in range(50)}
    cells = [f"K{i % 70}" for i in range(500)]
    assert said(Lookup(column="c", entries=entries), pa.array(cells)) == [entries.get(c.lower()) for c in cells]


def test_what_cannot_be_looked_up_is_refused():
    with pytest.raises(ConfigError, match="needs entries"):
        Lookup(column="c")
    with pytest.raises(ConfigError, match="match cannot be 'all'"):
        Lookup(column="c", entries={"a": "b"}, match="all")
    with pytest.raises(ConfigError, match="was not read"):
        said(Lookup(column="c", file="kb.csv"), pa.array(["a"]))
